/**
 * Asks a peer for what waits in its pool. Gossip tells of a transaction once, when it is handed in: what came before
 * somebody was connected, or was restored at the start, or was told while we couldn't take it, is told in no other way.
 *
 *     joined → gossip includes it → found on our own block → asked → judged as gossip is → told to the others
 *                                                            │ ▲
 *                                   on another block, if it had news for us; once we have missed some of its gossip
 *
 * On another block than its own the same transaction may be refused, so nobody is asked before. Both sides ask.
 */
import { type Hash, type PoolEntry, RuleError } from '@bc/core'
import type { Log } from '../../log.ts'
import { sharedEnd } from '../../shared-end.ts'
import { Allowance } from '../allowance.ts'
import type { Conversations } from '../conversations.ts'
import type { Reputation } from '../reputation.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId, type Transport } from '../transport.ts'
import type { Relay } from './relay.ts'

/** Transactions of one peer that are judged at the same time: as many as one write to the disk is worth. */
const JUDGED_AT_ONCE = 64
/** How often an owner's peers are asked, whatever they do: each time we may look at thousands of signatures for nothing. */
const ASKED = { burst: 4, perSecond: 1 / 60 } as const

/** When a peer is asked: as soon as it is on our block; on another one than this; or not again. */
type Turn = 'due' | Hash | 'over'

export interface PoolExchangeModules {
  readonly conversations: Pick<Conversations, 'pool'>
  readonly relay: Pick<Relay, 'takeTransaction' | 'tellOf'>
  readonly reputation: Reputation
  readonly transport: Pick<Transport, 'ownerOf'>
  readonly time: Time
  readonly log: Log
  readonly onFailure: (error: unknown) => void
}

export class PoolExchange {
  private readonly modules: PoolExchangeModules
  private readonly allowance: Allowance
  /** Of peers that gossip has had time to include. */
  private readonly peers = new Map<PeerId, Turn>()
  private readonly underWay = new Map<PeerId, Promise<void>>()
  private readonly closing = sharedEnd()

  constructor(modules: PoolExchangeModules) {
    this.modules = modules
    this.allowance = new Allowance({ ...ASKED, time: modules.time })
  }

  /** From now on this peer may be asked: whatever is handed in to it later, it tells us of. */
  expect(peer: PeerId): void {
    if (!this.peers.has(peer)) this.peers.set(peer, 'due')
  }

  /** It is gone. */
  forget(peer: PeerId): void {
    this.peers.delete(peer)
  }

  /** It has told of something that we didn't look at, or couldn't take then. */
  missed(peer: PeerId): void {
    if (this.peers.has(peer)) this.peers.set(peer, 'due')
  }

  /** This peer is on `tip`, as we are: asks it, if its turn has come, and nothing is left of a time before. */
  ask(peer: PeerId, tip: Hash): void {
    const turn = this.peers.get(peer) ?? 'over'
    if (this.closing.signal.aborted || turn === 'over' || turn === tip || this.underWay.has(peer)) return
    const owner = this.modules.transport.ownerOf(peer)
    if (this.allowance.left(owner) < 1) return
    this.allowance.spend(owner, 1)
    this.peers.set(peer, 'over')
    const asking = this.askCarefully(peer, turn, tip).finally(() => this.underWay.delete(peer))
    this.underWay.set(peer, asking)
    asking.catch(this.modules.onFailure)
  }

  async close(): Promise<void> {
    this.closing.abort(new PeerError('gone', 'the node is shutting down'))
    await Promise.allSettled(this.underWay.values())
  }

  /** That a peer doesn't know the question is no offence: older nodes don't. */
  private async askCarefully(peer: PeerId, turn: Turn, tip: Hash): Promise<void> {
    const { log, relay, reputation } = this.modules
    const taken: PoolEntry[] = []
    try {
      await this.takeFrom(peer, taken)
      // An answer holds no more than a block does: once that has confirmed it, there may be more that is new to us.
      if ((turn === 'due' || taken.length > 0) && this.peers.get(peer) === 'over') this.peers.set(peer, tip)
    } catch (error) {
      if (this.closing.signal.aborted) return
      if (!(error instanceof RuleError || error instanceof PeerError)) throw error
      log.debug({ peer, reason: error.message }, 'A peer has not told all that waits in its pool.')
      await reputation.offend(peer, error, 'conversation')
    }
    relay.tellOf(peer, taken)
  }

  /**
   * No more of a peer from whom one is held to be an offence.
   * @param taken gets those that are new to us, also where the conversation breaks off
   */
  private async takeFrom(peer: PeerId, taken: PoolEntry[]): Promise<void> {
    const { conversations, relay } = this.modules
    const judgements: ReturnType<Relay['takeTransaction']>[] = []
    const settle = async () => {
      const answers = await Promise.all(judgements.splice(0))
      taken.push(...answers.filter((answer) => typeof answer !== 'string'))
      return answers
    }
    try {
      for await (const message of conversations.pool(peer, this.closing.signal)) {
        judgements.push(relay.takeTransaction(peer, message))
        if (judgements.length >= JUDGED_AT_ONCE && (await settle()).includes('reject')) return
      }
    } finally {
      await settle()
    }
  }
}
