/** Waiting for a transaction that was sent to be confirmed. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from '@bc/core'
import type { FoundTransactionAnswer } from '@bc/node'
import type { NodeClient } from '../client/client.ts'
import { mayPass, Refusal } from '../failure.ts'
import { noteLost } from '../terminal/output.ts'

export type ConfirmedTransaction = Extract<FoundTransactionAnswer, { status: 'confirmed' }>

const POLL = 1_000
/** A reorganisation moves a transaction back into the pool: for a moment it is in neither place. */
const MOST_MISSES = 3

/**
 * A node that is away is waited for: to say that there is none would have a script pay once more.
 * @param confirmations blocks from its own to the newest, both counted
 * @param signal ends it, with an error
 * @throws Refusal when the node knows of no such transaction any more
 */
export async function confirmed(
  node: NodeClient,
  id: Hash,
  confirmations: number,
  signal: AbortSignal,
): Promise<ConfirmedTransaction> {
  for (let misses = 0, isAway = false; ; await delay(POLL, undefined, { signal })) {
    try {
      const found = await node.transaction(id)
      if (found.status === 'confirmed' && found.block.confirmations >= confirmations) return found
      misses = 0
      isAway = false
    } catch (error) {
      if (mayPass(error)) {
        if (!isAway) noteLost(error.message)
        isAway = true
      } else if (!isMissing(error) || ++misses >= MOST_MISSES) throw error
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'request.not_found'
}
