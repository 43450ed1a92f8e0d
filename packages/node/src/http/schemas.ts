/**
 * One schema per message: Fastify validates requests with these, the tests validate every answer with them, and
 * `GET /openapi.json` is made of them. Nothing is coerced, stripped or filled in: what somebody signed is taken as it
 * is or refused.
 */
import type { Static, TObjectOptions, TProperties, TSchema } from 'typebox'
import * as Type from 'typebox'
import { MOST_AT_ONCE } from '../network/neighbours/http-peer.ts'
import { PLACE } from '../storage/layout.ts'
import { MOST } from './paging.ts'

/** An object of these fields and no others. */
export const exactly = <Fields extends TProperties>(fields: Fields, options: TObjectOptions = {}) =>
  Type.Object(fields, { additionalProperties: false, ...options })
/** The same by a name: one of the messages that the API document lists. */
export const titled = <Fields extends TProperties>(title: string, fields: Fields) => exactly(fields, { title })
export const text = (description: string) => Type.String({ description })
export const hex = (digits: number, description: string) =>
  Type.String({ pattern: `^[0-9a-f]{${digits}}$`, description })
export const whole = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description })

export const HASH = hex(64, 'SHA-256 in hex')
const TARGET = hex(64, 'A 256-bit number in hex: a seal may not be above it')
export const ADDRESS = hex(74, 'Compressed public key and the first 8 hex digits of its SHA-256')
export const AMOUNT = whole('Coins')

export const TransactionSchema = titled('Transaction', {
  amount: whole('Coins', 1),
  fee: whole('Coins for the miner'),
  memo: Type.Optional(text('1 to 256 bytes of UTF-8')),
  nonce: whole("How many of the sender's transactions were confirmed before this one"),
  recipient: ADDRESS,
  sender: ADDRESS,
  signature: hex(128, 'r and s over the canonical JSON of the other fields and the chain id'),
})

export const RewardSchema = titled('Reward', {
  amount: AMOUNT,
  nonce: whole("The block's index", 2),
  recipient: ADDRESS,
  sender: Type.Literal('0'),
})

const AnyTransaction = Type.Union([TransactionSchema, RewardSchema])

const headerFields = {
  index: whole('From 1', 1),
  merkle_root: HASH,
  previous_hash: hex(64, 'Hash of the block before'),
  proof: hex(80, 'Commitment to the header, then the nonce'),
  target: TARGET,
  timestamp: whole('Unix seconds'),
}

export const BlockSchema = titled('Block', { ...headerFields, transactions: Type.Array(AnyTransaction) })

export const RulesSchema = titled('Rules', {
  allocations: Type.Record(Type.String(), AMOUNT),
  blockTime: whole('Seconds; 0 for a constant target'),
  difficulty: whole('Leading zero hex digits of the easiest target'),
  halfLife: whole('Seconds; 0 for a constant target'),
  maxBlockBytes: whole('Bytes of canonical JSON'),
  miningReward: AMOUNT,
})

export const GenesisSchema = titled('Genesis', {
  ...headerFields,
  previous_hash: Type.Literal('1'),
  rules: RulesSchema,
  transactions: Type.Array(Type.Never()),
})

export const AnyBlock = Type.Union([BlockSchema, GenesisSchema], { title: 'AnyBlock' })
const ChainOfBlocks = Type.Array(AnyBlock, { description: 'From genesis on' })

/** Errors have Fastify's shape and the code of the rule that was broken. */
export const ErrorSchema = titled('Error', {
  statusCode: Type.Integer({ minimum: 400, maximum: 599 }),
  code: text('The rule that refused: a key of the table of rule codes'),
  error: text('The name of the status'),
  message: text('What is wrong, in a sentence'),
})

// What clients send.

/** The tutorial's clients send an amount as digits in a string, and no nonce and no fee. */
export const NewTransactionSchema = titled('NewTransaction', {
  amount: Type.Union([Type.Integer(), Type.String()], {
    description: 'Coins; digits in a string are taken too, as the tutorial sends them',
  }),
  fee: Type.Optional(whole('Coins for the miner; 0 where it is missing')),
  memo: Type.Optional(text('At most 256 bytes of UTF-8')),
  nonce: Type.Optional(whole("The sender's next nonce, pool included, where it is missing")),
  recipient: text('An address'),
  sender: text('An address'),
  signature: text('r and s in hex'),
})

