/** What an address tells of who is behind it. */
import { BlockList, isIP } from 'node:net'

const LOOPBACK = listOf(['127.0.0.0', 8], ['::1', 128])
/** As an address to dial, "any" is this machine too. */
const HERE = listOf(['0.0.0.0', 8], ['::', 128])
const NEAR = listOf(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['fc00::', 7],
  ['fe80::', 10],
)

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
function normalHost(host: string): string {
  const address = host.replace(/%.*$/, '')
  if (isIP(address) !== 6) return host
  const normal = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(normal)?.slice(1)
  return (
    mapped?.flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 0xff]).join('.') ?? normal
  )
}

function isIn(list: BlockList, host: string): boolean {
  const address = normalHost(host)
  const version = isIP(address)
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

function listOf(...subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  return list
}
