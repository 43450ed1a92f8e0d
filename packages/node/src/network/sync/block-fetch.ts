/**
 * Blocks by their hashes, from whoever has them: several peers at once, a stalled part asked of another, the result in
 * order. What is fetched ahead of its reader is bounded.
 */
import { type BlockEntry, type Hash, RuleError } from '@bc/core'
import type { Chain } from '../../chain/chain.ts'
import { AHEAD, PART_BLOCKS, PART_BYTES } from '../../chain/read-ahead.ts'
import { Counts } from '../../counts.ts'
import type { ReadBlock } from '../../signatures/block-report.ts'
import type { Conversations } from '../conversations.ts'
import type { Reputation } from '../reputation.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId } from '../transport.ts'

/** A part's blocks while nothing is known of their size. */
const FIRST_PART = 16
/** Portions that one peer works on at the same time. */
const PER_PEER = 2
/** What a peer is asked for at once takes it about so long: more would stand before all else that it has to say. */
const PORTION_MS = 3_000
/** Bytes of that at first. Whoever has yet to show that it is faster gets one portion at a time. */
const FIRST_PORTION = 64_000
/** Canonical JSON that waits for the reader; beyond that only the part that is read next goes on. */
const AHEAD_BYTES = 16_000_000

export interface BlockFetchModules {
  readonly chain: Pick<Chain, 'read'>
  readonly conversations: Conversations
  readonly reputation: Reputation
  readonly time: Time
  /** Who has said that it has the blocks. */
  readonly source: PeerId
  /** Those who may have them as well, as of now. */
  readonly peers: () => readonly PeerId[]
  /** How often a peer has failed: the others go first. Remembered from one fetch to the next. */
  readonly failures: Map<PeerId, number>
  readonly signal: AbortSignal
}

/** Blocks that are read together, asked for in portions: their bytes go by the blocks that came before. */
interface Part {
  readonly number: number
  readonly hashes: readonly Hash[]
}

interface Fetched {
  readonly blocks: ReadBlock[]
  /** Why they aren't all of the part. */
  readonly failure?: PeerError
}

export class BlockFetch {
  private readonly modules: BlockFetchModules
  /** Portions that a peer works on. */
  private readonly busy = new Counts()
  /** Bytes that a peer is asked for at once. */
  private readonly portions = new Map<PeerId, number>()
  /** Whoever said that a block isn't there: not asked again, and not blamed unless it had said otherwise. */
  private readonly without = new Set<PeerId>()
  private wake: () => void = () => undefined
  /** The part that is read next, and the bytes of all that wait. */
  private reading = 0
  private ahead = 0
  /** Of the newest blocks, roughly. */
  private blockBytes = PART_BYTES / FIRST_PART

  constructor(modules: BlockFetchModules) {
    this.modules = modules
    modules.signal.addEventListener('abort', () => this.changed(), { once: true })
  }

  /**
   * @param branch what to fetch, a batch at a time: the next one is asked for while there are still blocks to fetch
   * @throws PeerError where nobody has them; whatever `branch` throws, once all before it was read
   */
  async *inOrder(branch: AsyncIterable<readonly BlockEntry[]>): AsyncGenerator<ReadBlock[], void, undefined> {
    const wanted = new Wanted(branch)
    const ahead: Promise<Fetched>[] = []
    for (let number = 0; ; ) {
      while (ahead.length < AHEAD && wanted.hashes.length > 0)
        ahead.push(quiet(this.part({ number: number++, hashes: wanted.take(this.blocksOf(PART_BYTES)) })))
      const more = wanted.hashes.length < AHEAD * PART_BLOCKS ? wanted.more() : undefined
      const next = ahead.shift()
      if (next) {
        const { blocks, failure } = await next
        this.reading++
        this.weigh(
          blocks.map(({ parsed }) => parsed.canonical),
          -1,
        )
        if (blocks.length > 0) yield blocks
        if (failure) throw failure
      } else if (!(await more)) return
    }
  }

  /** How many blocks are so many bytes. */
  private blocksOf(bytes: number): number {
    return Math.max(1, Math.min(PART_BLOCKS, Math.floor(bytes / this.blockBytes)))
  }

  private async part(part: Part): Promise<Fetched> {
    const { failures, reputation, signal } = this.modules
    const tried = new Set<PeerId>()
    const blocks: ReadBlock[] = []
    while (blocks.length < part.hashes.length) {
      const peer = await this.freePeer(part, tried)
      if (peer instanceof PeerError) return { blocks, failure: peer }
      const hashes = part.hashes.slice(blocks.length, blocks.length + this.blocksOf(this.portion(peer)))
      const texts: string[] = []
      try {
        try {
          await this.ask(peer, part, hashes, texts).finally(() => this.release(peer))
        } finally {
          // What has come is kept, however the rest fares.
          signal.throwIfAborted()
          blocks.push(...(await this.read(texts, hashes)))
        }
        if (texts.length < hashes.length) this.without.add(peer)
      } catch (error) {
        signal.throwIfAborted()
        // Our own trouble would be the same with every peer.
        if (!(error instanceof RuleError || error instanceof PeerError)) throw error
        tried.add(peer)
        failures.set(peer, (failures.get(peer) ?? 0) + 1)
        await reputation.offend(peer, error, 'conversation')
      }
    }
    return { blocks }
  }

