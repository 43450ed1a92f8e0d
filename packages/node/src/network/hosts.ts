/** What an address tells of who is behind it. */

/** The network that a host is in: what one owner has is cheap to him there. */
export function groupOf(host: string): string {
  if (host.includes(':')) return host.toLowerCase().split(':').slice(0, 2).join(':')
  return /^\d+\.\d+\./.exec(host)?.[0] ?? host
}

/** Whom an address stands for: of IPv6 addresses anybody has more than he can count. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  return plain.includes(':') ? groupOf(plain) : plain
}

/** How far away a host is: whoever is further away has no business to send us here. */
export function reachOf(host: string): 0 | 1 | 2 {
  if (/^127\.|^::1$|^0\.|^::$/.test(host)) return 0
  return /^10\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^169\.254\.|^f[cd]|^fe80:/i.test(host) ? 1 : 2
}

/** This very machine, also as a socket of IPv6 has it. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address)
}
