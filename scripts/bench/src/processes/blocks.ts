/**
 * Adds ordinary blocks to stored chains one by one, each on the disk before the next, and tells what one costs. The
 * chains take turns from block to block: the machine is the same for all of them.
 */
import type { BlockEntry, Genesis, ParsedBlock } from '@bc/core'
import type { Chain } from '@bc/node/parts'
import { type Holder, makeHolders } from '../chain/holders.ts'
import { nextBlock, paymentsOf } from '../chain/next-block.ts'
import { median } from '../row.ts'
import { answer } from './ask.ts'
import { openChain } from './open-chain.ts'

export interface BlocksQuestion {
  readonly genesis: Genesis
  readonly directories: readonly string[]
  /** On each of them. */
  readonly blocks: number
  /** Signed transactions of each, beside the reward. */
  readonly perBlock: number
  /** Of those who have coins: {@link makeHolders}. */
  readonly accounts: number
}

export interface BlocksAnswer {
  /** From the parsed block until it is on the disk and the head: for each chain the median of all. */
  readonly ms: readonly number[]
}

/** V8 and the disk get used to them first. */
const WARM_UP = 50

answer(async (question: BlocksQuestion): Promise<BlocksAnswer> => {
  const opened = await Promise.all(question.directories.map((directory) => openChain(question.genesis, directory)))
  const chains = opened.map(({ chain }) => ({ chain, blocks: nextBlocks(chain, question), times: [] as number[] }))
  for (let i = 0; i < WARM_UP + question.blocks; i++)
    for (const { chain, blocks, times } of i % 2 === 0 ? chains : chains.toReversed())
      times.push(await importTime(chain, blocks[i] as ParsedBlock))
  await Promise.all(opened.map(({ close }) => close()))
  return { ms: chains.map(({ times }) => median(times.slice(WARM_UP))) }
})

async function importTime(chain: Chain, block: ParsedBlock): Promise<number> {
  const start = performance.now()
  const { kind } = await chain.import(block)
  if (kind !== 'head') throw new Error(`a block became ${kind}, not the head`)
  return performance.now() - start
}

/** All of them are made before the first is measured. */
function nextBlocks({ id, rules, head }: Chain, { blocks, perBlock, accounts }: BlocksQuestion): ParsedBlock[] {
  const holders = makeHolders(accounts)
  let parent: BlockEntry = head
  return Array.from({ length: WARM_UP + blocks }, (_, block) => {
    const miner = (holders[block % accounts] as Holder).address
    const { parsed, entry } = nextBlock(parent, rules, miner, paymentsOf(holders, block, perBlock, id))
    parent = entry
    return parsed
  })
}
