/** Waiting for a transaction to be confirmed. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from '@bc/core'
import type { FoundTransactionAnswer } from '@bc/node'
import type { NodeClient } from './client.ts'
import { CliError, Refusal } from './failure.ts'

export type ConfirmedTransaction = Extract<FoundTransactionAnswer, { status: 'confirmed' }>

const POLL = 1_000
/** A reorganisation moves a transaction back into the pool: for a moment it is in neither place. */
const MOST_MISSES = 3

/**
 * @param confirmations blocks from its own to the newest, both counted
 * @param timeout milliseconds; without it as long as it takes
 * @throws CliError `cli.no_node` when they are up; Refusal when the node knows of no such transaction any more
 */
export async function confirmed(
  node: NodeClient,
  id: Hash,
  confirmations: number,
  timeout: number | undefined,
): Promise<ConfirmedTransaction> {
  const deadline = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
  for (let misses = 0; ; await delay(POLL)) {
    const found = await foundOrMissing(node, id)
    if (found instanceof Refusal && ++misses >= MOST_MISSES) throw found
    if (!(found instanceof Refusal)) {
      misses = 0
      if (found.status === 'confirmed' && found.block.confirmations >= confirmations) return found
    }
    if (performance.now() + POLL > deadline)
      throw new CliError('cli.no_node', `${id} was sent, and is not confirmed after ${Number(timeout) / 1000} s.`)
  }
}

async function foundOrMissing(node: NodeClient, id: Hash): Promise<FoundTransactionAnswer | Refusal> {
  try {
    return await node.transaction(id)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'request.not_found') return error
    throw error
  }
}
