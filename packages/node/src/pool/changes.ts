/** What becomes of transactions in the pool, for those who want to hear of it. */
import type { Admission, Hash, PoolEntry, RuleCode } from '@bc/core'
import type { HeadMove } from '../chain/head-change.ts'

/** Why a transaction left the pool without being confirmed. */
export const DROP_REASONS = {
  replaced: 'another one of its sender, with the same nonce, took its place, waiting or confirmed',
  evicted: 'it made room for a higher fee',
  expired: 'it found no block for too long',
  unpayable: "its sender's coins are spent",
  reverted: 'dev mode has gone back to where there was none of it',
} as const

export type DropReason = keyof typeof DROP_REASONS

export type PoolChange =
  | { readonly kind: 'pending'; readonly entry: Waiting }
  | { readonly kind: 'dropped'; readonly entry: Waiting; readonly reason: DropReason }

export type Waiting = Pick<PoolEntry, 'id' | 'transaction'>

/** In dev mode the chain has gone back to an earlier head: blocks are adopted where that is on another branch. */
export interface Reverted extends HeadMove {
  readonly pool: readonly PoolChange[]
}

/** What taking a transaction in has changed: first those that it drove out. */
export function changesOf({ added, removed }: Admission): PoolChange[] {
  return [
    ...removed.map((entry) => ({ kind: 'dropped' as const, entry, reason: reasonOfLeaving(entry, added) })),
    { kind: 'pending', entry: added },
  ]
}

/** Why an entry has left for another one. */
export function reasonOfLeaving({ transaction: old }: Waiting, { transaction: young }: Waiting): DropReason {
  return old.sender === young.sender && old.nonce === young.nonce ? 'replaced' : 'evicted'
}

/** Why a transaction that was in a block, or in the pool, is taken no more. */
export function reasonOfRefusal(code: RuleCode): DropReason {
  if (code === 'tx.nonce' || code === 'pool.replacement') return 'replaced'
  return code === 'tx.balance' ? 'unpayable' : 'evicted'
}

/**
 * What it means that dev mode has put back an earlier pool.
 * @param unconfirmed what waited or was confirmed until then, and isn't confirmed now
 * @param before what waited until then
 * @param after what waits now
 */
export function changesByRevert(
  unconfirmed: readonly Waiting[],
  before: readonly Waiting[],
  after: readonly Waiting[],
): PoolChange[] {
  const without = (entries: readonly Waiting[], others: readonly Waiting[]) => {
    const known = new Set(others.map(({ id }) => id))
    return entries.filter(({ id }) => !known.has(id))
  }
  return [
    ...without(unconfirmed, after).map((entry) => ({ kind: 'dropped' as const, entry, reason: 'reverted' as const })),
    ...without(after, before).map((entry) => ({ kind: 'pending' as const, entry })),
  ]
}

/** What leaves while the pool follows the head. Much of that comes back before anybody looks. */
export class Departures {
  private readonly noted = new Map<Hash, { readonly entry: Waiting; readonly reason: DropReason }>()

  /** The last reason counts. */
  note(entry: Waiting, reason: DropReason): void {
    this.noted.set(entry.id, { entry, reason })
  }

  changes(isGone: (entry: Waiting) => boolean): PoolChange[] {
    const gone = [...this.noted.values()].filter(({ entry }) => isGone(entry))
    return gone.map(({ entry, reason }) => ({ kind: 'dropped', entry, reason }))
  }
}
