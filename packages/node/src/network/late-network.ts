/**
 * The network as the rest of the node knows it: it starts when the node is answering already, since loading libp2p
 * takes longer than all the rest. Until then there is nobody to tell of anything.
 */
import { type ParsedBlock, RuleError, type Transaction } from '@bc/core'
import type { joinNetwork } from './join.ts'
import type { SyncProgress } from './sync.ts'
import type { PeerId } from './transport.ts'

type Joined = Awaited<ReturnType<typeof joinNetwork>>

export class LateNetwork {
  private joining: Promise<Joined> | undefined
  private joined: Joined | undefined

  /** Joins now. */
  start(join: () => Promise<Joined>, onFailure: (error: unknown) => void): void {
    this.joining = join()
    this.joining.then((joined) => {
      this.joined = joined
    }, onFailure)
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

  /** Catches up with everybody now. */
  async resolve(): Promise<void> {
    await (await this.joining)?.network.resolve()
  }

  async close(): Promise<void> {
    await (await this.joining?.catch(() => undefined))?.close()
  }
}
