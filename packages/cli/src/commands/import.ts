/** Blocks from a file to a node, some at a time, until one breaks a rule. */
import { isJsonObject, type JsonObject } from '@bc/core'
import type { ImportedAnswer } from '@bc/node'
import { isBlank, LineSplitter, LongLineError } from '@bc/node/ndjson'
import { isHash, isWhole } from '../client/answer.ts'
import { bodyOf, refusal, strange } from '../client/http.ts'
import { openAnswer } from '../client/http-stream.ts'
import { Refusal, usage } from '../failure.ts'
import { parsed } from '../json.ts'
import type { Settings } from '../settings/options.ts'
import { longInput } from '../terminal/input.ts'
import { printResult } from '../terminal/output.ts'
import { progressOf } from '../terminal/progress.ts'
import { counted, type Entry, rows } from '../terminal/text.ts'

/** What a node takes at once is more: it should answer soon. */
const PART_BYTES = 4 << 20
const PART_BLOCKS = 1000
/** No block of any chain is longer: a node's own limit is lower. */
const LINE_BYTES = 16 << 20
const REFUSALS = [400, 401, 409, 413, 422]

export async function importChain(source: string, settings: Settings): Promise<void> {
  const progress = progressOf('Importing', 'block')
  let all: ImportedAnswer | undefined
  try {
    for await (const part of partsOf(source)) {
      const answer = await send(part, all, settings)
      all = all ? sumOf(all, answer) : answer
      progress.update(all.imported + all.known)
    }
  } finally {
    progress.end()
  }
  if (all === undefined)
    throw usage('there is nothing to import: a block on each line was expected, as bc export writes.')
  const result = all
  printResult(result, settings.json, (width) => readableImported(result, width))
}

function sumOf(before: ImportedAnswer, answer: ImportedAnswer): ImportedAnswer {
  const imported = before.imported + answer.imported
  // A file is one chain: where a part of it is on the node's main chain, so is all before it.
  const beside = answer.imported > answer.beside ? answer.beside : before.beside + answer.beside
  return { ...answer, imported, beside, known: before.known + answer.known }
}

interface Line {
  readonly bytes: Uint8Array
  /** From 1, as an editor counts them: blank ones too. */
  readonly number: number
}

type Part = readonly Line[]

async function* partsOf(source: string): AsyncGenerator<Part> {
  let part: Line[] = []
  let size = 0
  for await (const line of linesOf(source)) {
    const { length } = line.bytes
    if (part.length > 0 && (size + length > PART_BYTES || part.length >= PART_BLOCKS)) {
      yield part
      part = []
      size = 0
    }
    part.push(line)
    size += length
  }
  if (part.length > 0) yield part
}

async function* linesOf(source: string): AsyncGenerator<Line> {
  const splitter = new LineSplitter(LINE_BYTES)
  let number = 0
  try {
    for await (const piece of longInput(source))
      for (const bytes of splitter.feedCounted(piece)) {
        number++
        if (!isBlank(bytes)) yield { bytes, number }
      }
    const last = splitter.end()
    if (last) yield { bytes: last, number: number + 1 }
  } catch (error) {
    throw error instanceof LongLineError ? usage(`this is no export: ${error.message}.`) : error
  }
}

const NEWLINE = Buffer.from('\n')

async function send(part: Part, before: ImportedAnswer | undefined, settings: Settings): Promise<ImportedAnswer> {
  const body = Buffer.concat(part.flatMap(({ bytes }) => [bytes, NEWLINE]))
  const question = { method: 'POST', path: '/blocks', body, operator: true, patient: true } as const
  const { status, pieces } = await openAnswer(settings, question, REFUSALS)
  const answer = parsed(await bodyOf(pieces, settings.node, question))
  if (status !== 200) throw stoppedAt(answer, part, before, refusal(settings.node.origin, question, status, answer))
  if (isJsonObject(answer) && isCount(answer) && isWhole(answer.height) && isHash(answer.tip))
    return answer as unknown as ImportedAnswer
  throw strange(settings.node.origin, 'POST /blocks with something that is not the protocol’s JSON')
}

function isCount({ imported, beside, known }: JsonObject): boolean {
  return isWhole(imported) && isWhole(beside) && isWhole(known)
}

/** The same refusal, saying how much went in before it. */
function stoppedAt(answer: unknown, part: Part, before: ImportedAnswer | undefined, said: Error): Error {
  const counts = answer as JsonObject | undefined
  if (!(said instanceof Refusal) || !isJsonObject(counts) || !isCount(counts)) return said
  const imported = Number(counts.imported) + (before?.imported ?? 0)
  // The node has counted the lines that it was sent.
  const line = part[Number(counts.imported) + Number(counts.known)]?.number
  const sentence = said.message.replace(/^Line \d+: /, '')
  const where = line === undefined ? '' : `line ${line}: `
  return new Refusal(said.code, `${where}${sentence} (${counted(imported, 'block')} imported before it)`)
}

function readableImported({ imported, beside, known, height, tip }: ImportedAnswer, width: number): string {
  const unchecked = `${counted(beside, 'block')}, nonces and balances not checked while another branch has as much work`
  const entries: Entry[] = [
    ['Imported', counted(imported, 'block')],
    ['Known', counted(known, 'block')],
    ['Height', height],
    ['Tip', tip],
  ]
  if (beside > 0) entries.splice(1, 0, ['Beside', unchecked])
  return rows(entries, width)
}
