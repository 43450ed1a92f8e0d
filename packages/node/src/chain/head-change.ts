import type { BlockEntry, Reorganisation } from '@bc/core'
import type { PoolChange } from '../pool/changes.ts'
import type { ConnectedBlock, StoredChanges } from '../storage/records.ts'

/** The head has moved, and the disk knows it. */
export interface HeadChange {
  readonly head: BlockEntry
  /** Newest first; none unless the chain was reorganised. */
  readonly abandoned: readonly ConnectedBlock[]
  /** Oldest first. */
  readonly adopted: readonly ConnectedBlock[]
  /** Every account that is another one now. */
  readonly accounts: StoredChanges
}

/** In dev mode the chain has gone back to an earlier head: what was left for it, and what was taken up again, if anything. */
export interface Reverted extends Pick<Reorganisation, 'abandon' | 'adopt'> {
  readonly head: BlockEntry
  readonly pool: readonly PoolChange[]
}