export const RegisterSchema = titled('Register', {
  nodes: Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { maxItems: MOST_AT_ONCE }),
})

const LIMIT = Type.Optional(
  Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: `At most this many, up to ${MOST}` }),
)

export const PageQuery = exactly({
  from: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,15}$', description: 'First index; 1 where missing' })),
  limit: LIMIT,
})

export const HistoryQuery = exactly({
  before: Type.Optional(Type.String({ pattern: PLACE.source, description: 'The cursor `next` of the page before' })),
  limit: LIMIT,
})

export const NoQuery = exactly({})
export const BlockParams = Type.Object({
  indexOrHash: Type.String({ pattern: '^([1-9][0-9]{0,15}|[0-9a-f]{64}|latest)$' }),
})
export const TransactionParams = Type.Object({ id: HASH })
/** Whether it is one is looked at as everywhere, so that the answer names `tx.address`. */
export const AccountParams = Type.Object({ address: Type.String({ maxLength: 128 }) })

// What the node answers.

const message = text('For people')

export const MinedSchema = titled('Mined', {
  message: Type.Literal('New Block Created'),
  hash: HASH,
  ...BlockSchema.properties,
})

export const ChainSchema = titled('Chain', { chain: ChainOfBlocks, length: whole('Number of blocks', 1) })

export const WaitingSchema = titled('Waiting', {
  transactions: Type.Array(TransactionSchema),
  length: whole('Number of transactions'),
})

export const AcceptedSchema = titled('Accepted', {
  message: text('Transaction will be added to Block N'),
  index: whole('That N: the earliest block that it can be in', 2),
  id: HASH,
  transaction: TransactionSchema,
})

export const SecretSchema = titled('SecretShown', { message })

export const NodesSchema = titled('Nodes', { nodes: Type.Array(Type.String()), length: whole('Number of nodes') })

export const RegisteredSchema = titled('Registered', { message, total_nodes: Type.Array(Type.String()) })

export const ResolvedSchema = Type.Union(
  [
    exactly({ message: Type.Literal('Our chain was replaced'), new_chain: ChainOfBlocks }),
    exactly({ message: Type.Literal('Our chain is authoritative'), chain: ChainOfBlocks }),
  ],
  { title: 'Resolved' },
)

export const StatusSchema = titled('Status', {
  chain: hex(64, 'Chain id: the hash of the genesis block'),
  rules: RulesSchema,
  height: whole('Index of the newest block', 1),
  tip: hex(64, 'Hash of the newest block'),
  timestamp: whole('Unix seconds of the newest block'),
  work: Type.String({ pattern: '^[0-9]+$', description: 'Attempts that the whole chain stands for, in decimal' }),
  target: hex(64, 'Target of the next block'),
  pool: whole('Number of waiting transactions'),
  address: hex(74, "The node's own address, which its rewards go to"),
  peers: whole('Number of nodes that this one is connected with'),
  p2p: Type.Array(Type.String(), { description: 'Multiaddresses at which other nodes reach this one' }),
  sync: Type.Union([exactly({ from: whole('Height', 1), to: whole('Height', 1) }), Type.Null()], {
    description: 'How far the node has to catch up with others',
  }),
  mining: Type.Boolean({ description: 'Whether a block is being mined at this moment' }),
  version: text('Of the software'),
})

const orEnd = <T extends TSchema>(cursor: T) => Type.Union([cursor, Type.Null()])
const nextIndex = orEnd(whole('`from` of the next page; null at the end', 1))

export const BlocksSchema = titled('Blocks', { blocks: Type.Array(AnyBlock), next: nextIndex })

export const HeaderSchema = titled('Header', {
  ...headerFields,
  previous_hash: Type.Union([HASH, Type.Literal('1')]),
  rules: Type.Optional(RulesSchema),
  hash: HASH,
})

export const HeadersSchema = titled('Headers', { headers: Type.Array(HeaderSchema), next: nextIndex })

const Placement = exactly({
  index: whole('Of the block', 2),
  hash: hex(64, 'Of the block'),
  timestamp: whole('Of the block, Unix seconds'),
  position: whole('Among its transactions; 0 is the reward'),
  confirmations: whole('Blocks from this one to the tip, both counted', 1),
})

export const FoundTransactionSchema = Type.Union(
  [
    exactly({ id: HASH, status: Type.Literal('pending'), transaction: TransactionSchema }),
    exactly({ id: HASH, status: Type.Literal('confirmed'), transaction: AnyTransaction, block: Placement }),
  ],
  { title: 'FoundTransaction' },
)

