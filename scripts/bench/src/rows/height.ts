/** What a long chain costs: the same work at a height of a million, and where the chain is short. */
import { ask } from '../processes/ask.ts'
import type { BlocksAnswer, BlocksQuestion } from '../processes/blocks.ts'
import { MEMORY_PROBE, NodeProcess } from '../processes/node.ts'
import { type Bench, type Figures, type Row, type Size, shorten, sideBySide, tell } from '../row.ts'
import { ACCOUNTS, type TallChain, tallChain } from '../tall/chain.ts'
import { everydayWork } from '../tall/everyday-work.ts'

const BLOCK: Row = {
  name: 'height, block',
  ours: 'import of a block of 10 transactions, onto the disk, at height 1,000,000',
  theirs: 'the same at height 1,000',
  unit: 'ms',
  bound: 'at most',
  mustReach: 1.2,
  aimFor: 1.05,
}

const MEMORY: Row = {
  name: 'height, memory',
  ours: 'resident memory of bc-node after 50 mined blocks and 4,000 questions, garbage collected, at height 1,000,000',
  theirs: 'the same at height 10,000',
  unit: 'MB',
  bound: 'at most',
  mustReach: 1.5,
  aimFor: 1.1,
}

const START: Row = {
  name: 'height, start',
  ours: 'bc-node to ready at height 1,000,000',
  theirs: 'the same at height 10,000',
  unit: 'ms',
  bound: 'at most',
  mustReach: 2,
  aimFor: 1.2,
}

const PER_BLOCK = 10

function heightsOf({ quick }: Size) {
  return { low: 1_000, middle: 10_000, high: quick ? 20_000 : 1_000_000 }
}

export const bench: Bench = {
  rows: [BLOCK, MEMORY, START],
  async measure(size) {
    const { low, middle, high } = heightsOf(size)
    const chain = await tallChain([low, middle, high])
    if ('skipped' in chain) return bench.rows.map((row) => ({ row, outcome: chain }))
    const beside = (height: number, measure: (chain: TallChain, height: number, size: Size) => Promise<number>) =>
      sideBySide(
        size.runs,
        () => measure(chain, high, size),
        () => measure(chain, height, size),
      )
    return [
      { row: BLOCK, outcome: await told(BLOCK, blockTimes(chain, [high, low], size)) },
      { row: MEMORY, outcome: await told(MEMORY, beside(middle, memory)) },
      { row: START, outcome: await told(START, beside(middle, startTime)) },
    ]
  },
}

function told({ name }: Row, outcome: Promise<Figures>): Promise<Figures> {
  tell(name)
  return outcome
}

/** Milliseconds. Both in one process, block by block in turns: they wait for the same disk. */
async function blockTimes(
  { genesis, withCopy }: TallChain,
  [high, low]: readonly [number, number],
  { runs, quick }: Size,
): Promise<Figures> {
  const figures: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
  const work = { genesis, blocks: quick ? 100 : 1_000, perBlock: PER_BLOCK, accounts: ACCOUNTS }
  for (let run = 0; run < runs; run++) {
    const measure = (directories: readonly string[]) =>
      ask<BlocksAnswer>('./blocks.js', { ...work, directories } satisfies BlocksQuestion)
    const { ms } = await withCopy(high, (one) => withCopy(low, (other) => measure([one, other])))
    const [ours, theirs] = ms as [number, number]
    figures.ours.push(ours)
    figures.theirs.push(theirs)
    tell(`run ${run + 1} of ${runs}: ${shorten(ours)} beside ${shorten(theirs)}`)
  }
  return figures
}

/** @returns megabytes */
function memory({ config, withCopy }: TallChain, height: number, { quick }: Size): Promise<number> {
  return withCopy(height, async (directory) => {
    const node = await NodeProcess.start({ directory, config, execArgv: [...process.execArgv, ...MEMORY_PROBE] })
    try {
      await everydayWork(node.url, height, quick ? 200 : 2_000)
      return (await node.memory()) / 1e6
    } finally {
      await node.stop()
    }
  })
}

/** @returns milliseconds from the first moment of the process */
function startTime({ config, withCopy }: TallChain, height: number): Promise<number> {
  return withCopy(height, async (directory) => {
    const start = performance.now()
    const node = await NodeProcess.start({ directory, config, execArgv: process.execArgv })
    const ms = performance.now() - start
    await node.stop()
    return ms
  })
}
