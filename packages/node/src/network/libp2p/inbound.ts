/** Who may come in: places are few, and the half of them is the most for one network. */
import { isLoopback, networkOf } from '../hosts.ts'

/** Connections that others have made with us: so few of all that strangers can't keep us from those whom we choose. */
export const MOST_INBOUND = 48
/** This machine's own are its user's business. */
const MOST_OF_A_NETWORK = MOST_INBOUND / 2

/**
 * @param inbound the hosts of those who are in
 * @param host of one who knocks
 */
export function hasPlaceFor(host: string, inbound: readonly string[]): boolean {
  if (inbound.length >= MOST_INBOUND) return false
  const network = networkOf(host)
  return isLoopback(host) || inbound.filter((other) => networkOf(other) === network).length < MOST_OF_A_NETWORK
}
