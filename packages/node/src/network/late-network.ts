/**
 * The network as the rest of the node knows it: it starts when the node is answering already, since loading libp2p
 * takes longer than all the rest. Until then there is nobody to tell of anything.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type ParsedBlock, RuleError, type Transaction } from '@bc/core'
import type { JoinedNetwork } from './join.ts'
import type { SyncProgress } from './sync/sync.ts'
import type { PeerId } from './transport.ts'

/** To load libp2p keeps the thread busy for that long, too: whoever has waited for the node to listen is answered before. */
const HEAD_START_MS = 100

export class LateNetwork {
  private joining: Promise<JoinedNetwork> | undefined
  private joined: JoinedNetwork | undefined
  private readonly closing = new AbortController()

  /** Joins in a moment. */
  start(join: () => Promise<JoinedNetwork>, onFailure: (error: unknown) => void): void {
    const { signal } = this.closing
    this.joining = delay(HEAD_START_MS, undefined, { signal }).then(join)
    this.joining.then(
      (joined) => {
        this.joined = joined
      },
      // Called off, or no longer needed.
      (error) => signal.aborted || onFailure(error),
    )
  }

  /** Where others can reach us: multiaddresses. */
  addresses(): string[] {
    return this.joined?.transport.addresses() ?? []
  }

  /** How many we are connected with. */
  get peers(): number {
    return this.joined?.network.peers().length ?? 0
  }

  isConnected(peer: PeerId): boolean {
    return this.joined?.network.peers().includes(peer) ?? false
  }

  /** Whether it is one of these multiaddresses where a peer has said that it listens. */
  listensAt(peer: PeerId, places: readonly string[]): boolean {
    return this.joined?.transport.listensAt(peer, places) ?? true
  }

  get progress(): SyncProgress | undefined {
    return this.joined?.network.progress
  }

  announceBlock(block: Pick<ParsedBlock, 'canonical'>): void {
    this.joined?.network.announceBlock(block)
  }

  announceTransaction(transaction: Transaction): void {
    this.joined?.network.announceTransaction(transaction)
  }

  /** @throws RuleError `request.invalid` for a node that talks to nobody */
  async dial(address: string): Promise<string> {
    if (this.joining === undefined) throw new RuleError('request.invalid', 'This node was started without a network.')
    return (await this.joining).dial(address)
  }

  /**
   * Catches up with everybody now.
   * @param look brings in first who isn't here yet
   * @returns whether our head has moved by all that
   */
  async resolve(look: () => Promise<void>): Promise<boolean> {
    const joined = await this.joining
    if (joined) return joined.network.resolve(look)
    await look()
    return false
  }

  async close(): Promise<void> {
    this.closing.abort()
    await (await this.joining?.catch(() => undefined))?.close()
  }
}
