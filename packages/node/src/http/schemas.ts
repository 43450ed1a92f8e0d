/**
 * One schema per message: Fastify validates requests with these, the tests validate every answer with them, and
 * `GET /openapi.json` is made of them. Nothing is coerced, stripped or filled in: what somebody signed is taken as it
 * is or refused.
 */
import type { Static, TSchema } from 'typebox'
import * as Type from 'typebox'
import { MOST_AT_ONCE } from '../network/neighbours/http-peer.ts'
import { PLACE } from '../storage/layout.ts'

export const text = (description: string) => Type.String({ description })
export const hex = (digits: number, description: string) =>
  Type.String({ pattern: `^[0-9a-f]{${digits}}$`, description })
export const whole = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description })

export const HASH = hex(64, 'SHA-256 in hex')
const TARGET = hex(64, 'A 256-bit number in hex: a seal may not be above it')
export const ADDRESS = hex(74, 'Compressed public key and the first 8 hex digits of its SHA-256')
export const AMOUNT = whole('Coins')

export const TransactionSchema = Type.Object(
  {
    amount: whole('Coins', 1),
    fee: whole('Coins for the miner'),
    memo: Type.Optional(text('1 to 256 bytes of UTF-8')),
    nonce: whole("How many of the sender's transactions were confirmed before this one"),
    recipient: ADDRESS,
    sender: ADDRESS,
    signature: hex(128, 'r and s over the canonical JSON of the other fields and the chain id'),
  },
  { additionalProperties: false, title: 'Transaction' },
)

export const RewardSchema = Type.Object(
  {
    amount: AMOUNT,
    nonce: whole("The block's index", 2),
    recipient: ADDRESS,
    sender: Type.Literal('0'),
  },
  { additionalProperties: false, title: 'Reward' },
)

const AnyTransaction = Type.Union([TransactionSchema, RewardSchema])

const headerFields = {
  index: whole('From 1', 1),
  merkle_root: HASH,
  previous_hash: hex(64, 'Hash of the block before'),
  proof: hex(80, 'Commitment to the header, then the nonce'),
  target: TARGET,
  timestamp: whole('Unix seconds'),
}

export const BlockSchema = Type.Object(
  { ...headerFields, transactions: Type.Array(AnyTransaction) },
  { additionalProperties: false, title: 'Block' },
)

export const RulesSchema = Type.Object(
  {
    allocations: Type.Record(Type.String(), AMOUNT),
    blockTime: whole('Seconds; 0 for a constant target'),
    difficulty: whole('Leading zero hex digits of the easiest target'),
    halfLife: whole('Seconds; 0 for a constant target'),
    maxBlockBytes: whole('Bytes of canonical JSON'),
    miningReward: AMOUNT,
  },
  { additionalProperties: false, title: 'Rules' },
)

export const GenesisSchema = Type.Object(
  { ...headerFields, previous_hash: Type.Literal('1'), rules: RulesSchema, transactions: Type.Array(Type.Never()) },
  { additionalProperties: false, title: 'Genesis' },
)

export const AnyBlock = Type.Union([BlockSchema, GenesisSchema], { title: 'AnyBlock' })
const ChainOfBlocks = Type.Array(AnyBlock, { description: 'From genesis on' })

/** Errors have Fastify's shape and the code of the rule that was broken. */
export const ErrorSchema = Type.Object(
  {
    statusCode: Type.Integer({ minimum: 400, maximum: 599 }),
    code: text('The rule that refused: a key of the table of rule codes'),
    error: text('The name of the status'),
    message: text('What is wrong, in a sentence'),
  },
  { additionalProperties: false, title: 'Error' },
)

// What clients send.

/** The tutorial's clients send an amount as digits in a string, and no nonce and no fee. */
export const NewTransactionSchema = Type.Object(
  {
    amount: Type.Union([Type.Integer(), Type.String()], {
      description: 'Coins; digits in a string are taken too, as the tutorial sends them',
    }),
    fee: Type.Optional(whole('Coins for the miner; 0 where it is missing')),
    memo: Type.Optional(text('At most 256 bytes of UTF-8')),
    nonce: Type.Optional(whole("The sender's next nonce, pool included, where it is missing")),
    recipient: text('An address'),
    sender: text('An address'),
    signature: text('r and s in hex'),
  },
  { additionalProperties: false, title: 'NewTransaction' },
)

