/** Makes a chain in a data directory longer, by blocks that hold a reward and nothing else, through the import door. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Address, Genesis } from '@bc/core'
import { type Chain, readAhead } from '@bc/node/parts'
import { nextBlock } from '../chain/next-block.ts'
import { shorten, tell } from '../row.ts'
import { answer } from './ask.ts'
import { openChain } from './open-chain.ts'

export interface GrowQuestion {
  readonly genesis: Genesis
  readonly directory: string
  /** Up to here. */
  readonly height: number
}

/**
 * The newest ones come one by one, as they do to a node that runs: each write leaves a record in the database's journal,
 * which a start reads, and this is as many as are kept.
 */
const ONE_BY_ONE = 16_384
const TELL_EVERY = 100_000
/** LevelDB has tidied up when its files stay the same for so long. */
const QUIET_MS = 1_000

answer(async ({ genesis, directory, height }: GrowQuestion): Promise<object> => {
  const { chain, close } = await openChain(genesis, directory)
  await grow(chain, height)
  await close()
  // As a node leaves it that has been at work for a while: nothing in the log, nothing left to compact, and no table
  // that nobody has read.
  for (let start = 0; start < 2; start++) {
    const again = await openChain(genesis, directory)
    await untilQuiet(join(directory, 'chain'))
    await again.close()
  }
  return {}
})

async function grow(chain: Chain, height: number): Promise<void> {
  let told = chain.head.index
  const read = (texts: readonly string[]) => chain.read(texts)
  for await (const part of readAhead(blocksUpTo(height, chain), ({ length }) => length, read)) {
    const size = chain.head.index + part.length > height - ONE_BY_ONE ? 1 : part.length
    for (let at = 0; at < part.length; at += size) await chain.importAll(part.slice(at, at + size), { sync: false })
    if (chain.head.index - told < TELL_EVERY) continue
    told = chain.head.index
    tell(`${shorten(told)} of ${shorten(height)} blocks are made`)
  }
}

/** The accounts that have coins mine by turns. */
function* blocksUpTo(height: number, { head, rules }: Chain): Generator<string, void, undefined> {
  const miners = Object.keys(rules.allocations) as Address[]
  for (let last = head; last.index < height; ) {
    const miner = miners[last.index % miners.length] as Address
    const { parsed, entry } = nextBlock(last, rules, miner)
    yield parsed.canonical
    last = entry
  }
}

async function untilQuiet(folder: string): Promise<void> {
  // One that is listed may be gone by then.
  const sizeOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size
  const state = () => readdirSync(folder).map((name) => `${name} ${sizeOf(name)}`)
  for (let before = ''; ; ) {
    const now = state().join()
    if (now === before) return
    before = now
    await delay(QUIET_MS)
  }
}
