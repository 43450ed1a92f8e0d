/** A node's blocks as it has stored them, one on each line. */
import { pagedBlocks, type Stretch } from '../chain/blocks.ts'
import { connect } from '../client/client.ts'
import { CliError, Refusal, usage } from '../failure.ts'
import type { Settings } from '../settings/options.ts'
import { writeSlowly } from '../terminal/output.ts'
import { progressOf } from '../terminal/progress.ts'
import { counted } from '../terminal/text.ts'

export interface ExportOptions {
  readonly from?: number
  readonly to?: number
}

const NEWLINE = Buffer.from('\n')
/** Small blocks are written some at a time. */
const WRITE_BYTES = 64 << 10

export async function exportChain(options: ExportOptions, settings: Settings): Promise<void> {
  const stretch = await stretchOf(options, settings)
  const count = stretch.to - stretch.from + 1
  const progress = progressOf('Exporting', 'block', count)
  let [parts, size, done]: [Uint8Array[], number, number] = [[], 0, 0]
  const flush = async () => {
    const bytes = Buffer.concat(parts)
    parts = []
    size = 0
    await writeSlowly(bytes)
    progress.update(done)
  }
  try {
    for await (const { bytes } of pagedBlocks(settings, stretch)) {
      parts.push(bytes, NEWLINE)
      size += bytes.length
      done++
      if (size >= WRITE_BYTES) await flush()
    }
    await flush()
    if (done < count)
      throw new CliError('cli.answer', `the node has ended after ${done} of ${counted(count, 'block')}: try again.`)
  } finally {
    progress.end()
  }
}

/** What the node has now: what is mined meanwhile is left out, so that the last line is a block that was asked for. */
async function stretchOf({ from = 1, to }: ExportOptions, settings: Settings): Promise<Stretch> {
  if (to !== undefined && to < from) throw usage('--to is not below --from.')
  const { height } = await connect(settings).status()
  if (Math.max(from, to ?? from) > height)
    throw new Refusal('request.not_found', `there is no block ${Math.max(from, to ?? from)}: the chain has ${height}.`)
  return { from, to: to ?? height }
}