export const RegisterSchema = Type.Object(
  { nodes: Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { maxItems: MOST_AT_ONCE }) },
  { additionalProperties: false, title: 'Register' },
)

export const PageQuery = Type.Object(
  {
    from: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,15}$', description: 'First index; 1 where missing' })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: 'At most this many, up to 1000' })),
  },
  { additionalProperties: false },
)

export const HistoryQuery = Type.Object(
  {
    before: Type.Optional(Type.String({ pattern: PLACE.source, description: 'The cursor `next` of the page before' })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: 'At most this many, up to 1000' })),
  },
  { additionalProperties: false },
)

export const NoQuery = Type.Object({}, { additionalProperties: false })
export const BlockParams = Type.Object({
  indexOrHash: Type.String({ pattern: '^([1-9][0-9]{0,15}|[0-9a-f]{64}|latest)$' }),
})
export const TransactionParams = Type.Object({ id: HASH })
/** Whether it is one is looked at as everywhere, so that the answer names `tx.address`. */
export const AccountParams = Type.Object({ address: Type.String({ maxLength: 128 }) })

// What the node answers.

const message = text('For people')

export const MinedSchema = Type.Object(
  { message: Type.Literal('New Block Created'), hash: HASH, ...BlockSchema.properties },
  { additionalProperties: false, title: 'Mined' },
)

export const ChainSchema = Type.Object(
  { chain: ChainOfBlocks, length: whole('Number of blocks', 1) },
  { additionalProperties: false, title: 'Chain' },
)

export const WaitingSchema = Type.Object(
  { transactions: Type.Array(TransactionSchema), length: whole('Number of transactions') },
  { additionalProperties: false, title: 'Waiting' },
)

export const AcceptedSchema = Type.Object(
  {
    message: text('Transaction will be added to Block N'),
    index: whole('That N: the earliest block that it can be in', 2),
    id: HASH,
    transaction: TransactionSchema,
  },
  { additionalProperties: false, title: 'Accepted' },
)

export const SecretSchema = Type.Object({ message }, { additionalProperties: false, title: 'SecretShown' })

export const NodesSchema = Type.Object(
  { nodes: Type.Array(Type.String()), length: whole('Number of nodes') },
  { additionalProperties: false, title: 'Nodes' },
)

export const RegisteredSchema = Type.Object(
  { message, total_nodes: Type.Array(Type.String()) },
  { additionalProperties: false, title: 'Registered' },
)

export const ResolvedSchema = Type.Union(
  [
    Type.Object(
      { message: Type.Literal('Our chain was replaced'), new_chain: ChainOfBlocks },
      { additionalProperties: false },
    ),
    Type.Object(
      { message: Type.Literal('Our chain is authoritative'), chain: ChainOfBlocks },
      { additionalProperties: false },
    ),
  ],
  { title: 'Resolved' },
)

export const StatusSchema = Type.Object(
  {
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
    sync: Type.Union(
      [Type.Object({ from: whole('Height', 1), to: whole('Height', 1) }, { additionalProperties: false }), Type.Null()],
      { description: 'How far the node has to catch up with others' },
    ),
    mining: Type.Boolean({ description: 'Whether a block is being mined at this moment' }),
    version: text('Of the software'),
  },
  { additionalProperties: false, title: 'Status' },
)

const orEnd = <T extends TSchema>(cursor: T) => Type.Union([cursor, Type.Null()])
const nextIndex = orEnd(whole('`from` of the next page; null at the end', 1))

export const BlocksSchema = Type.Object(
  { blocks: Type.Array(AnyBlock), next: nextIndex },
  { additionalProperties: false, title: 'Blocks' },
)

export const HeaderSchema = Type.Object(
  {
    ...headerFields,
    previous_hash: Type.Union([HASH, Type.Literal('1')]),
    rules: Type.Optional(RulesSchema),
    hash: HASH,
  },
  { additionalProperties: false, title: 'Header' },
)

