import type { BlockEntry } from '@bc/core'
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
