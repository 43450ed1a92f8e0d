/** What the tutorial lacks: status, pages of blocks and headers, transactions, proofs and accounts. Reads alone. */
import {
  type Address,
  type BlockEntry,
  type Genesis,
  type Hash,
  type Header,
  headerOfEntry,
  type JsonObject,
  merkleBranch,
  merkleLeaf,
  nextTarget,
  parseAddress,
  parseHash,
  RuleError,
  transactionId,
  type UnsignedTransaction,
} from '@bc/core'
import { DamageError } from '../../errors.ts'
import type { MeasuredBlock } from '../../storage/chain-store.ts'
import type { Snapshot } from '../../storage/database.ts'
import { type HistoryBlock, historyOf } from '../../storage/history.ts'
import { place } from '../../storage/layout.ts'
import type { TransactionPlace } from '../../storage/records.ts'
import { type App, answers, refuses, sendJson } from '../app.ts'
import type { RouteContext } from '../context.ts'
import {
  AccountParams,
  AccountSchema,
  AnyBlock,
  BlockParams,
  BlocksSchema,
  FoundTransactionSchema,
  HeadersSchema,
  HealthSchema,
  HistoryQuery,
  HistorySchema,
  NoQuery,
  PageQuery,
  StatusSchema,
  type StoredBlock,
  TransactionParams,
  TransactionProofSchema,
} from '../schemas.ts'

const DEFAULT_LIMIT = 50
const MOST = 1000
/** A page ends early rather than grow past this; it always holds one block. */
const PAGE_BYTES = 4_000_000

export function exploreRoutes(app: App, context: RouteContext): void {
  status(app, context)
  blocks(app, context)
  transactions(app, context)
  accounts(app, context)
}

function status(app: App, { chain, admission, miner, identity, network, version }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/status',
    schema: {
      summary: 'The node and its chain at a glance',
      querystring: NoQuery,
      response: answers(200, StatusSchema),
    },
    handler: async () => {
      const { head, waiting } = await chain.atRest(async () => ({ head: chain.head, waiting: admission.pool.size }))
      const { id, rules } = chain
      return {
        chain: id,
        rules,
        height: head.index,
        tip: head.hash,
        timestamp: head.timestamp,
        work: String(head.totalWork),
        target: nextTarget(head, rules),
        pool: waiting,
        address: identity.address,
        peers: network.peers,
        p2p: network.addresses(),
        sync: network.progress ?? null,
        mining: miner.busy,
        version,
      }
    },
  })
  app.route({
    method: 'GET',
    url: '/health',
    schema: { summary: 'Whether the node works', querystring: NoQuery, response: answers(200, HealthSchema) },
    handler: async () => ({ status: 'ok' as const, height: chain.head.index }),
  })
}

