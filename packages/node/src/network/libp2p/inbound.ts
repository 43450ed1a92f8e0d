/** Who may come in: places are few, and the half of them is the most for one network. */
import type { MultiaddrConnection } from '@libp2p/interface'
import { strangerAt } from '../hosts.ts'
import { hostOf } from '../peers/peer-address.ts'

/** Connections that others have made with us: so few of all that strangers can't keep us from those whom we choose. */
export const MOST_INBOUND = 48
/** Of one network of strangers. */
const MOST_OF_A_NETWORK = MOST_INBOUND / 2

/** A connection of which we don't know yet whose it is. */
export type Comer = Pick<MultiaddrConnection, 'remoteAddr' | 'addEventListener'>

/**
 * A connection counts for its network as soon as it is begun: of those who begin many and go on with all of them at once
 * none would be in yet, and those who say nothing would fill the queue. A place it has once it has said who it is: or
 * two networks of the silent would have them all.
 */
export class Inbound {
  /** From their beginning to their end: of which network of strangers, and whether they have a place. */
  private readonly comers = new Map<Comer, { readonly network: string | undefined; placed: boolean }>()

  /** @returns whether it may say who it is */
  begin(comer: Comer): boolean {
    const network = strangerAt(hostOf(comer.remoteAddr.toString()))
    if (this.isFull || (network !== undefined && this.countOf(network) >= MOST_OF_A_NETWORK)) return false
    this.comers.set(comer, { network, placed: false })
    comer.addEventListener('close', () => this.comers.delete(comer))
    return true
  }

  /** @returns whether it has a place from now on */
  enter(comer: Comer): boolean {
    const begun = this.comers.get(comer)
    if (begun === undefined || this.isFull) return false
    begun.placed = true
    return true
  }

  private get isFull(): boolean {
    return [...this.comers.values()].filter(({ placed }) => placed).length >= MOST_INBOUND
  }

  private countOf(network: string): number {
    return [...this.comers.values()].filter((other) => other.network === network).length
  }
}
