/** Whether another node goes by our name: a data directory was copied, and `peer-key` with it. */
import type { PeerInfo } from '@libp2p/interface'
import type { Log } from '../../log.ts'
import { parsePeerAddress, withPeer } from '../peers/peer-address.ts'
import { PeerError, type PeerId } from '../transport.ts'

export class Copies {
  private readonly log: Log
  /** Connections that others, or we ourselves, have begun with us. */
  knocks = 0
  private told = false

  constructor(log: Log) {
    this.log = log
  }

  /**
   * Of a dialled address that has answered with our name.
   * @param knocks from before the dial: where nobody has come to us since, it isn't we who have answered
   */
  explain(address: string, knocks: number): PeerError {
    if (this.knocks !== knocks) return new PeerError('self', `${address} is this node itself, by its name`)
    this.warn(address)
    return new PeerError('gone', `at ${address} another node has this one's peer-key: delete \`peer-key\` in the copy`)
  }

  /**
   * Our own name on the local network, in an answer that isn't ours, at an address that isn't ours either. Anybody there
   * may send one: of numbers alone, since it is told.
   */
  notice({ id, multiaddrs }: PeerInfo, self: PeerId, here: readonly string[]): void {
    if (id.toString() !== self) return
    const theirs = multiaddrs.map((address) => withPeer(address.toString(), self)).filter((one) => !here.includes(one))
    const elsewhere = theirs.find((address) => parsePeerAddress(address)?.named === false)
    if (elsewhere) this.warn(elsewhere)
  }

  private warn(address: string): void {
    if (!this.told) this.log.warn({ address }, "Another node has this one's peer-key: delete `peer-key` in the copy.")
    this.told = true
  }
}

/** Of a name with several addresses libp2p tells of all that went wrong. */
export function isOwnName(error: unknown): boolean {
  const all = error instanceof AggregateError ? error.errors : [error]
  return all.some(({ message }: Error) => message === 'Can not dial self')
}
