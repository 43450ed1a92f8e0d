/** The payload is cut out of a transaction's canonical JSON: it must be what the page of the protocol says it is. */
import {
  canonicalJson,
  type Hash,
  type JsonObject,
  type JsonValue,
  MAX_MEMO_BYTES,
  parseTransaction,
  payloadOf,
  readTransactions,
  transactionId,
} from '@bc/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '../src/hash.ts'
import { rewardFor } from '../src/transaction.ts'
import { strictNumber, wellFormed } from './support/values.ts'

const CHAIN = 'c'.repeat(64) as Hash

/** What a cut in the wrong place would leave standing, or take along. */
const tricky = fc.constantFrom(
  ', "signature": "',
  '", "signature": "',
  '\\", \\"signature\\": \\"',
  ', ',
  '"}',
  '{"amount": 1, "fee": 0}',
  'signature',
  ', "signature": ',
)
const text = fc.array(fc.oneof(wellFormed, tricky), { maxLength: 4 }).map((parts) => parts.join(''))

/** Of the right form, with fields in any order and strings of any content: the payload doesn't wait for more. */
const transaction = fc
  .record(
    {
      amount: strictNumber,
      fee: strictNumber,
      memo: text,
      nonce: strictNumber,
      recipient: text,
      sender: text,
      signature: text,
    },
    { requiredKeys: ['amount', 'fee', 'nonce', 'recipient', 'sender', 'signature'] },
  )
  .chain((fields) => fc.shuffledSubarray(Object.entries(fields), { minLength: Object.keys(fields).length }))
  .map((entries) => Object.fromEntries(entries) as JsonObject)

/** protocol.md, "Transaction": the transaction without its signature, and with the chain. */
function asWritten({ signature: _, ...signed }: JsonObject): string {
  return canonicalJson({ ...signed, chain: CHAIN })
}

test('the payload is the canonical JSON of the transaction with the chain and without the signature', () => {
  fc.assert(
    fc.property(transaction, (signed) => {
      const { signature: _, ...unsigned } = signed
      expect(payloadOf(signed as never, CHAIN)).toBe(asWritten(signed))
      expect(payloadOf(unsigned as never, CHAIN)).toBe(asWritten(signed))
    }),
    { numRuns: 1_000 },
  )
})

test('of a reward as well, which has no signature', () => {
  const reward = rewardFor(7, `02${'a'.repeat(72)}` as never, 50)
  expect(payloadOf(reward, CHAIN)).toBe(asWritten(reward as unknown as JsonObject))
})

test('whoever has the text of a transaction gets the same id from it', () => {
  fc.assert(
    fc.property(transaction, (signed) => {
      const { amount, memo } = signed as { amount: number; memo?: string }
      fc.pre(
        amount > 0 && (memo === undefined || (memo !== '' && new TextEncoder().encode(memo).length <= MAX_MEMO_BYTES)),
      )
      const id = sha256Hex(asWritten(signed))
      expect(parseTransaction(signed, CHAIN).id).toBe(id)
      expect(parseTransaction(signed, CHAIN, canonicalJson(signed)).id).toBe(id)
      expect(transactionId(signed as never, CHAIN)).toBe(id)
    }),
  )
})

test('the texts of a whole list belong to its transactions one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(transaction, fc.constant<JsonValue>(null)), { maxLength: 6 }), (list) => {
      const alone = readTransactions(list, CHAIN)
      expect(readTransactions(list, CHAIN, list.map(canonicalJson))).toEqual(alone)
    }),
  )
})
