/** A node among others: transport, conversations, reputation, sync and relay, wired together. */
import type { ParsedBlock, Transaction } from '@bc/core'
import type { Chain } from '../chain/chain.ts'
import type { Log } from '../log.ts'
import type { Admission } from '../pool/admission.ts'
import { sharedEnd } from '../shared-end.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { Conversations } from './conversations.ts'
import { PoolExchange } from './relay/pool-exchange.ts'
import { Relay } from './relay/relay.ts'
import { Reputation } from './reputation.ts'
import { Sync, type SyncProgress } from './sync/sync.ts'
import type { Time } from './time.ts'
import type { PeerId, Transport } from './transport.ts'

export interface PeerChange {
  readonly peer: PeerId
  readonly status: 'connected' | 'left'
  /** How many there are now. */
  readonly peers: number
}

export interface NetworkModules {
  readonly chain: Chain
  readonly store: ChainStore
  readonly admission: Admission
  readonly transport: Transport
  readonly time: Time
  readonly log: Log
  /** Something happened after which the node can't go on. */
  readonly onFailure: (error: unknown) => void
  /** A peer has come or gone. */
  readonly onPeer?: (change: PeerChange) => void
}

/**
 * How often every peer is asked whether it has more work, in a few bytes. Gossip forwards a message when it comes or not
 * at all: a block that came before its parent, or before its time, is found by those behind us in this way.
 */
const ASK_AGAIN_MS = 10_000
/** How long whoever wants us to catch up now is kept waiting for nothing: longer than a peer needs to stall twice. */
const RESOLVE_MS = 30_000
/** Two heartbeats of gossipsub, and some. */
const GOSSIP_SETTLES_MS = 3_000

export class Network {
  private readonly transport: Transport
  private readonly modules: NetworkModules
  private readonly sync: Sync
  private readonly relay: Relay
  private readonly pools: PoolExchange
  private readonly closing = sharedEnd()

  constructor(modules: NetworkModules) {
    this.modules = modules
    this.transport = modules.transport
    const { chain, store, admission, transport, time, log, onFailure } = modules
    const reputation = new Reputation({ transport, time, log })
    const conversations = new Conversations({ chain, store, pool: admission.pool, transport, time })
    this.sync = new Sync({
      chain,
      store,
      transport,
      conversations,
      reputation,
      time,
      log,
      onFailure,
      onCaughtUp: ({ hash, index }) => this.announceStored(index, hash),
      onLevel: (peer) => this.pools.ask(peer, chain.head.hash),
    })
    this.relay = new Relay({
      chain,
      store,
      admission,
      transport,
      reputation,
      sync: this.sync,
      time,
      onFailure,
      onMissed: (peer) => this.pools.missed(peer),
    })
    this.pools = new PoolExchange({ conversations, relay: this.relay, reputation, transport, time, log, onFailure })
    conversations.serve()
  }

  start(): void {
    this.relay.start()
    const tell = (peer: PeerId, status: PeerChange['status']) =>
      this.modules.onPeer?.({ peer, status, peers: this.transport.peers().length })
    const joined = (peer: PeerId) => {
      tell(peer, 'connected')
      this.meet(peer)
    }
    const left = (peer: PeerId) => {
      this.pools.forget(peer)
      tell(peer, 'left')
    }
    this.transport.listen({ joined, left })
    for (const peer of this.transport.peers()) joined(peer)
    void this.askAgain()
  }

  get progress(): SyncProgress | undefined {
    return this.sync.progress
  }

  peers(): readonly PeerId[] {
    return this.transport.peers()
  }

  /** A block of our own. */
  announceBlock(block: Pick<ParsedBlock, 'canonical'>): void {
    this.relay.announceBlock(block).catch(this.modules.onFailure)
  }

  /** A transaction that was handed in to us. */
  announceTransaction(transaction: Transaction): void {
    this.relay.announceTransaction(transaction)
  }

  /**
   * Catches up with everybody who is here now, once: a peer can always give us a reason to ask it again, or take its time.
   * A long chain takes as long as it takes. Where our head hasn't moved for {@link RESOLVE_MS}, whoever isn't followed to
   * the end is followed on without anybody waiting for it.
   * @param look brings in first who isn't here yet: whoever comes is followed at once
   * @returns whether our head has moved by all that
   */
  async resolve(look: () => Promise<void> = async () => undefined): Promise<boolean> {
    const { sync } = this
    const before = sync.headMoves
    await look()
    const over = sharedEnd()
    const rounds = this.transport.peers().map((peer) => sync.consider(peer))
    const done = Promise.all(rounds).then(() => over.abort())
    for (let moves = -1; moves !== sync.headMoves && !over.signal.aborted; ) {
      moves = sync.headMoves
      await Promise.race([done, this.modules.time.sleep(RESOLVE_MS, over.signal)])
    }
    over.abort()
    return sync.headMoves !== before
  }

  async close(): Promise<void> {
    this.closing.abort()
    this.relay.close()
    await this.pools.close()
    await this.sync.close()
    await this.transport.close()
    // What came last is being judged still, and needs the store, which is closed after us.
    await this.relay.idle()
  }

  /** What we have caught up with came by no gossip: those who are connected with us alone have yet to hear of it. */
  private announceStored(index: number, hash: ParsedBlock['hash']): void {
    this.modules.store
      .blockText(index, hash)
      .then((text) => this.relay.announceBlock({ canonical: text.toString() }))
      .catch(this.modules.onFailure)
  }

  /** Gossip takes a moment to include who has joined: the blocks of that moment are asked for, and what waits in its pool. */
  private meet(peer: PeerId): void {
    this.sync.consider(peer)
    this.modules.time.sleep(GOSSIP_SETTLES_MS, this.closing.signal).then(() => {
      if (this.closing.signal.aborted || !this.transport.peers().includes(peer)) return
      this.pools.expect(peer)
      this.sync.consider(peer)
    }, this.modules.onFailure)
  }

  private async askAgain(): Promise<void> {
    const { signal } = this.closing
    while (!signal.aborted) {
      await this.modules.time.sleep(ASK_AGAIN_MS, signal)
      for (const peer of this.transport.peers()) this.sync.consider(peer)
    }
  }
}
