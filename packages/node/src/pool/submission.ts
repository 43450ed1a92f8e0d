/** What somebody hands in, and the transaction that it means. */
import { isJsonObject, type JsonObject, type JsonValue, parseJson, RuleError } from '@bc/core'
import type { NewTransaction } from '../http/schemas.ts'

/** A body of `POST /transactions/new`: the tutorial's clients know nothing of `nonce` and `fee`. */
export interface Submission {
  /** All fields of a transaction, but perhaps the nonce. */
  readonly fields: JsonObject
  /** Whether the sender has named the nonce. Otherwise it is their next one, and the signature is checked against that. */
  readonly namesNonce: boolean
}

const WHOLE = /^(?:0|[1-9][0-9]*)$/

/**
 * Reads the tutorial's form: an amount may be digits in a string, a missing fee is none, an empty memo is no memo.
 * @throws RuleError `tx.number` for digits that are no amount
 */
export function readSubmission(body: NewTransaction): Submission {
  const { memo, amount, ...rest } = body
  const fields: JsonObject = { amount: readAmount(amount), fee: 0, ...rest }
  return { fields: memo ? { ...fields, memo } : fields, namesNonce: body.nonce !== undefined }
}

function readAmount(amount: number | string): number {
  if (typeof amount === 'number') return amount
  const value = Number(amount)
  if (!WHOLE.test(amount) || !Number.isSafeInteger(value))
    throw new RuleError('tx.number', `The amount "${amount}" is not a whole number up to 2^53-1 in plain digits.`)
  return value
}

/** A transaction has at most 2 KB; and it may be spelled with escapes. */
export const LINE_BYTES = 8_192
const LINE_DEPTH = 8

/**
 * The same of one line of a batch.
 * @returns the refusal, where its form is wrong: `message.malformed`, `tx.shape` or `tx.number`
 */
export function readLine(line: Uint8Array): Submission | RuleError {
  try {
    return readSubmission(checkedForm(parseJson(line, { maxBytes: LINE_BYTES, maxDepth: LINE_DEPTH })))
  } catch (error) {
    if (error instanceof RuleError) return error
    throw error
  }
}

const TEXTS = ['recipient', 'sender', 'signature'] as const

/** What core's parser doesn't get to see as it was sent, or would see after the amount that is read before it. All else that is wrong with a form is for that to say. */
function checkedForm(value: JsonValue): NewTransaction {
  if (!isJsonObject(value)) throw shape('a transaction is an object')
  const { amount, memo } = value
  for (const field of TEXTS) if (typeof value[field] !== 'string') throw shape(`${field} is missing, or no string`)
  if (typeof amount !== 'number' && typeof amount !== 'string') throw shape('amount is a whole number')
  if (memo !== undefined && typeof memo !== 'string') throw shape('memo is a string')
  return value as unknown as NewTransaction
}

function shape(fault: string): RuleError {
  return new RuleError('tx.shape', `This is no transaction: ${fault}.`)
}
