/**
 * Tells others of transactions, one after the other, and no faster than a peer can refuse them all and listen still: a
 * block may be missing there, or room.
 *
 *     handed in, or taken from a peer's pool → its place in the queue → its turn → what has that place in the pool is told
 *
 * What waits for its turn is a sender's nonce. So those of one sender are told in an order in which they can be taken,
 * also where one was replaced meanwhile, and there are no more of them than the pool has places.
 */
import type { Pool, PoolEntry, Transaction } from '@bc/core'
import { sharedEnd } from '../../shared-end.ts'
import { Allowance } from '../allowance.ts'
import type { Time } from '../time.ts'
import type { PeerId, Transport } from '../transport.ts'

/** Less than what a peer may send of no use (relay.ts). */
const TOLD = { burst: 1_500, perSecond: 80 } as const
/** So many places may be empty before they are looked for. */
const MOST_EMPTY = 1_000

export interface AnnouncementModules {
  readonly pool: Pick<Pool, 'at' | 'size'>
  readonly transport: Pick<Transport, 'self' | 'peers'>
  readonly time: Time
  readonly publish: (transaction: Transaction) => Promise<void>
  readonly onFailure: (error: unknown) => void
}

interface Place extends Pick<Transaction, 'sender' | 'nonce'> {
  /** Who has what is there already. */
  readonly from: PeerId | undefined
}

export class Announcements {
  private readonly modules: AnnouncementModules
  private readonly allowance: Allowance
  private readonly places = new Map<string, Place>()
  private telling = false
  private readonly closing = sharedEnd()

  constructor(modules: AnnouncementModules) {
    this.modules = modules
    this.allowance = new Allowance({ ...TOLD, time: modules.time })
  }

  /**
   * Of transactions that wait in the pool; whatever has left it by its turn isn't told of.
   * @param from who has them already
   */
  add(transactions: Iterable<Transaction>, from?: PeerId): void {
    const { pool, onFailure } = this.modules
    for (const { sender, nonce } of transactions) this.places.set(`${sender} ${nonce}`, { sender, nonce, from })
    if (this.places.size > 2 * pool.size + MOST_EMPTY)
      for (const [name, { sender, nonce }] of this.places) if (!pool.at(sender, nonce)) this.places.delete(name)
    this.tellAll().catch(onFailure)
  }

  close(): void {
    this.closing.abort()
  }

  private async tellAll(): Promise<void> {
    if (this.telling) return
    this.telling = true
    try {
      // Those that are added meanwhile have their turn as well.
      for (const [name, place] of this.places) {
        if (this.wanted(place)) await this.wait()
        if (this.closing.signal.aborted) return
        this.places.delete(name)
        const entry = this.wanted(place)
        if (entry) await this.modules.publish(entry.transaction)
      }
    } finally {
      this.telling = false
    }
  }

  /** Nobody needs what a block has confirmed by now; and where nobody is, whoever comes later asks us. */
  private wanted({ sender, nonce, from }: Place): PoolEntry | undefined {
    const { transport, pool } = this.modules
    return transport.peers().some((peer) => peer !== from) ? pool.at(sender, nonce) : undefined
  }

  private async wait(): Promise<void> {
    const { transport, time } = this.modules
    const ms = this.allowance.wait(transport.self, 1)
    this.allowance.spend(transport.self, 1)
    if (ms > 0) await time.sleep(ms, this.closing.signal)
  }
}