export const HeadersSchema = Type.Object(
  { headers: Type.Array(HeaderSchema), next: nextIndex },
  { additionalProperties: false, title: 'Headers' },
)

const Placement = Type.Object(
  {
    index: whole('Of the block', 2),
    hash: hex(64, 'Of the block'),
    timestamp: whole('Of the block, Unix seconds'),
    position: whole('Among its transactions; 0 is the reward'),
    confirmations: whole('Blocks from this one to the tip, both counted', 1),
  },
  { additionalProperties: false },
)

export const FoundTransactionSchema = Type.Union(
  [
    Type.Object(
      { id: HASH, status: Type.Literal('pending'), transaction: TransactionSchema },
      { additionalProperties: false },
    ),
    Type.Object(
      { id: HASH, status: Type.Literal('confirmed'), transaction: AnyTransaction, block: Placement },
      { additionalProperties: false },
    ),
  ],
  { title: 'FoundTransaction' },
)

export const TransactionProofSchema = Type.Object(
  {
    id: HASH,
    transaction: AnyTransaction,
    leaf: hex(64, "SHA-256 of the transaction's canonical JSON"),
    position: whole("Among the block's transactions"),
    branch: Type.Array(
      Type.Object(
        { side: Type.Union([Type.Literal('left'), Type.Literal('right')]), hash: HASH },
        { additionalProperties: false },
      ),
      { description: 'Neighbours on the way from the leaf to the Merkle root' },
    ),
    header: HeaderSchema,
  },
  { additionalProperties: false, title: 'TransactionProof' },
)

export const AccountSchema = Type.Object(
  {
    address: ADDRESS,
    balance: whole('Confirmed coins'),
    nonce: whole("The account's confirmed transactions so far"),
    pendingNonce: whole('The nonce that the next transaction needs, pool included'),
  },
  { additionalProperties: false, title: 'Account' },
)

export const HistorySchema = Type.Object(
  {
    transactions: Type.Array(
      Type.Object({ id: HASH, transaction: AnyTransaction, block: Placement }, { additionalProperties: false }),
      { description: 'Confirmed ones, newest first' },
    ),
    next: orEnd(text('`before` of the next page; null at the end')),
  },
  { additionalProperties: false, title: 'History' },
)

export const HealthSchema = Type.Object(
  { status: Type.Literal('ok'), height: whole('Index of the newest block', 1) },
  { additionalProperties: false, title: 'Health' },
)

export const DocumentSchema = Type.Unsafe<object>(
  Type.Object({ openapi: Type.Literal('3.1.0'), info: Type.Object({}), paths: Type.Object({}) }, { title: 'Document' }),
)

/** Of a body that is read line by line: what stands on them is looked at there. */
export const NdjsonBody = Type.Unsafe<unknown>({ description: 'A JSON value on each line' })

/** One line of the answer to a batch of transactions. */
export const OutcomeSchema = Type.Union(
  [
    Type.Object(
      { status: Type.Literal(201), id: HASH, index: whole('The earliest block that it can be in', 2) },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        status: Type.Integer({
          minimum: 400,
          maximum: 599,
          description: 'What the request alone would be answered with',
        }),
        code: text('The rule that refused'),
        message: text('What is wrong, in a sentence'),
      },
      { additionalProperties: false },
    ),
  ],
  { title: 'Outcome' },
)

const importCounts = {
  imported: whole('Blocks that were new, on the chain or beside it'),
  beside: whole('Those of them that stand beside it: their nonces and balances are not checked yet'),
  known: whole('Blocks that were here before'),
}

export const ImportedSchema = Type.Object(
  { ...importCounts, height: whole('Index of the newest block', 1), tip: hex(64, 'Hash of the newest block') },
  { additionalProperties: false, title: 'Imported' },
)

/** A block broke a rule: those before it are in, those after it were not looked at. */
export const ImportRefusedSchema = Type.Union(
  [
    Type.Object(
      {
        ...ErrorSchema.properties,
        ...importCounts,
        line: whole('The line at which it ended, from 1, blank ones counted', 1),
      },
      { additionalProperties: false },
    ),
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
export type HistoryAnswer = Static<typeof HistorySchema>
export type ErrorAnswer = Static<typeof ErrorSchema>
