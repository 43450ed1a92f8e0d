/** The messages of the routes that dev mode alone has. */
import type { Static } from 'typebox'
import * as Type from 'typebox'
import { ADDRESS, AMOUNT, HASH, hex, TransactionSchema, text, whole } from '../http/schemas.ts'

const TIME = whole('Unix seconds: the timestamp that the next block will have')
const ID = whole('Of a snapshot', 1)

export const DevAccountsSchema = Type.Object(
  {
    seed: whole('What all keys follow from'),
    accounts: Type.Array(
      Type.Object(
        { address: ADDRESS, secret: hex(64, 'Known to everybody who knows the seed'), amount: AMOUNT },
        { additionalProperties: false },
      ),
      { description: 'Those that have coins from the start' },
    ),
    faucet: ADDRESS,
  },
  { additionalProperties: false, title: 'DevAccounts' },
)

const state = { id: ID, height: whole('Index of the newest block', 1), tip: HASH, time: TIME }

export const SnapshotSchema = Type.Object(state, { additionalProperties: false, title: 'Snapshot' })

export const RevertSchema = Type.Object({ id: ID }, { additionalProperties: false, title: 'Revert' })

export const DevTimeSchema = Type.Object({ time: TIME }, { additionalProperties: false, title: 'DevTime' })

export const MoveTimeSchema = Type.Union(
  [
    Type.Object(
      { seconds: Type.Integer({ minimum: 1, description: 'How far ahead' }) },
      { additionalProperties: false },
    ),
    Type.Object(
      { time: Type.Integer({ minimum: 1, description: 'Unix seconds, until the year 9999 ends' }) },
      { additionalProperties: false },
    ),
  ],
  { title: 'MoveTime' },
)

export const FundSchema = Type.Object(
  { recipient: text('An address'), amount: Type.Optional(whole('Coins; 1000 where it is missing', 1)) },
  { additionalProperties: false, title: 'Fund' },
)

export const FundedSchema = Type.Object(
  {
    id: HASH,
    transaction: TransactionSchema,
    index: whole('Of its block', 2),
    hash: hex(64, 'Of its block'),
  },
  { additionalProperties: false, title: 'Funded' },
)

export type SnapshotAnswer = Static<typeof SnapshotSchema>
export type DevTimeAnswer = Static<typeof DevTimeSchema>
export type MoveTime = Static<typeof MoveTimeSchema>
export type FundedAnswer = Static<typeof FundedSchema>
