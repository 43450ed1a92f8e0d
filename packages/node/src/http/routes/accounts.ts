/** Balances, nonces and histories. */
import { type Address, parseAddress, RuleError } from '@bc/core'
import { type HistoryBlock, historyOf } from '../../storage/history.ts'
import { place } from '../../storage/layout.ts'
import type { TransactionPlace } from '../../storage/records.ts'
import { type App, answers, refuses } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { notFound } from '../errors.ts'
import { limitOf, PAGE_BYTES } from '../paging.ts'
import { AccountParams, AccountSchema, HistoryQuery, HistorySchema, NoQuery } from '../schemas.ts'
import { located } from './transactions.ts'

export function accountRoutes(app: App, { chain, store, admission, curve }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/accounts/:address',
    schema: {
      summary: 'Balance and nonces of an address; all 0 for one that never had anything',
      params: AccountParams,
      querystring: NoQuery,
      response: { ...answers(200, AccountSchema), ...refuses(400) },
    },
    handler: async (request) => {
      const address = await addressOf(request.params.address)
      return chain.atRest(async () => {
        const account = await store.account(address)
        return { address, ...account, pendingNonce: admission.pool.pendingNonce(address, account) }
      })
    },
  })
  app.route({
    method: 'GET',
    url: '/accounts/:address/transactions',
    schema: {
      summary: "An address's confirmed transactions, newest first",
      params: AccountParams,
      querystring: HistoryQuery,
      response: { ...answers(200, HistorySchema), ...refuses(400, 404) },
    },
    handler: async (request) => {
      const address = await addressOf(request.params.address)
      const { before } = request.query
      return store.reading(async (snapshot) => {
        const blocks = await historyOf(store, address, before === undefined ? undefined : placeOf(before), snapshot)
        if (blocks === undefined)
          throw notFound(`No transaction of ${address} is at ${before} or near it: ask for the newest ones first.`)
        const head = await store.headEntry(snapshot)
        return pageOf(blocks, limitOf(request.query), head.index)
      })
    },
  })

  /** @throws RuleError `tx.address`, as for a transaction to it */
  async function addressOf(text: string): Promise<Address> {
    const address = parseAddress(text)
    if (address && (await curve.ask({ checks: [], addresses: [address] })).addresses[0]) return address
    throw new RuleError('tx.address', `"${text}" is no address: its form, its checksum or the curve doesn't agree.`)
  }

  /** So many transactions, and of no more blocks than a page may take. */
  async function pageOf(blocks: AsyncIterable<HistoryBlock>, limit: number, height: number) {
    const transactions = []
    let bytes = 0
    for await (const { index, read, positions, previous } of blocks) {
      const taken = positions.slice(0, limit - transactions.length)
      transactions.push(...taken.map((position) => located(read, { index, position }, height, chain.id)))
      bytes += read.bytes
      if (transactions.length < limit && bytes < PAGE_BYTES) continue
      const older = taken.length < positions.length || previous > 0
      return { transactions, next: older ? place(index, taken.at(-1) as number) : null }
    }
    return { transactions, next: null }
  }
}

function placeOf(cursor: string): TransactionPlace {
  const [index = 0, position = 0] = cursor.split('-').map(Number)
  return { index, position }
}
