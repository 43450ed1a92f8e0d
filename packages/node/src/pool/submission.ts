/** What somebody hands in, and the transaction that it means. */
import { type JsonObject, RuleError } from '@bc/core'
import type { NewTransaction } from '../http/schemas.ts'

/** A body of `POST /transactions/new`: the tutorial's clients know nothing of `nonce` and `fee`. */
export interface Submission {
  /** All fields of a transaction, but perhaps the nonce. */
  readonly fields: JsonObject
  /** Whether the sender left the nonce to us: then it is their next one, and the signature is checked against that. */
  readonly namesNonce: boolean
}

const WHOLE = /^(?:0|[1-9][0-9]*)$/

/**
 * Reads the tutorial's form: an amount may be digits in a string, a missing fee is none, an empty memo is no memo.
 * @throws RuleError `tx.number` for digits that are no amount
 */
export function readSubmission(body: NewTransaction): Submission {
  const { memo, ...rest } = body
  const fields: JsonObject = { fee: 0, ...rest, amount: readAmount(body.amount) }
  return { fields: memo ? { ...fields, memo } : fields, namesNonce: body.nonce !== undefined }
}

function readAmount(amount: number | string): number {
  if (typeof amount === 'number') return amount
  const value = Number(amount)
  if (!WHOLE.test(amount) || !Number.isSafeInteger(value))
    throw new RuleError('tx.number', `The amount "${amount}" is not a whole number up to 2^53-1 in plain digits.`)
  return value
}
