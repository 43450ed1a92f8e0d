/** A transaction, waiting or confirmed, and its proof. */
import { type Hash, merkleBranch, merkleLeaf, transactionId, type UnsignedTransaction } from '@bc/core'
import { DamageError } from '../../errors.ts'
import type { MeasuredBlock } from '../../storage/chain-store.ts'
import type { TransactionPlace } from '../../storage/records.ts'
import { type App, answers, refuses } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { notFound } from '../errors.ts'
import {
  type BlockAnswer,
  FoundTransactionSchema,
  NoQuery,
  TransactionParams,
  TransactionProofSchema,
} from '../schemas.ts'

export function transactionRoutes(app: App, { chain, store, admission }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/transactions/:id',
    schema: {
      summary: 'A transaction, waiting or confirmed',
      params: TransactionParams,
      querystring: NoQuery,
      response: { ...answers(200, FoundTransactionSchema), ...refuses(400, 404) },
    },
    handler: async (request) => {
      const id = request.params.id as Hash
      return chain.atRest(async () => {
        const waiting = admission.pool.get(id)
        if (waiting) return { id, status: 'pending' as const, transaction: waiting.transaction }
        const { transaction, block } = await confirmed(id)
        return { id, status: 'confirmed' as const, transaction, block }
      })
    },
  })
  app.route({
    method: 'GET',
    url: '/transactions/:id/proof',
    schema: {
      summary: "The Merkle branch from a confirmed transaction to its block's header",
      params: TransactionParams,
      querystring: NoQuery,
      response: { ...answers(200, TransactionProofSchema), ...refuses(400, 404) },
    },
    handler: async (request) => {
      const id = request.params.id as Hash
      const { transaction, block, read } = await chain.atRest(() => {
        if (admission.pool.get(id)) throw notFound(`Transaction ${id} waits: there is a proof once a block holds it.`)
        return confirmed(id)
      })
      const { transactions, ...header } = read.block
      const leaves = transactions.map((one) => merkleLeaf(one))
      return {
        id,
        transaction,
        leaf: leaves[block.position] as Hash,
        position: block.position,
        branch: merkleBranch(leaves, block.position),
        header: { ...header, hash: read.hash },
      }
    },
  })

  function confirmed(id: Hash) {
    return store.reading(async (snapshot) => {
      const at = await store.transactionPlace(id, snapshot)
      if (at === undefined) throw notFound(`There is no transaction ${id}, neither waiting nor confirmed.`)
      const read = await store.mainBlock(at.index, snapshot)
      const head = await store.headEntry(snapshot)
      const found = located(read, at, head.index, chain.id)
      if (found.id !== id) throw new DamageError(`transaction ${id} is not at place ${textOf(at)}`)
      return { ...found, read }
    })
  }
}

/**
 * A confirmed transaction with its place.
 * @throws DamageError where there is none at this place
 */
export function located(
  { hash, block }: MeasuredBlock,
  { index, position }: TransactionPlace,
  height: number,
  chain: Hash,
) {
  const transaction = (block as unknown as BlockAnswer).transactions[position]
  if (transaction === undefined)
    throw new DamageError(`there is no transaction at place ${textOf({ index, position })}`)
  const id = transactionId(transaction as unknown as UnsignedTransaction, chain)
  const confirmations = height - index + 1
  return { id, transaction, block: { index, hash, timestamp: block.timestamp, position, confirmations } }
}

function textOf({ index, position }: TransactionPlace): string {
  return `${position} of block ${index}`
}
