/**
 * Catches up with a peer that has more work.
 *
 *     status → headers by locator → their work → blocks, from everybody who has them → the import door
 *
 * A header costs its maker as much as a block, so headers are checked and their work is added up before any block is
 * asked for, and nothing is stored before it has beaten our own chain.
 *
 * One peer at a time is followed to the end. All are asked for their first headers before that, at the same time: who has
 * shown more work than we have goes before who has only spoken of it, and can't be held up by it.
 */
import { type BlockEntry, checkHeader, entryAfter, type Hash, type Header, RuleError } from '@bc/core'
import type { Chain, ImportOutcome } from '../../chain/chain.ts'
import { clockError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { sharedEnd } from '../../shared-end.ts'
import type { ReadBlock } from '../../signatures/block-report.ts'
import type { ChainStore } from '../../storage/chain-store.ts'
import { type Conversations, locatorOf } from '../conversations.ts'
import type { PeerStatus } from '../messages.ts'
import type { Reputation } from '../reputation.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId, type Transport } from '../transport.ts'
import { BlockFetch } from './block-fetch.ts'
import { Turns } from './turns.ts'

/** Headers that are held while they haven't beaten our chain yet: some 50 MB. */
const MOST_HELD = 100_000
/** Headers that are checked without letting anything else have its turn: a few milliseconds' worth. */
const CHECKED_AT_ONCE = 50
/** How often a peer may move to another branch while it tells of one. */
const MOST_TURNS = 3
/** How long one peer may keep us busy without our head moving: the next one may have what we need. */
const PATIENCE_MS = 30_000
/**
 * What a peer takes to send headers, at first and for each of them: some 10 bytes in a millisecond, as with blocks. One that
 * sends them one by one would keep its turn for hours.
 */
const [FIRST_HEADER_MS, NEXT_HEADER_MS] = [10_000, 40]
/** How often the terminal is told how far it is. */
const TELL_MS = 5_000

export interface SyncModules {
  readonly chain: Chain
  readonly store: ChainStore
  readonly transport: Transport
  readonly conversations: Conversations
  readonly reputation: Reputation
  readonly time: Time
  readonly log: Log
  readonly onFailure: (error: unknown) => void
  /** Our head has moved by what a peer had: others may want to know. */
  readonly onCaughtUp: (head: BlockEntry) => void
  /** The peer has been found on the very block that we are on. */
  readonly onLevel: (peer: PeerId) => void
}

/** How far the catching up is. */
export interface SyncProgress {
  readonly from: number
  readonly to: number
}

export class Sync {
  private readonly modules: SyncModules
  /** Peers that are asked what they have, or wait for their turn. */
  private readonly underWay = new Map<PeerId, Promise<void>>()
  /** Of those, whom to ask once more: they may have more by now than they have told. */
  private readonly again = new Map<PeerId, Promise<void>>()
  /** One is caught up with at a time. */
  private readonly turns = new Turns()
  private readonly closing = sharedEnd()
  /** How often a peer has failed to send what we needed since we began to catch up: the others go first. */
  private readonly failures = new Map<PeerId, number>()
  /** Whose chain goes on in what is the future to us. The operator is told when there is one, and of no more after that. */
  private readonly ahead = new Set<PeerId>()
  private goal: SyncProgress | undefined
  private moves = 0

  constructor(modules: SyncModules) {
    this.modules = modules
  }

  /** undefined while there is nothing to catch up with. */
  get progress(): SyncProgress | undefined {
    return this.goal
  }

  /** How often our head has moved by what a peer had: not by what our own miner found meanwhile. */
  get headMoves(): number {
    return this.moves
  }

  /**
   * This peer may have more work than we have: it joined, or sent a block whose parent we don't know.
   * @returns settles when it has been asked once from now on, and followed as far as that goes; never throws
   */
  consider(peer: PeerId): Promise<void> {
    if (this.closing.signal.aborted) return Promise.resolve()
    const current = this.underWay.get(peer)
    if (current === undefined) return this.begin(peer)
    const next = this.again.get(peer) ?? current.then(() => this.begin(peer))
    this.again.set(peer, next)
    return next
  }

  /** Settles when nobody is considered any more. A peer that goes on giving us reasons to ask it can put that off for ever. */
  async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay.values())
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.idle()
  }

  private begin(peer: PeerId): Promise<void> {
    this.again.delete(peer)
    const round = this.followOnce(peer).catch(this.modules.onFailure)
    this.underWay.set(peer, round)
    return round
  }

  private async followOnce(peer: PeerId): Promise<void> {
    try {
      await this.followCarefully(peer)
    } finally {
      // Until the next round begins this one holds its place.
      if (!this.again.has(peer)) this.underWay.delete(peer)
      if (this.underWay.size === 0) this.failures.clear()
    }
  }

  private async followCarefully(peer: PeerId): Promise<void> {
    try {
      await this.follow(peer)
    } catch (error) {
      if (this.closing.signal.aborted) return
      if (!(error instanceof RuleError || error instanceof PeerError)) throw error
      this.modules.log.debug({ peer, reason: error.message }, 'Catching up with a peer has ended early.')
      this.failures.set(peer, (this.failures.get(peer) ?? 0) + 1)
      await this.modules.reputation.offend(peer, error, 'block')
    }
  }

  private async follow(peer: PeerId): Promise<void> {
    let done = false
    while (!done && !this.closing.signal.aborted) {
      const following = sharedEnd()
      const end = () => following.abort(this.closing.signal.reason)
      this.closing.signal.addEventListener('abort', end)
      try {
        done = await this.askAndFollow(peer, following.signal)
      } finally {
        this.closing.signal.removeEventListener('abort', end)
        following.abort(new PeerError('gone', 'no longer wanted'))
      }
    }
  }

  /**
   * All are asked at once what they have, and for the first headers of it, so that nobody waits for one that doesn't answer.
   * @returns false where that is out of date when its turn comes: it is asked anew, which others needn't wait for
   */
  private async askAndFollow(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    const { chain, conversations } = this.modules
    const asked = chain.head
    const status = await conversations.status(peer, signal)
    const rest = this.branchOf(peer, status, signal)
    const first = status.work > chain.head.totalWork ? ((await rest.next()).value ?? []) : undefined
    const shown = first?.at(-1)?.totalWork
    // Whoever has no more than we have takes no time, and goes before those who may take some for nothing.
    const work = first ? (shown ?? 0n) : status.work
    return this.turns.run({ work, failures: this.failures.get(peer) ?? 0 }, async () => {
      if (this.closing.signal.aborted) return true
      const { head } = chain
      const leads = first && status.work > head.totalWork && (shown === undefined || shown > head.totalWork)
      // Others had their turn meanwhile, and the chain goes on.
      if (!leads && head !== asked) return false
      await this.drawLevel(peer, status, leads ? this.lacking(first, rest) : undefined, signal)
      return true
    })
  }

  private async drawLevel(
    peer: PeerId,
    status: PeerStatus,
    branch: AsyncIterable<BlockEntry[]> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { chain, onLevel, onCaughtUp } = this.modules
    const before = chain.head
    try {
      if (branch) await this.catchUp(peer, status, branch, signal)
      if (status.tip === chain.head.hash) {
        this.ahead.delete(peer)
        onLevel(peer)
      }
    } finally {
      this.goal = undefined
      if (chain.head !== before && !this.closing.signal.aborted) onCaughtUp(chain.head)
    }
  }

  private async catchUp(
    source: PeerId,
    status: PeerStatus,
    branch: AsyncIterable<BlockEntry[]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { chain, transport, conversations, reputation, time, log } = this.modules
    const { failures } = this
    this.goal = { from: chain.head.index, to: status.height }
    const peers = () => transport.peers()
    const fetch = new BlockFetch({ chain, conversations, reputation, source, peers, failures, signal })
    let toldAt = time.now()
    for await (const blocks of fetch.inOrder(branch)) {
      // One wait for the disk per part: until then a crash only means fetching some of them again.
      const outcomes = await this.take(blocks)
      if (outcomes.some(({ kind }) => kind === 'early' || kind === 'orphan'))
        throw new PeerError('gone', 'our clock was set back meanwhile')
      if (time.now() - toldAt < TELL_MS) continue
      toldAt = time.now()
      log.info({ height: chain.head.index, of: status.height }, 'Catching up.')
    }
  }

  /** Imports what we lacked. Where it is on the main chain afterwards, it has moved our head: even if a rule refuses the rest. */
  private async take(blocks: readonly ReadBlock[]): Promise<ImportOutcome[]> {
    const { chain, store } = this.modules
    try {
      return await chain.importAll(blocks)
    } finally {
      const first = blocks[0]?.parsed
      if (first && (await store.mainHash(first.block.index)) === first.hash) this.moves++
    }
  }

  /**
   * What the peer's chain has after what is ours as well, as soon as it has more work than ours: after each answer, and
   * nothing after one that isn't enough yet. No more than one answer is held for a peer that waits for its turn.
   * It ends where the future begins: what is early is asked for again, since to hold it would be to hold whatever is sent.
   */
  private async *branchOf(
    peer: PeerId,
    status: PeerStatus,
    signal: AbortSignal,
  ): AsyncGenerator<BlockEntry[], void, undefined> {
    const { chain, store, conversations, time } = this.modules
    let locator = await locatorOf(chain, store)
    let newest: BlockEntry | undefined
    let held: BlockEntry[] = []
    // The peer's time and ours for its headers, not that of others: in all, and since it has shown more work than we have.
    let [spent, patience, received] = [0, PATIENCE_MS, 0]
    let turns = 0
    for (;;) {
      const since = time.now()
      const { headers, tip } = await conversations.headers(peer, locator, signal)
      if (tip === undefined) break
      // Between two answers it may have moved to another branch, and tells of that from where it leaves ours.
      if (newest && headers[0]?.previous_hash !== newest.hash) {
        if (++turns > MOST_TURNS) throw new PeerError('withheld', 'its headers go round in circles')
        newest = undefined
        held = []
      }
      newest = await this.checkHeaders(headers, tip, newest ?? (await this.knownParent(headers)), held)
      if (held.length > MOST_HELD) throw new PeerError('oversized', 'a long branch without the work')
      const leads = newest.totalWork > chain.head.totalWork
      received += headers.length
      spent += time.now() - since
      patience = leads ? PATIENCE_MS : patience - (time.now() - since)
      if (patience < 0) throw new PeerError('stalled', 'its headers lead nowhere for too long')
      if (spent > FIRST_HEADER_MS + received * NEXT_HEADER_MS)
        throw new PeerError('stalled', 'the peer sends next to no headers')
      if (chain.isEarly(newest)) {
        if (leads) this.noteAhead(peer, newest)
        // No block is older than its parent: after the first of these all are early.
        const due = held.filter((entry) => !chain.isEarly(entry))
        if ((due.at(-1)?.totalWork ?? 0n) > chain.head.totalWork) yield due
        return
      }
      yield leads ? held : []
      if (leads) held = []
      if (newest.hash === status.tip) return
      locator = [newest.hash, ...(await locatorOf(chain, store))]
    }
    // It may have moved to another branch meanwhile, but never to one with less work; and so may we.
    if (status.work > (newest?.totalWork ?? 0n) && status.work > chain.head.totalWork)
      throw new PeerError('withheld', 'it has less work than it said')
  }

  private noteAhead(peer: PeerId, newest: BlockEntry): void {
    const { chain, transport, log } = this.modules
    const here = transport.peers()
    for (const other of this.ahead) if (!here.includes(other)) this.ahead.delete(other)
    const lead = chain.leadOf(newest)
    if (this.ahead.size === 0) log.warn({ peer, lead }, clockError(lead).message)
    this.ahead.add(peer)
  }

  /** What isn't here by the time that it is needed. */
  private async *lacking(
    first: readonly BlockEntry[],
    rest: AsyncIterable<readonly BlockEntry[]>,
  ): AsyncGenerator<BlockEntry[], void, undefined> {
    yield this.missing(first)
    for await (const entries of rest) yield this.missing(entries)
  }

  /**
   * Of a branch, oldest first, what isn't here: what is here stands on what is here as well, so few have to be asked for.
   * Each question that LevelDB has no answer to brings nearer that it merges its tables.
   */
  private async missing(branch: readonly BlockEntry[]): Promise<BlockEntry[]> {
    let [from, to] = [0, branch.length]
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      const isHere = await this.modules.store.entry((branch[middle] as BlockEntry).hash)
      if (isHere) from = middle + 1
      else to = middle
    }
    return branch.slice(from)
  }

  private async knownParent([first]: readonly Header[]): Promise<BlockEntry> {
    const parent = first && (await this.modules.store.entry(first.previous_hash))
    if (parent === undefined) throw new PeerError('garbled', 'the headers are none of what the locator asked for')
    return parent
  }

  /** A block's hash stands in the header after it; the last one's comes with the answer. */
  private async checkHeaders(
    headers: readonly Header[],
    tip: Hash,
    parent: BlockEntry,
    held: BlockEntry[],
  ): Promise<BlockEntry> {
    let newest = parent
    for (const [i, header] of headers.entries()) {
      if (i % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await this.modules.time.sleep(0, this.closing.signal)
      checkHeader(header, newest, this.modules.chain.rules)
      newest = entryAfter(newest, header, headers[i + 1]?.previous_hash ?? tip)
      held.push(newest)
    }
    return newest
  }
}