function blocks(app: App, { chain, store }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/blocks',
    schema: {
      summary: 'A page of blocks',
      querystring: PageQuery,
      response: { ...answers(200, BlocksSchema), ...refuses(400) },
    },
    handler: async (request, reply) => {
      const { texts, next } = await pageOf(request.query)
      return sendJson(reply, `{"blocks": [${texts.join(', ')}], "next": ${next}}`)
    },
  })
  app.route({
    method: 'GET',
    url: '/headers',
    schema: {
      summary: 'A page of headers: blocks without their transactions',
      querystring: PageQuery,
      response: { ...answers(200, HeadersSchema), ...refuses(400) },
    },
    handler: (request) =>
      store.reading(async (snapshot) => {
        const { first, last, height } = await rangeOf(request.query, snapshot)
        const entries = await store.knownEntries(await store.mainHashes(first, last, snapshot), snapshot)
        const headers = entries.map((entry) => ({ ...headerOf(entry), hash: entry.hash }))
        return { headers, next: nextOf(first + headers.length, height) }
      }),
  })
  app.route({
    method: 'GET',
    url: '/blocks/:indexOrHash',
    schema: {
      summary:
        "A block by index, by hash or the latest: exactly its canonical JSON, so the answer's SHA-256 is its hash",
      params: BlockParams,
      querystring: NoQuery,
      response: { ...answers(200, AnyBlock), ...refuses(400, 404) },
    },
    handler: async (request, reply) => {
      const { indexOrHash } = request.params
      const text = await textOfNamed(indexOrHash)
      if (text === undefined) throw notFound(`There is no block ${indexOrHash}.`)
      return sendJson(reply, text)
    },
  })

  async function textOfNamed(name: string): Promise<Buffer | undefined> {
    const hash = name === 'latest' ? await store.head() : parseHash(name)
    if (hash === undefined) return store.mainBlockText(Number(name))
    // No snapshot: blocks and entries are never deleted, and one that has just come in is newer than any.
    const entry = await store.entry(hash)
    return entry && store.blockText(entry.index, hash)
  }

  function pageOf(query: Page) {
    return store.reading(async (snapshot) => {
      const { first, last, height } = await rangeOf(query, snapshot)
      const texts = await firstOf(store.mainBlockPages(first, last, snapshot))
      return { texts, next: nextOf(first + texts.length, height) }
    })
  }

  async function rangeOf({ from = '1', limit = String(DEFAULT_LIMIT) }: Page, snapshot: Snapshot) {
    const { index: height } = await store.headEntry(snapshot)
    const first = Number(from)
    return { first, last: Math.min(height, first + Math.min(MOST, Number(limit)) - 1), height }
  }

  function headerOf(entry: BlockEntry): Omit<Genesis, 'transactions'> | Header {
    if (entry.index > 1) return headerOfEntry(entry)
    const { transactions: _, ...header } = chain.genesis
    return header
  }
}

/** As many as a page may take. */
async function firstOf(blocks: AsyncIterable<readonly Buffer[]>): Promise<Buffer[]> {
  const texts: Buffer[] = []
  let bytes = 0
  for await (const some of blocks)
    for (const text of some) {
      texts.push(text)
      bytes += text.length
      if (bytes >= PAGE_BYTES) return texts
    }
  return texts
}

interface Page {
  readonly from?: string
  readonly limit?: string
}

/** @param next the index after a page's last block */
function nextOf(next: number, height: number): number | null {
  return next <= height ? next : null
}

function transactions(app: App, { chain, store, admission }: RouteContext): void {
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
      const leaves = transactions.map((one) => merkleLeaf(one as unknown as JsonObject))
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
function located({ hash, block }: MeasuredBlock, { index, position }: TransactionPlace, height: number, chain: Hash) {
  const transaction = (block as unknown as StoredBlock).transactions[position]
  if (transaction === undefined)
    throw new DamageError(`there is no transaction at place ${textOf({ index, position })}`)
  const id = transactionId(transaction as unknown as UnsignedTransaction, chain)
  const confirmations = height - index + 1
  return { id, transaction, block: { index, hash, timestamp: block.timestamp, position, confirmations } }
}

function textOf({ index, position }: TransactionPlace): string {
  return `${position} of block ${index}`
}

function accounts(app: App, { chain, store, admission }: RouteContext): void {
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
      const address = addressOf(request.params.address)
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
      const address = addressOf(request.params.address)
      const { before, limit = String(DEFAULT_LIMIT) } = request.query
      return store.reading(async (snapshot) => {
        const blocks = await historyOf(store, address, before === undefined ? undefined : placeOf(before), snapshot)
        if (blocks === undefined)
          throw notFound(`No transaction of ${address} is at ${before} or near it: ask for the newest ones first.`)
        const head = await store.headEntry(snapshot)
        return pageOf(blocks, Math.min(MOST, Number(limit)), head.index)
      })
    },
  })

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

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address) return address
  throw new RuleError('tx.address', `"${text}" is no address: its form or its checksum doesn't agree.`)
}

function notFound(sentence: string): RuleError {
  return new RuleError('request.not_found', sentence)
}
