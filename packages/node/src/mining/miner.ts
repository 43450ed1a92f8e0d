/**
 * Mines one block at a time, off the event loop. Requests queue up; each gets a block of its own.
 *
 *     wait for the turn → template on the head → search → import
 *            ↑                                       |
 *            └── the head has moved, or time is up ──┘
 */
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Address,
  type Block,
  type BlockEntry,
  type BlockTemplate,
  blockTemplate,
  canonicalJson,
  type Hash,
  type ParsedBlock,
  type Pool,
  RuleError,
  readBlock,
  sealBlock,
  sealJobOf,
  type Target,
} from '@bc/core'
import type { Chain } from '../chain/chain.ts'
import { clockError, stoppingError } from '../errors.ts'
import { Serial } from '../serial.ts'
import type { SealThreads } from './seal-threads.ts'

export interface MinerModules {
  readonly chain: Chain
  readonly pool: Pick<Pool, 'select'>
  readonly threads: Pick<SealThreads, 'attempts' | 'search' | 'close'>
  /** Unix seconds. */
  readonly clock: () => number
  /** Who gets the rewards. */
  readonly address: Address
  /** A block of ours is on the main chain and on the disk: time to tell others. */
  readonly onMined: (block: ParsedBlock) => void
}

/** How far the job that has its turn has come. */
export interface MiningProgress {
  /** Counts jobs. */
  readonly job: number
  /** Of the block that is searched for. */
  readonly index: number
  readonly target: Target
  /** Nonces tried for this job, also on templates that were outdated meanwhile. */
  readonly attempts: number
  /** Since the job began. */
  readonly milliseconds: number
}

export interface MinedBlock {
  readonly block: Block
  readonly hash: Hash
}

/** Requests that may wait for their turn. */
const MOST_WAITING = 64
/** A search starts anew after this long, so that new transactions and a new timestamp get in. */
const REFRESH_MS = 10_000
/** Who mines on and on asks again after this long whether a block is possible by now. */
const REST_MS = 5_000

/** Why a search ended without a nonce: it is tried again on a new template. */
class Outdated extends Error {}

export class Miner {
  private readonly modules: MinerModules
  private readonly turns = new Serial()
  private readonly stopping = new AbortController()
  private current = new AbortController()
  private waiting = 0
  private searching = false
  private jobs = 0
  private job = { attemptsBefore: 0, startedAt: 0 }
  private sought: { readonly index: number; readonly target: Target } | undefined

  constructor(modules: MinerModules) {
    this.modules = modules
  }

  /** Whether a nonce is being searched at this moment. */
  get busy(): boolean {
    return this.searching
  }

  /** undefined while nothing is being searched for. */
  get progress(): MiningProgress | undefined {
    if (this.sought === undefined) return undefined
    const { attemptsBefore, startedAt } = this.job
    return {
      job: this.jobs,
      ...this.sought,
      attempts: this.modules.threads.attempts - attemptsBefore,
      milliseconds: performance.now() - startedAt,
    }
  }

  /**
   * @param signal ends the job: the client has gone away
   * @returns a block that is on the main chain and on the disk
   * @throws RuleError `node.busy`, `node.stopping`, `block.reward` once the supply is used up, `block.timestamp` where
   *   the clock is too far behind the chain; the signal's reason
   */
  async mine(signal: AbortSignal): Promise<MinedBlock> {
    signal.throwIfAborted()
    if (this.waiting >= MOST_WAITING)
      throw new RuleError('node.busy', `${MOST_WAITING} requests wait for a block to be mined already.`)
    this.waiting++
    // Who goes away leaves the queue at once, not when the turn comes.
    const leave = () => this.waiting--
    signal.addEventListener('abort', leave)
    try {
      return await this.turns.run(() => this.mineOne(signal))
    } finally {
      signal.removeEventListener('abort', leave)
      if (!signal.aborted) leave()
    }
  }

  /**
   * A block for nobody who could go away. It waits for its turn as well, but always gets one.
   * @param isWanted asked when the turn has come: what it was for may be gone by then
   * @throws RuleError as {@link mine} does, but for `node.busy`
   */
  async mineIf(isWanted: () => boolean): Promise<void> {
    await this.turns.run(async () => {
      if (isWanted()) await this.mineOne(this.stopping.signal)
    })
  }

  /**
   * Mines on and on, until the node stops. It waits for its turn as well, but always gets one.
   * @param onRefused hears why no block is possible for now; once, while that lasts
   */
  async mineOn(onRefused: (error: RuleError) => void): Promise<void> {
    const { signal } = this.stopping
    let refused: string | undefined
    while (!signal.aborted) {
      try {
        await this.turns.run(() => this.mineOne(signal))
        refused = undefined
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof RuleError)) throw error
        if (error.code !== refused) onRefused(error)
        refused = error.code
        // Another branch may leave room for rewards, and a clock may be set right.
        await delay(REST_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** Runs a task as if it were a job: while it lasts no block is mined. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.turns.run(task)
  }

  /** The head has moved: what is being searched for is worth nothing any more. */
  headMoved(): void {
    this.current.abort(new Outdated())
  }

  async stop(): Promise<void> {
    const reason = stoppingError()
    this.stopping.abort(reason)
    this.current.abort(reason)
    await this.turns.idle()
    await this.modules.threads.close()
  }

  private async mineOne(signal: AbortSignal): Promise<MinedBlock> {
    // By hand: on Node 20 AbortSignal.any never lets go of what it made for a signal that lives on.
    const end = () => this.current.abort(signal.reason)
    signal.addEventListener('abort', end)
    this.jobs++
    this.job = { attemptsBefore: this.modules.threads.attempts, startedAt: performance.now() }
    try {
      for (;;) {
        signal.throwIfAborted()
        this.stopping.signal.throwIfAborted()
        const found = await this.attempt()
        if (found) return found
      }
    } finally {
      signal.removeEventListener('abort', end)
      this.sought = undefined
    }
  }

  /** @returns undefined where the template was outdated before a nonce was found */
  private async attempt(): Promise<MinedBlock | undefined> {
    const { chain, threads } = this.modules
    this.current = new AbortController()
    const refresh = setTimeout(() => this.headMoved(), REFRESH_MS)
    try {
      // On a new head the pool still has for a moment what that has confirmed.
      const { parent, template } = await chain.atRest(async () => this.next())
      this.sought = { index: template.index, target: template.target }
      this.searching = true
      const nonce = await threads.search(sealJobOf(template, parent), this.current.signal)
      return await this.importOwn(sealBlock(template, nonce))
    } catch (error) {
      if (error instanceof Outdated) return undefined
      throw error
    } finally {
      this.searching = false
      clearTimeout(refresh)
    }
  }

  private next(): { parent: BlockEntry; template: BlockTemplate } {
    const { chain, pool, clock, address } = this.modules
    const parent = chain.head
    // A block can't be older than its parent: we would refuse what we have just mined.
    if (chain.isEarly(parent)) throw clockError(chain.leadOf(parent))
    const now = clock()
    const select = (maxBytes: number) => pool.select(maxBytes)
    return { parent, template: blockTemplate({ parent, rules: chain.rules, miner: address, now, select }) }
  }

  /** Through the same door as everybody's: the block is parsed from its text, so nothing of ours slips in with it. */
  private async importOwn(block: Block): Promise<MinedBlock | undefined> {
    const parsed = readBlock(canonicalJson(block))
    const { kind } = await this.modules.chain.import(parsed)
    if (kind !== 'head') return undefined
    this.modules.onMined(parsed)
    return { block, hash: parsed.hash }
  }
}
