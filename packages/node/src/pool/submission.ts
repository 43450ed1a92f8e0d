/** What somebody hands in, and the transaction that it means. */
import { type JsonObject, type JsonValue, orRefusal, parseJson, quoted, RuleError } from '@bc/core'
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
    throw new RuleError('tx.number', `The amount ${quoted(amount)} is not a whole number up to 2^53-1 in plain digits.`)
  return value
}

/** What is wrong with the form of a body, before anything of it is read; undefined where nothing is. */
export type FormCheck = (body: JsonValue) => RuleError | undefined

/** A transaction has at most 2 KB; and it may be spelled with escapes. */
export const SUBMISSION_BYTES = 8_192
const LINE_DEPTH = 8

/**
 * The same of one line of a batch, which is a body that no route has looked at.
 * @param faultOf what a body by itself would be refused for
 * @returns the refusal, where its form is wrong: `request.too_large`, `message.malformed`, `tx.shape` or `tx.number`
 */
export function readLine(line: Uint8Array, faultOf: FormCheck): Submission | RuleError {
  if (line.length > SUBMISSION_BYTES)
    return new RuleError('request.too_large', `The transaction has over ${SUBMISSION_BYTES} bytes.`)
  return orRefusal(() => {
    const body = parseJson(line, { maxBytes: SUBMISSION_BYTES, maxDepth: LINE_DEPTH })
    return faultOf(body) ?? readSubmission(body as unknown as NewTransaction)
  })
}
