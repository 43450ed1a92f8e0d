/** The one typed client: every question of `bc` to a node, and the shape of its answer. */
import { isJsonObject, type JsonObject } from '@bc/core'
import type {
  AcceptedAnswer,
  AccountAnswer,
  AnyBlockAnswer,
  BlocksAnswer,
  ChainAnswer,
  FoundTransactionAnswer,
  HeadersAnswer,
  HistoryAnswer,
  MinedAnswer,
  NodesAnswer,
  RegisteredAnswer,
  ResolvedAnswer,
  SecretAnswer,
  StatusAnswer,
  TransactionProofAnswer,
  WaitingAnswer,
} from '@bc/node'
import { isCursor, isHash, isList, isObject, isText, isTexts, isWhole, optional, orNull, type Shape } from './answer.ts'
import { ask, type Endpoint, type Question, SEND, strange } from './http.ts'
import { MOST_HELD_BYTES, wrongOfHistory } from './pages.ts'

export interface NodeClient {
  mine(): Promise<MinedAnswer>
  chain(): Promise<ChainAnswer>
  waiting(): Promise<WaitingAnswer>
  status(): Promise<StatusAnswer>
  secret(): Promise<SecretAnswer>
  nodes(): Promise<NodesAnswer>
  /** @param nodes `host:port`, URLs or multiaddresses */
  register(nodes: readonly string[]): Promise<RegisteredAnswer>
  /** The chain after all neighbours were asked; where it was replaced, it is the new one. */
  resolve(): Promise<ResolvedAnswer>
  /** A block by its hash or its index, or the `latest`. Its canonical JSON is exactly what the node has sent. */
  block(name: string | number): Promise<AnyBlockAnswer>
  /** Blocks of the main chain from this index on, as many as the node sends at once. */
  blocks(from: number, limit: number): Promise<BlocksAnswer>
  /** Headers of the main chain, one after the other from this index on. */
  headers(from: number, limit: number): Promise<HeadersAnswer>
  transaction(id: string): Promise<FoundTransactionAnswer>
  /** Of a confirmed transaction: its branch and its block's header. */
  proof(id: string): Promise<TransactionProofAnswer>
  /** An account's confirmed transactions, newest first. @param before the `next` of the page before */
  history(address: string, limit: number, before?: string): Promise<HistoryAnswer>
  account(address: string): Promise<AccountAnswer>
  /** @param transaction sent as it is: what it must be is the node's to say */
  send(transaction: JsonObject): Promise<AcceptedAnswer>
}

export function connect(endpoint: Endpoint): NodeClient {
  const get = <T>(path: string, shape: Shape<T>, more: Partial<Question<T>> = {}) =>
    ask(endpoint, { method: 'GET', path, shape, ...more })
  /** @param wrong the field that is wrong although its shape is right */
  const proper = async <T>(
    path: string,
    shape: Shape<T>,
    wrong: (answer: T) => string | undefined,
    more: Partial<Question<T>> = {},
  ): Promise<T> => {
    const answer = await get<T>(path, shape, more)
    const field = wrong(answer)
    if (field === undefined) return answer
    throw strange(endpoint.node.origin, `${path} without a proper "${field}"`)
  }
  return {
    mine: () => get<MinedAnswer>('/mine', MINED, { operator: true, patient: true }),
    // This and a full pool are as long as they are. What is larger is for `GET /blocks?from&limit`.
    chain: () => get<ChainAnswer>('/chain', CHAIN, { maxBytes: MOST_HELD_BYTES }),
    waiting: () => get<WaitingAnswer>('/transactions', WAITING, { maxBytes: MOST_HELD_BYTES }),
    status: () => get<StatusAnswer>('/status', STATUS),
    secret: () => get<SecretAnswer>('/secret', { message: isText }, { operator: true }),
    nodes: () => get<NodesAnswer>('/nodes', NODES),
    register: (nodes) =>
      ask<RegisteredAnswer>(endpoint, {
        method: 'POST',
        path: '/nodes/register',
        shape: REGISTERED,
        body: { nodes },
        operator: true,
      }),
    resolve: () =>
      proper<ResolvedAnswer>(
        '/nodes/resolve',
        RESOLVED,
        (answer) => ('chain' in answer || 'new_chain' in answer ? undefined : 'chain'),
        { operator: true, patient: true, maxBytes: MOST_HELD_BYTES },
      ),
    block: (name) => get<AnyBlockAnswer>(`/blocks/${name}`, BLOCK, { canonical: true }),
    blocks: (from, limit) =>
      proper(`/blocks?from=${from}&limit=${limit}`, BLOCKS, ({ blocks }) => tooMany('blocks', blocks, limit)),
    headers: (from, limit) =>
      proper(`/headers?from=${from}&limit=${limit}`, HEADERS, (page) => wrongOfHeaders(page, from, limit)),
    transaction: (id) =>
      proper<FoundTransactionAnswer>(`/transactions/${id}`, FOUND, (found) =>
        found.status === 'pending' || found.block !== undefined ? undefined : 'block',
      ),
    proof: (id) => get<TransactionProofAnswer>(`/transactions/${id}/proof`, PROOF),
    history: (address, limit, before) =>
      proper(
        `/accounts/${address}/transactions?limit=${limit}${before === undefined ? '' : `&before=${before}`}`,
        HISTORY,
        (page) => wrongOfHistory(page, limit, before),
      ),
    account: (address) => get<AccountAnswer>(`/accounts/${address}`, ACCOUNT),
    send: (body) => ask<AcceptedAnswer>(endpoint, { method: 'POST', path: SEND, shape: ACCEPTED, body }),
  }
}

