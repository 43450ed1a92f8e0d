/** The messages of `GET /events`: what stands in the `data` of each kind of event. */
import type { Static } from 'typebox'
import * as Type from 'typebox'
import { DROP_REASONS, type DropReason } from '../pool/changes.ts'
import { BlockSchema, exactly, HeaderSchema, StatusSchema, TransactionSchema, titled } from './schemas.ts'

/** What a client may ask for. */
export const EVENT_TYPES = ['block', 'transaction', 'reorganisation', 'peer', 'mining'] as const
export type EventType = (typeof EVENT_TYPES)[number]

const { hash } = HeaderSchema.properties
const { transactions: _, ...header } = BlockSchema.properties
const { chain, height, tip, peers } = StatusSchema.properties
const id = Type.Unsafe<string>({ ...hash, description: "A transaction's id" })

const place = exactly({ index: header.index, hash })

const reasons = Object.entries(DROP_REASONS)
const reason = Type.Unsafe<DropReason>(
  Type.Union(
    reasons.map(([name]) => Type.Literal(name)),
    { description: reasons.map(([name, why]) => `${name}: ${why}`).join('; ') },
  ),
)

/** The first event of a connection that doesn't resume. What happens after this head is told. */
export const StartEventSchema = titled('Start', { chain, height, tip })

/** The first event of a connection that can't resume: the same, and what happened before this head wasn't told. */
export const MissedEventSchema = titled('Missed', { chain, height, tip })

export const BlockEventSchema = titled('BlockEvent', {
  hash,
  ...header,
  transactions: Type.Array(id, { description: 'Ids of what the block confirms, the reward first' }),
})

export const TransactionEventSchema = Type.Union(
  [
    exactly(
      { id, status: Type.Literal('pending'), transaction: TransactionSchema },
      { description: 'Taken into the pool, or come back to it from an abandoned block' },
    ),
    exactly(
      {
        id,
        status: Type.Literal('dropped'),
        reason,
        transaction: TransactionSchema,
      },
      { description: 'Left the pool, and is in no block' },
    ),
  ],
  { title: 'TransactionEvent' },
)

/** It comes before the events of the adopted blocks. */
export const ReorganisationEventSchema = titled('ReorganisationEvent', {
  abandoned: Type.Array(place, { minItems: 1, description: 'Newest first' }),
  adopted: Type.Array(place, { description: 'Oldest first; none where dev mode has gone back on the same branch' }),
})

export const PeerEventSchema = titled('PeerEvent', {
  peer: Type.String({ description: 'Its name: the hash of its public key' }),
  status: Type.Union([Type.Literal('connected'), Type.Literal('left')]),
  peers,
})

/** Some twice a second while a block is being mined, with no id: it isn't kept for those who resume. */
export const MiningEventSchema = titled('MiningEvent', {
  index: Type.Integer({ minimum: 2, description: 'Of the block that is being mined' }),
  attempts: Type.Integer({ minimum: 0, description: 'Nonces tried so far' }),
  rate: Type.Integer({ minimum: 0, description: 'Nonces a second, lately' }),
  expected: Type.String({
    pattern: '^[0-9]+$',
    description: 'Nonces that a block of this target takes on average, in decimal, however many were tried already',
  }),
  milliseconds: Type.Integer({ minimum: 0, description: 'Since the work on this block was asked for' }),
})

/** What a line `event:` says, and what stands in `data:` then. */
export const EVENT_SCHEMAS = {
  start: StartEventSchema,
  missed: MissedEventSchema,
  block: BlockEventSchema,
  transaction: TransactionEventSchema,
  reorganisation: ReorganisationEventSchema,
  peer: PeerEventSchema,
  mining: MiningEventSchema,
} as const

const retry = Type.Integer({ description: 'Milliseconds after which to come back; with the first event alone' })

/** OpenAPI has no words for a stream of events: this is one event of it, taken apart. */
export const EventSchema = Type.Union(
  Object.entries(EVENT_SCHEMAS).map(([event, data]) =>
    exactly({ event: Type.Literal(event), id: Type.Optional(Type.String()), data, retry: Type.Optional(retry) }),
  ),
  { title: 'Event', description: 'The fields of one event; `data` is JSON on one line' },
)

const types = EVENT_TYPES.join('|')

export const EventsQuery = exactly({
  types: Type.Optional(
    Type.String({
      pattern: `^(${types})(,(${types}))*$`,
      maxLength: 100,
      description: 'Which events, with commas between; all where missing',
    }),
  ),
})

export const EventsHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ description: 'Of the last event that was received: the stream goes on after it' }),
  ),
})

export type HeadEvent = Static<typeof StartEventSchema>
export type BlockEvent = Static<typeof BlockEventSchema>
export type TransactionEvent = Static<typeof TransactionEventSchema>
export type ReorganisationEvent = Static<typeof ReorganisationEventSchema>
export type PeerEvent = Static<typeof PeerEventSchema>
export type MiningEvent = Static<typeof MiningEventSchema>

/** The data of every kind of event that is kept for those who resume. */
export interface KeptEvents {
  readonly block: BlockEvent
  readonly transaction: TransactionEvent
  readonly reorganisation: ReorganisationEvent
  readonly peer: PeerEvent
}
