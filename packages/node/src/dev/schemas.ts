/** The messages of the routes that dev mode alone has. */
import type { Static } from 'typebox'
import * as Type from 'typebox'
import { ADDRESS, AMOUNT, exactly, HASH, hex, TransactionSchema, text, titled, whole } from '../http/schemas.ts'

const TIME = whole('Unix seconds: the timestamp that the next block will have')
const ID = whole('Of a snapshot', 1)

export const DevAccountsSchema = titled('DevAccounts', {
  seed: whole('What all keys follow from'),
  accounts: Type.Array(
    exactly({ address: ADDRESS, secret: hex(64, 'Known to everybody who knows the seed'), amount: AMOUNT }),
    { description: 'Those that have coins from the start' },
  ),
  faucet: ADDRESS,
})

const state = { id: ID, height: whole('Index of the newest block', 1), tip: HASH, time: TIME }

export const SnapshotSchema = titled('Snapshot', state)

export const RevertSchema = titled('Revert', { id: ID })

export const DevTimeSchema = titled('DevTime', { time: TIME })

export const MoveTimeSchema = Type.Union(
  [
    exactly({ seconds: Type.Integer({ minimum: 1, description: 'How far ahead' }) }),
    exactly({ time: Type.Integer({ minimum: 1, description: 'Unix seconds, until the year 9999 ends' }) }),
  ],
  { title: 'MoveTime' },
)

export const FundSchema = titled('Fund', {
  recipient: text('An address'),
  amount: Type.Optional(whole('Coins; 1000 where it is missing', 1)),
})

export const FundedSchema = titled('Funded', {
  id: HASH,
  transaction: TransactionSchema,
  index: whole('Of its block', 2),
  hash: hex(64, 'Of its block'),
})

export type SnapshotAnswer = Static<typeof SnapshotSchema>
export type DevTimeAnswer = Static<typeof DevTimeSchema>
export type MoveTime = Static<typeof MoveTimeSchema>
export type FundedAnswer = Static<typeof FundedSchema>