  /** @param texts where the blocks go as they come: fewer than there are hashes where the peer hasn't got all of them */
  private async ask(peer: PeerId, { number }: Part, hashes: readonly Hash[], texts: string[]): Promise<void> {
    const { conversations, signal, time } = this.modules
    let [took, since] = [0, time.now()]
    try {
      for await (const text of conversations.blocks(peer, hashes, signal)) {
        took += time.now() - since
        if (text === undefined) return
        texts.push(text)
        this.blockBytes += (text.length - this.blockBytes) / FIRST_PART
        this.weigh([text], 1)
        // Whoever isn't read from stops sending. The part that is read next never waits, so all come to an end.
        while (this.ahead > AHEAD_BYTES && number > this.reading) await this.change()
        since = time.now()
      }
    } catch (error) {
      took = Number.POSITIVE_INFINITY
      throw error
    } finally {
      this.learn(peer, took)
    }
  }

  private portion(peer: PeerId): number {
    return this.portions.get(peer) ?? FIRST_PORTION
  }

  /** @param took milliseconds for a portion */
  private learn(peer: PeerId, took: number): void {
    const portion = this.portion(peer)
    if (took > PORTION_MS) this.portions.set(peer, Math.max(this.blockBytes, portion / 2))
    else if (took < PORTION_MS / 2) this.portions.set(peer, Math.min(PART_BYTES, portion * 2))
  }

  /** While the peer is sending something else already. */
  private async read(texts: readonly string[], hashes: readonly Hash[]): Promise<ReadBlock[]> {
    try {
      const blocks = await this.modules.chain.read(texts)
      // A text that is not canonical may have the hash that a header names: the block that it spells has another.
      if (blocks.some(({ parsed }, i) => parsed.hash !== hashes[i])) throw new PeerError('garbled', 'no canonical JSON')
      return blocks
    } catch (error) {
      this.weigh(texts, -1)
      throw error
    }
  }

  private weigh(texts: readonly string[], sign: 1 | -1): void {
    for (const { length } of texts) this.ahead += sign * length
    if (sign < 0) this.changed()
  }

  /**
   * Of those who have failed least, the least busy one; waits while all of them have enough to do. Not for the part
   * that is read next: what they do may be waiting for the reader.
   * @returns the error where there is none
   */
  private async freePeer({ number }: Part, tried: ReadonlySet<PeerId>): Promise<PeerId | PeerError> {
    const { signal, source, peers, failures } = this.modules
    for (;;) {
      signal.throwIfAborted()
      const able = peers().filter((peer) => !tried.has(peer) && !this.without.has(peer))
      if (able.length === 0)
        return new PeerError(this.without.has(source) ? 'withheld' : 'gone', 'no peer has these blocks')
      const fewest = Math.min(...able.map((peer) => failures.get(peer) ?? 0))
      const best = able.filter((peer) => (failures.get(peer) ?? 0) === fewest)
      // The source comes first: it has said that it has them.
      const order = best.sort(
        (a, b) => this.busy.of(a) - this.busy.of(b) || Number(b === source) - Number(a === source),
      )
      const [free] = order
      if (free !== undefined && (this.busy.of(free) < this.most(free) || number === this.reading)) {
        this.busy.add(free)
        return free
      }
      await this.change()
    }
  }

  private release(peer: PeerId): void {
    this.busy.remove(peer)
    this.changed()
  }

  /** Settles when a peer is free again, or something was read, or nothing is wanted any more. */
  private async change(): Promise<void> {
    const { signal } = this.modules
    signal.throwIfAborted()
    await new Promise<void>((resolve) => {
      const before = this.wake
      this.wake = () => {
        before()
        resolve()
      }
    })
    signal.throwIfAborted()
  }

  private changed(): void {
    const { wake } = this
    this.wake = () => undefined
    wake()
  }

  private most(peer: PeerId): number {
    return this.portion(peer) > FIRST_PORTION ? PER_PEER : 1
  }
}

/** The hashes of a branch that nobody has been asked for yet. */
class Wanted {
  hashes: Hash[] = []
  private readonly batches: AsyncIterator<readonly BlockEntry[]>
  private asking: Promise<boolean> | undefined

  constructor(branch: AsyncIterable<readonly BlockEntry[]>) {
    this.batches = branch[Symbol.asyncIterator]()
  }

  take(count: number): Hash[] {
    return this.hashes.splice(0, count)
  }

  /**
   * Asks for the next batch, unless that was done already.
   * @returns whether there is one
   */
  more(): Promise<boolean> {
    this.asking ??= quiet(this.next())
    return this.asking
  }

  private async next(): Promise<boolean> {
    const { value, done } = await this.batches.next()
    // What has ended or failed stays so.
    if (done) return false
    this.hashes.push(...value.map(({ hash }) => hash))
    this.asking = undefined
    return true
  }
}

/** A part that fails while an earlier one is being read is found failed when its turn comes. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
