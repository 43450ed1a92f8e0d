/**
 * Keeps us connected: dials those whom the operator has named, those whom we had at the last stop, and others of the
 * peer table, until there are enough of our own choosing; and again when they are gone.
 */
import type { Log } from '../../log.ts'
import { sharedEnd } from '../../shared-end.ts'
import { groupOf, reachOf } from '../hosts.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId } from '../transport.ts'
import { hostOf, parsePeerAddress, withPeer } from './peer-address.ts'
import type { KnownPeer, PeerTable } from './peer-table.ts'

/** Connections that we have chosen ourselves: strangers can't fill these. */
const ENOUGH = 8
/** Of these in one network, unless it is our own. */
const MOST_IN_A_GROUP = 2
/** Dials at the same time. */
const AT_ONCE = 4
const LOOK_MS = 1_000
const MEET_MOST_MS = 15_000

/** What it needs of libp2p. */
export interface Dialer {
  readonly self: PeerId
  peers(): readonly PeerId[]
  directionOf(peer: PeerId): 'inbound' | 'outbound' | undefined
  addressOf(peer: PeerId): string | undefined
  refuses(peer: PeerId): boolean
  dial(address: string): Promise<PeerId>
}

export interface ConnectorModules {
  readonly table: PeerTable
  readonly dialer: Dialer
  /** We have dialled a peer and reached it. */
  readonly onConnected: (peer: PeerId, host: string) => Promise<void>
  readonly time: Time
  readonly log: Log
}

export class Connector {
  private readonly modules: ConnectorModules
  /** Those who are being dialled, and where. */
  private readonly dialling = new Map<PeerId, string>()
  private readonly closing = sharedEnd()

  constructor(modules: ConnectorModules) {
    this.modules = modules
  }

  /** @param named multiaddresses that the operator wants us to be connected with */
  start(named: readonly string[]): void {
    const { table, dialer } = this.modules
    for (const address of named) {
      const isOwn = parsePeerAddress(address)?.peer === dialer.self
      if (isOwn || !table.add(address, 'operator')) void this.meet(address)
    }
    void this.run()
  }

  close(): void {
    this.closing.abort()
  }

  /**
   * For an operator who waits for it. The peer is one that we have met from then on.
   * @throws PeerError
   */
  async dialNow(address: string): Promise<PeerId> {
    const { table, dialer } = this.modules
    const peer = await dialer.dial(address)
    const full = withPeer(address, peer)
    if (table.add(full, 'discovery', { ownWord: true })) table.met(full)
    return peer
  }

  /**
   * An address without a name, as a person would write it: whoever answers there is meant, also where it is another by now.
   * Or one with our own name, of which there is only to be told who that is.
   */
  private async meet(address: string): Promise<void> {
    const { dialer, time, log, onConnected } = this.modules
    const { signal } = this.closing
    let peer: PeerId | undefined
    let isOwn = false
    for (let wait = LOOK_MS; !signal.aborted; await time.sleep(wait, signal)) {
      if (peer !== undefined && (dialer.peers().includes(peer) || this.dialling.has(peer))) continue
      try {
        peer = await this.dialNow(address)
        wait = LOOK_MS
        await onConnected(peer, hostOf(address))
      } catch (error) {
        if (signal.aborted) return
        log.info({ address, reason: (error as Error).message }, 'A peer is out of reach.')
        // Once may be chance: others came to us while we dialled a copy of us.
        const wasOwn = isOwn
        isOwn = error instanceof PeerError && error.fault === 'self'
        if (isOwn && wasOwn) return
        wait = Math.min(2 * wait, MEET_MOST_MS)
      }
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.closing
    while (!signal.aborted) {
      while (this.dialling.size < AT_ONCE) {
        const candidate = this.candidate()
        if (candidate === undefined) break
        void this.dial(candidate)
      }
      await this.modules.time.sleep(LOOK_MS, signal)
    }
  }

  private candidate(): KnownPeer | undefined {
    const { table, dialer } = this.modules
    const connected = new Set(dialer.peers())
    const outbound = dialer.peers().filter((peer) => dialer.directionOf(peer) === 'outbound')
    // Also those who are being dialled: all of them could be of one network.
    const chosen = new Map([...this.dialling, ...outbound.map((peer) => [peer, dialer.addressOf(peer)] as const)])
    const enough = chosen.size >= ENOUGH
    const groups = [...chosen.values()].map((address) => groupOf(hostOf(address)))
    return table.next(({ peer, address, source }) => {
      if (peer === dialer.self || connected.has(peer) || this.dialling.has(peer) || dialer.refuses(peer)) return true
      if (source === 'operator') return false
      const host = hostOf(address)
      const crowded = groups.filter((group) => group === groupOf(host)).length >= MOST_IN_A_GROUP
      return enough || (crowded && reachOf(host) === 2)
    })
  }

  private async dial({ peer, address, source }: KnownPeer): Promise<void> {
    const { table, dialer, onConnected, log } = this.modules
    this.dialling.set(peer, address)
    try {
      await dialer.dial(address)
      table.met(address)
      await onConnected(peer, hostOf(address))
    } catch (error) {
      if (this.closing.signal.aborted) return
      table.failed(address)
      const level = source === 'operator' ? 'info' : 'debug'
      log[level]({ address, reason: (error as Error).message }, 'A peer is out of reach.')
    } finally {
      this.dialling.delete(peer)
    }
  }
}