function tooMany(field: string, list: readonly unknown[], limit: number): string | undefined {
  return list.length > limit ? field : undefined
}

function wrongOfHeaders({ headers, next }: HeadersAnswer, from: number, limit: number): 'headers' | 'next' | undefined {
  if (headers.length > limit || headers.some(({ index }, i) => index !== from + i)) return 'headers'
  return next === null || (headers.length > 0 && next === from + headers.length) ? undefined : 'next'
}

// What is read of an answer further on. The rest is passed on as it came.
/** A reward has no fee. */
const LISTED = { amount: isWhole, fee: optional(isWhole), nonce: isWhole, sender: isText, recipient: isText }
/** Genesis has rules. */
const BLOCK: Shape<MinedAnswer & { rules: unknown }> = {
  index: isWhole,
  timestamp: isWhole,
  previous_hash: isText,
  transactions: isList(LISTED),
  rules: optional(isObject({ allocations: isJsonObject })),
}
const BLOCKS: Shape<BlocksAnswer> = { blocks: isList(BLOCK), next: orNull(isWhole) }
const HEADERS: Shape<HeadersAnswer> = {
  headers: isList({ index: isWhole, hash: isHash, proof: isText }),
  next: orNull(isWhole),
}
const MINED: Shape<MinedAnswer> = { ...BLOCK, message: isText, hash: isHash }
const CHAIN: Shape<ChainAnswer> = { chain: isList(BLOCK), length: isWhole }
const WAITING: Shape<WaitingAnswer> = {
  transactions: isList({ ...LISTED, fee: isWhole }),
  length: isWhole,
}
const STATUS: Shape<StatusAnswer> = {
  chain: isHash,
  height: isWhole,
  tip: isHash,
  timestamp: isWhole,
  work: isText,
  target: isHash,
  pool: isWhole,
  address: isText,
  version: isText,
}
const ACCOUNT: Shape<AccountAnswer> = { address: isText, balance: isWhole, nonce: isWhole, pendingNonce: isWhole }
const PLACE = { index: isWhole, hash: isHash, timestamp: isWhole, position: isWhole, confirmations: isWhole }
const FOUND: Shape<Extract<FoundTransactionAnswer, { status: 'confirmed' }>> = {
  id: isHash,
  status: (value) => value === 'pending' || value === 'confirmed',
  transaction: isObject(LISTED),
  block: optional(isObject(PLACE)),
}
const PROOF: Shape<TransactionProofAnswer> = {
  id: isHash,
  transaction: isJsonObject,
  branch: isList({ side: isText, hash: isHash }),
  header: isObject({ index: isWhole }),
}
const HISTORY: Shape<HistoryAnswer> = {
  transactions: isList({ id: isHash, transaction: isObject(LISTED), block: isObject(PLACE) }),
  next: orNull(isCursor),
}
const ACCEPTED: Shape<AcceptedAnswer> = { message: isText, id: isHash, index: isWhole }

const NODES: Shape<NodesAnswer> = { nodes: isTexts, length: isWhole }
const REGISTERED: Shape<RegisteredAnswer> = { message: isText, total_nodes: isTexts }
/** One of the two is there, and not empty: a chain has its genesis block. */
const SOME_CHAIN = optional(isList(BLOCK, 1))
const RESOLVED: Shape<Record<'message' | 'chain' | 'new_chain', unknown>> = {
  message: isText,
  chain: SOME_CHAIN,
  new_chain: SOME_CHAIN,
}
