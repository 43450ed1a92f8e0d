import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { ChainStore } from '../storage/chain-store.ts'
import { type ChainIdentity, inspectAccounts, inspectBlocks, inspectTree } from '../storage/inspect.ts'

/** Until LevelDB has tidied up most of what it has written since. */
const FILES_EVERY_MS = 10 * 60_000

/** Of the time, for the scrub of a node that has other things to do: where it serves peers, they wait so much longer. */
const SHARE = 0.03
const LONGEST_REST_MS = 5_000

/** How much of the time the scrub takes for itself: all, until somebody else wants some. */
export class Pace {
  readonly signal: AbortSignal
  private share = 1
  private since = performance.now()

  /** @param signal ends the scrub, and its rest */
  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  slowDown(): void {
    this.share = SHARE
  }

  /** So long that what was done since the last rest has taken its share of the time: longer on a busy machine. */
  async rest(): Promise<void> {
    const worked = performance.now() - this.since
    // Timers that keep the process alive: before the node listens, nothing else may.
    if (this.share === 1) await turn()
    else await restUpTo(worked * (1 / this.share - 1), this.signal)
    this.since = performance.now()
  }
}

async function restUpTo(ms: number, signal: AbortSignal): Promise<void> {
  // It is refused for one reason only: it is called off.
  await delay(Math.min(LONGEST_REST_MS, ms), undefined, { signal }).catch(() => undefined)
}

/**
 * Looks at the whole stored chain once, its files and then its records, the newest blocks first, behind the node's work:
 * what is too much to look at before every start.
 * @throws DamageError
 */
export async function scrub(store: ChainStore, chain: ChainIdentity, pace: Pace): Promise<void> {
  const { signal } = pace
  // First of all: where a table is malformed, looking for its records may end the process.
  await store.inspectFiles(signal)
  for (const look of [inspectAccounts(store, chain), inspectBlocks(store, chain), inspectTree(store)]) {
    if (signal.aborted) return
    for await (const _ of look) {
      await pace.rest()
      if (signal.aborted) return
    }
  }
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
