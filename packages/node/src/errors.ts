/** What a disk or the place of a node's data does to us. A broken rule is a RuleError, a bug of ours a TypeError. */
import { MAX_CLOCK_LEAD, RuleError } from '@bc/core'

/** Stored data is not what was written: a flipped bit, a lost record, a cut file. Never served, repaired or refused. */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

/** The node can't start: a sentence for the person at the terminal. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** The disk doesn't take what is written: full, gone, or not ours any more. The node stops, since nothing it says would last. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}

/** What everybody is told who still waits for something when the node stops. */
export function stoppingError(): RuleError {
  return new RuleError('node.stopping', 'The node is shutting down.')
}

/** Of a block from what is the future to us. Nobody else's time is asked for: that ours is wrong is for the operator to see. */
export function clockError(lead: number): RuleError {
  return new RuleError(
    'block.timestamp',
    `The newest block is ${lead} seconds ahead of this node's clock, and ${MAX_CLOCK_LEAD} are allowed: is the clock right?`,
    { lead },
  )
}
