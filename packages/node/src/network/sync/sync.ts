/**
 * Catches up with a peer that has more work.
 *
 *     status → headers by locator → their work → blocks, from everybody who has them → the import door
 *
 * A header costs its maker as much as a block, so headers are checked and their work is added up before any block is
 * asked for, and nothing is stored before it has beaten our own chain.
 *
 * One peer at a time is followed to the end. All show before that, at the same time, that their headers have more work
 * than we have: who has only spoken of it holds up nobody.
 */
import { type BlockEntry, RuleError } from '@bc/core'
import type { Chain, ImportOutcome } from '../../chain/chain.ts'
import { clockError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { sharedEnd } from '../../shared-end.ts'
import type { ReadBlock } from '../../signatures/block-report.ts'
import type { ChainStore } from '../../storage/chain-store.ts'
import type { Conversations } from '../conversations.ts'
import type { PeerStatus } from '../messages.ts'
import type { Reputation } from '../reputation.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId, type Transport } from '../transport.ts'
import { BlockFetch } from './block-fetch.ts'
import { Branch } from './branch.ts'
import { Turns } from './turns.ts'

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
   * All are asked at once what they have, and to show it, so that nobody waits for one that doesn't answer.
   * @returns false where that is out of date when its turn comes: it is asked anew, which others needn't wait for
   */
  private async askAndFollow(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    const { chain, conversations } = this.modules
    const asked = chain.head
    const status = await conversations.status(peer, signal)
    const onAhead = (newest: BlockEntry) => this.noteAhead(peer, newest)
    const branch = new Branch({ ...this.modules, onAhead }, peer, status, signal)
    const shown = status.work > chain.head.totalWork ? await branch.lead() : undefined
    return this.turns.run({ work: shown ?? 0n, failures: this.failures.get(peer) ?? 0 }, async () => {
      if (this.closing.signal.aborted) return true
      const { head } = chain
      const leads = shown !== undefined && shown > head.totalWork
      // Others had their turn meanwhile, and the chain goes on.
      if (!leads && head !== asked) return false
      await this.drawLevel(peer, status, leads ? branch : undefined, signal)
      return true
    })
  }

  private async drawLevel(
    peer: PeerId,
    status: PeerStatus,
    branch: Branch | undefined,
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

  private async catchUp(source: PeerId, status: PeerStatus, branch: Branch, signal: AbortSignal): Promise<void> {
    const { chain, transport, conversations, reputation, time, log } = this.modules
    const { failures } = this
    const goal = { from: chain.head.index, to: status.height }
    this.goal = goal
    const peers = () => transport.peers()
    const fetch = new BlockFetch({ chain, conversations, reputation, time, source, peers, failures, signal })
    let toldAt = time.now()
    for await (const blocks of fetch.inOrder(this.lacking(branch, goal))) {
      // One wait for the disk per part: until then a crash only means fetching some of them again.
      const outcomes = await this.take(blocks)
      if (outcomes.some(({ kind }) => kind === 'early' || kind === 'orphan'))
        throw new PeerError('gone', 'our clock was set back meanwhile')
      if (time.now() - toldAt < TELL_MS) continue
      toldAt = time.now()
      log.info({ height: chain.head.index, of: goal.to }, 'Catching up.')
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

  private noteAhead(peer: PeerId, newest: BlockEntry): void {
    const { chain, transport, log } = this.modules
    const here = transport.peers()
    for (const other of this.ahead) if (!here.includes(other)) this.ahead.delete(other)
    const lead = chain.leadOf(newest)
    if (this.ahead.size === 0) log.warn({ peer, lead }, clockError(lead).message)
    this.ahead.add(peer)
  }

  /**
   * What isn't here by the time that it is needed.
   * @param goal moved on where the chain has grown since the peer told its height
   */
  private async *lacking(branch: Branch, goal: { to: number }): AsyncGenerator<BlockEntry[], void, undefined> {
    for await (const entries of branch.entries()) {
      goal.to = Math.max(goal.to, entries.at(-1)?.index ?? 0)
      yield this.missing(entries)
    }
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
}
