/** What somebody hands in, and the transaction that it means. */
import { isJsonObject, type JsonObject, type JsonValue, RuleError } from '@bc/core'

/** A body of `POST /transactions/new`: the tutorial's clients know nothing of `nonce` and `fee`. */
export interface Submission {
  /** All fields but those that were left out. */
  readonly fields: JsonObject
  /** Whether the sender left the nonce to us: then it is their next one, and the signature is checked against that. */
  readonly namesNonce: boolean
}

const WHOLE = /^(?:0|[1-9][0-9]*)$/

/**
 * Reads the tutorial's form: an amount may be digits in a string, a missing fee is none, an empty memo is no memo.
 * @throws RuleError `tx.shape` for missing values, `tx.number` for digits that are no amount
 */
export function readSubmission(body: JsonValue): Submission {
  if (!isJsonObject(body)) throw new RuleError('tx.shape', 'Missing values: a transaction is an object.')
  const missing = ['sender', 'recipient', 'amount', 'signature'].filter((field) => body[field] === undefined)
  if (missing.length > 0) throw new RuleError('tx.shape', `Missing values: ${missing.join(', ')}.`)
  const { memo, ...rest } = body
  const fields = {
    fee: 0,
    ...rest,
    amount: readAmount(body.amount),
    ...(memo !== '' && memo !== undefined && { memo }),
  }
  return { fields: fields as unknown as JsonObject, namesNonce: body.nonce !== undefined }
}

function readAmount(amount: JsonValue | undefined): JsonValue | undefined {
  if (typeof amount !== 'string') return amount
  const value = Number(amount)
  if (!WHOLE.test(amount) || !Number.isSafeInteger(value))
    throw new RuleError('tx.number', `The amount "${amount}" is not a whole number up to 2^53-1 in plain digits.`)
  return value
}
