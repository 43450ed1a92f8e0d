/** What an address tells of who is behind it. */
import { isIP } from 'node:net'

/** Of addresses in the one spelling of {@link normalHost}. */
const LOOPBACK = /^127\.|^::1$/
/** As an address to dial, "any" is this machine too. */
const HERE = /^0\.|^::$/
const NEAR = /^10\.|^172\.(?:1[6-9]|2\d|3[01])\.|^192\.168\.|^169\.254\.|^f[cd][\da-f]{2}:|^fe[89ab][\da-f]:/

/** The network that a host is in: what one owner has is cheap to him there. */
export function groupOf(host: string): string {
  const plain = normalHost(host)
  const [first, second] = plain.split(':')
  if (second !== undefined) return `${first || 0}:${second || 0}`
  return /^\d+\.\d+\./.exec(plain)?.[0] ?? plain
}

/** Whom an address stands for: of IPv6 addresses anybody has more than he can count. */
export function networkOf(address: string): string {
  const plain = normalHost(address)
  return plain.includes(':') ? groupOf(plain) : plain
}

/** The same for strangers alone: this machine's own are its user's business, and undefined. */
export function strangerAt(address = 'unknown'): string | undefined {
  return isLoopback(address) ? undefined : networkOf(address)
}

/**
 * The least that one owner has: of IPv6 a whole /64. But in one that isn't public everybody near is, each with his own
 * address.
 */
export function subnetOf(host: string): string {
  const plain = normalHost(host)
  if (isIP(plain) !== 6 || reachOf(plain) < 2) return plain
  const [head = [], tail = []] = plain.split('::').map((half) => half.split(':').filter(Boolean))
  const zeros = Array(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}

/** How far away a host is: whoever is further away has no business to send us here. */
export function reachOf(host: string): 0 | 1 | 2 {
  if (isIn(LOOPBACK, host) || isIn(HERE, host)) return 0
  return isIn(NEAR, host) ? 1 : 2
}

/** This very machine, also as a socket of IPv6 has it. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && isIn(LOOPBACK, address)
}

/**
 * The one spelling of an IP address, without a zone; of an IPv4 address that is written as an IPv6 one
 * (`::ffff:7f00:1`) its own. What is no address stays as it is.
 */
export function normalHost(host: string): string {
  const address = host.replace(/%.*$/, '')
  if (isIP(address) !== 6) return host
  const normal = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(normal)?.slice(1)
  return (
    mapped?.flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 0xff]).join('.') ?? normal
  )
}

/** Only what is an address is anywhere: a name may begin like one. */
function isIn(place: RegExp, host: string): boolean {
  const address = normalHost(host)
  return isIP(address) !== 0 && place.test(address)
}
