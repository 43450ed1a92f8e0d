/**
 * Where a peer is, as a multiaddress of TCP; with the peer's name at its end, or without, where whoever answers is meant:
 *
 *     /ip4/10.0.0.7/tcp/4001/p2p/12D3KooW…
 */
import type { PeerId } from '../transport.ts'

const ADDRESS =
  /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]{1,253})\/tcp\/([1-9][0-9]{0,4})(?:\/p2p\/([1-9A-HJ-NP-Za-km-z]{40,60}))?$/

export interface PeerAddress {
  /** undefined where whoever answers there is meant. */
  readonly peer: PeerId | undefined
  readonly host: string
  /** Whether the host is a name, which a resolver makes an address of. */
  readonly named: boolean
}

/** @returns undefined for what is no address of a peer as we know them */
export function parsePeerAddress(address: string): PeerAddress | undefined {
  const [, kind, host, port, peer] = ADDRESS.exec(address) ?? []
  if (kind === undefined || host === undefined || Number(port) > 65_535) return undefined
  if (kind === 'ip4' && !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)) return undefined
  if (kind === 'ip6' && !/^[0-9a-f:.]+$/i.test(host)) return undefined
  return { peer, host, named: kind.startsWith('dns') }
}

/** The host of any multiaddress; '' where there is none. */
export function hostOf(address: string | undefined): string {
  return address?.split('/')[2] ?? ''
}

export function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/.*$/, '')
}

/** Whatever name the address has brought with it. */
export function withPeer(address: string, peer: PeerId): string {
  return `${withoutPeer(address)}/p2p/${peer}`
}
