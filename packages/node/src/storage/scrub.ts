import { setTimeout as delay } from 'node:timers/promises'
import type { Chain } from '../chain/chain.ts'
import type { Serial } from '../serial.ts'
import type { ChainStore } from './chain-store.ts'
import { inspectAccounts, inspectBlock, inspectTree } from './inspect.ts'

/** Blocks that are looked at in one go, within the door, and the rest that follows each go. */
const BLOCKS_A_TIME = 50
const REST_MS = 20

/** Until LevelDB has tidied up most of what it has written since. */
const FILES_EVERY_MS = 10 * 60_000

/**
 * Looks at the whole stored chain once, its files and then its blocks, newest first, behind the node's work: what is
 * too much to look at before every start. It takes its turn at the door, so a block is never looked at while it is
 * written.
 * @throws DamageError
 */
export async function scrub(store: ChainStore, chain: Chain, door: Serial, signal: AbortSignal): Promise<void> {
  // First of all: where a table is malformed, looking for its records may end the process.
  await store.inspectFiles(signal)
  await inspectAccounts(store, chain, signal)
  for (let index: number = chain.head.index; index >= 1 && !signal.aborted; index -= BLOCKS_A_TIME) {
    await door.run(async () => {
      // A reorganisation may have shortened the chain since the last go.
      const from: number = Math.min(index, chain.head.index)
      for (let at = from; at > Math.max(0, from - BLOCKS_A_TIME); at--) await inspectBlock(store, chain, at)
    })
    // A timer that keeps the process alive: before the node listens, nothing else may.
    if (index > BLOCKS_A_TIME) await delay(REST_MS)
  }
  await inspectTree(store, signal)
}

/**
 * Goes on to look at the files that are new, so that the next start need not.
 * @throws DamageError
 */
export async function scrubNewFiles(store: ChainStore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // It is refused for one reason only: it is called off.
    await delay(FILES_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    await store.inspectFiles(signal)
  }
}
