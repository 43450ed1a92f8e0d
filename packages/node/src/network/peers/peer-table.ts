/**
 * The addresses of peers that we could connect with. Anybody can invent them by the thousand, so what one source tells
 * takes no more than its share, what lies in one network neither, and an address where nobody was ever met never takes
 * the place of one where somebody was.
 */
import { groupOf } from '../hosts.ts'
import type { Time } from '../time.ts'
import type { PeerId } from '../transport.ts'
import { parsePeerAddress } from './peer-address.ts'

/** Who told us of an address. What the operator names is kept whatever else there is. */
export type Source = 'operator' | 'discovery' | `peer ${string}`

export interface KnownPeer {
  /** A multiaddress that ends with the peer's name. */
  readonly address: string
  readonly peer: PeerId
  readonly source: Source
  /** Unix seconds when we last were connected; 0 for never. */
  readonly metAt: number
}

/** How an address came to us. */
export interface Told {
  /** Unix seconds; for what was known before the last stop. */
  readonly metAt?: number
  /** It comes from the peer itself: we have it there, or it says on the local network that it is there. */
  readonly ownWord?: boolean
}

interface Row extends KnownPeer {
  readonly group: string
  metAt: number
  /** Unix seconds when the peer itself has told of it; 0 for never, as far as we remember. */
  toldAt: number
  /** The last dial, if there was one since our start, has found it. */
  reached: boolean
  failures: number
  /** Milliseconds of the machine's time. */
  nextAt: number
}

export const MOST_KNOWN = 1_000
/** Of one source, and in one network (`groupOf`). */
export const MOST_OF_A_SOURCE = 64
/** On one machine and on one local network all are in one group. */
const MOST_IN_A_GROUP = 128
/** Addresses of one peer. */
const MOST_OF_A_PEER = 2
const AGAIN_MS = 1_000
const AGAIN_MOST_MS = 5 * 60_000
/** The operator waits for his own. */
const AGAIN_OPERATOR_MS = 15_000
/** Where nobody was ever met, or not for a month, so many failures are enough. */
const MOST_FAILURES = 4
const GONE_SECONDS = 30 * 24 * 3600
/** Some ten minutes: so long it may be our own line that fails, and not those whom we have met. */
const OUTAGE_FAILURES = 8

export class PeerTable {
  private readonly rows = new Map<string, Row>()
  private readonly time: Time
  private readonly clock: () => number

  /** @param clock Unix seconds */
  constructor({ time, clock }: { readonly time: Time; readonly clock: () => number }) {
    this.time = time
    this.clock = clock
  }

  list(): IterableIterator<KnownPeer> {
    return this.rows.values()
  }

  /** @returns whether it is known now */
  add(address: string, source: Source, { metAt = 0, ownWord = false }: Told = {}): boolean {
    const { peer, host } = parsePeerAddress(address) ?? {}
    if (peer === undefined || host === undefined) return false
    const toldAt = ownWord ? this.clock() : 0
    const known = this.rows.get(address)
    if (known) known.toldAt = Math.max(known.toldAt, toldAt)
    if (known && (source !== 'operator' || known.source === 'operator')) return true
    const fresh = { address, peer, group: groupOf(host), source, metAt, toldAt, reached: false, failures: 0, nextAt: 0 }
    if (!known && source !== 'operator' && !this.makeRoom(fresh)) return false
    this.rows.set(address, known ? { ...known, source } : fresh)
    return true
  }

  /** We are connected with the peer, by this address. */
  met(address: string): void {
    const row = this.rows.get(address)
    if (row === undefined) return
    row.metAt = this.clock()
    row.reached = true
    row.failures = 0
    row.nextAt = 0
  }

  /** Nobody answered there, or somebody else. */
  failed(address: string): void {
    const row = this.rows.get(address)
    if (row === undefined) return
    row.failures++
    row.reached = false
    const most = row.source === 'operator' ? AGAIN_OPERATOR_MS : AGAIN_MOST_MS
    row.nextAt = this.time.now() + Math.min(most, AGAIN_MS * 2 ** row.failures)
    const gone = row.metAt <= Math.max(0, this.clock() - GONE_SECONDS)
    if (row.source !== 'operator' && gone && row.failures >= MOST_FAILURES) this.rows.delete(address)
  }

  /**
   * Whom to dial next: the operator's first, then those whom we have met and who may still be there, then any other; of
   * each first who has failed least, and of those whom we met last.
   * @param skip whom not to dial
   */
  next(skip: (peer: KnownPeer) => boolean): KnownPeer | undefined {
    const now = this.time.now()
    let best: Row | undefined
    for (const row of this.rows.values()) {
      if (row.nextAt > now || skip(row)) continue
      if (best === undefined || isBefore(row, best)) best = row
    }
    return best
  }

  private makeRoom({ peer, group, source, metAt, toldAt }: Row): boolean {
    const own = [...this.rows.values()].filter((row) => row.peer === peer)
    const full = own.length >= MOST_OF_A_PEER
    // A node has another port at each start, so what a peer says of itself takes the place of what it has left.
    const left = full && toldAt > 0 ? stalest(own) : undefined
    if (full && left === undefined) return false
    let [ofSource, ofGroup] = [0, 0]
    let worst: Row | undefined
    for (const row of this.rows.values()) {
      if (row === left) continue
      if (row.source === source) ofSource++
      if (row.group === group) ofGroup++
      const invented = row.metAt === 0 && row.source !== 'operator'
      if (invented && row.failures > (worst?.failures ?? -1)) worst = row
    }
    if (ofSource >= MOST_OF_A_SOURCE || ofGroup >= MOST_IN_A_GROUP) return false
    if (left === undefined && this.rows.size < MOST_KNOWN) return true
    // One that has failed before makes room; an untried one only for somebody whom we have met.
    const leaving = left ?? (worst && (worst.failures > 0 || metAt > 0) ? worst : undefined)
    if (leaving === undefined) return false
    this.rows.delete(leaving.address)
    return true
  }
}

/** The address of which we have heard nothing good for longest; never one of the operator's, nor one where it is. */
function stalest(rows: readonly Row[]): Row | undefined {
  const goodAt = ({ metAt, toldAt }: Row) => Math.max(metAt, toldAt)
  const stale = rows.filter(({ source, reached }) => source !== 'operator' && !reached)
  return stale.sort((a, b) => goodAt(a) - goodAt(b))[0]
}

/** A failure doesn't count beyond its tier: when our line is down, all whom we have met would be behind any invention. */
function isBefore(a: Row, b: Row): boolean {
  return (tierOf(b) - tierOf(a) || a.failures - b.failures || b.metAt - a.metAt) < 0
}

function tierOf({ source, metAt, failures }: Row): 0 | 1 | 2 {
  if (source === 'operator') return 2
  return metAt > 0 && failures < OUTAGE_FAILURES ? 1 : 0
}