export const TransactionProofSchema = titled('TransactionProof', {
  id: HASH,
  transaction: AnyTransaction,
  leaf: hex(64, "SHA-256 of the transaction's canonical JSON"),
  position: whole("Among the block's transactions"),
  branch: Type.Array(exactly({ side: Type.Union([Type.Literal('left'), Type.Literal('right')]), hash: HASH }), {
    description: 'Neighbours on the way from the leaf to the Merkle root',
  }),
  header: HeaderSchema,
})

export const AccountSchema = titled('Account', {
  address: ADDRESS,
  balance: whole('Confirmed coins'),
  nonce: whole("The account's confirmed transactions so far"),
  pendingNonce: whole('The nonce that the next transaction needs, pool included'),
})

export const HistorySchema = titled('History', {
  transactions: Type.Array(exactly({ id: HASH, transaction: AnyTransaction, block: Placement }), {
    description: 'Confirmed ones, newest first',
  }),
  next: orEnd(text('`before` of the next page; null at the end')),
})

export const HealthSchema = titled('Health', {
  status: Type.Literal('ok'),
  height: whole('Index of the newest block', 1),
})

export const DocumentSchema = Type.Unsafe<object>(
  Type.Object({ openapi: Type.Literal('3.1.0'), info: Type.Object({}), paths: Type.Object({}) }, { title: 'Document' }),
)

/** Of a body that is read line by line: what stands on them is looked at there. */
export const NdjsonBody = Type.Unsafe<unknown>({ description: 'A JSON value on each line' })

/** One line of the answer to a batch of transactions. */
export const OutcomeSchema = Type.Union(
  [
    exactly({ status: Type.Literal(201), id: HASH, index: whole('The earliest block that it can be in', 2) }),
    exactly({
      status: Type.Integer({
        minimum: 400,
        maximum: 599,
        description: 'What the request alone would be answered with',
      }),
      code: text('The rule that refused'),
      message: text('What is wrong, in a sentence'),
    }),
  ],
  { title: 'Outcome' },
)

const importCounts = {
  imported: whole('Blocks that were new, on the chain or beside it'),
  beside: whole('Those of them that stand beside it: their nonces and balances are not checked yet'),
  known: whole('Blocks that were here before'),
}

export const ImportedSchema = titled('Imported', {
  ...importCounts,
  height: whole('Index of the newest block', 1),
  tip: hex(64, 'Hash of the newest block'),
})

/** A block broke a rule: those before it are in, those after it were not looked at. */
export const ImportRefusedSchema = Type.Union(
  [
    exactly({
      ...ErrorSchema.properties,
      ...importCounts,
      line: whole('The line at which it ended, from 1, blank ones counted', 1),
    }),
    ErrorSchema,
  ],
  { title: 'ImportRefused' },
)

/** A stored block as it goes out: it was checked on the way in. */
export type BlockAnswer = Static<typeof BlockSchema>
export type NewTransaction = Static<typeof NewTransactionSchema>
export type MinedAnswer = Static<typeof MinedSchema>
export type ChainAnswer = Static<typeof ChainSchema>
export type WaitingAnswer = Static<typeof WaitingSchema>
export type AcceptedAnswer = Static<typeof AcceptedSchema>
export type SecretAnswer = Static<typeof SecretSchema>
export type NodesAnswer = Static<typeof NodesSchema>
export type RegisteredAnswer = Static<typeof RegisteredSchema>
export type ResolvedAnswer = Static<typeof ResolvedSchema>
export type StatusAnswer = Static<typeof StatusSchema>
export type AccountAnswer = Static<typeof AccountSchema>
export type AnyBlockAnswer = Static<typeof AnyBlock>
export type BlocksAnswer = Static<typeof BlocksSchema>
export type HeadersAnswer = Static<typeof HeadersSchema>
export type FoundTransactionAnswer = Static<typeof FoundTransactionSchema>
export type TransactionProofAnswer = Static<typeof TransactionProofSchema>
export type OutcomeAnswer = Static<typeof OutcomeSchema>
export type ImportedAnswer = Static<typeof ImportedSchema>
export type Page = Static<typeof PageQuery>
export type HistoryAnswer = Static<typeof HistorySchema>
export type ErrorAnswer = Static<typeof ErrorSchema>
