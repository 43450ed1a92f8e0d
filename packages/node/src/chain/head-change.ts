import type { BlockEntry } from '@bc/core'
import type { ConnectedBlock, StoredChanges } from '../storage/records.ts'

/** From which blocks to which others the head has moved. */
export interface HeadMove {
  readonly head: BlockEntry
  /** Newest first; none unless the chain was reorganised. */
  readonly abandoned: readonly Pick<ConnectedBlock, 'entry'>[]
  /** Oldest first. */
  readonly adopted: readonly ConnectedBlock[]
}

/** The head has moved, and the disk knows it. */
export interface HeadChange extends HeadMove {
  readonly abandoned: readonly ConnectedBlock[]
  /** Every account that is another one now. */
  readonly accounts: StoredChanges
}
