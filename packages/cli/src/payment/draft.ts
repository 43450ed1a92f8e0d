/**
 * A draft: a transaction that is still to be signed, maybe on another machine. It is the payload itself (protocol.md,
 * "Transaction"), chain included, so whoever signs needs nothing else; and its SHA-256 is the id to be.
 */
import {
  type Hash,
  isJsonObject,
  parseAddress,
  parseHash,
  parseJson,
  parseTransaction,
  RuleError,
  type UnsignedTransaction,
} from '@bc/core'
import { addressFault } from '../command-line/arguments.ts'
import { usage } from '../failure.ts'

export interface Draft {
  readonly unsigned: UnsignedTransaction
  readonly chain: Hash
  /** That the transaction will have. */
  readonly id: Hash
}

/**
 * As strict as a node will be, so that nothing is signed which it would refuse. Of bytes: a memo that was put right in
 * silence is one that nobody wrote.
 * @throws RuleError
 */
export function parseDraft(message: Uint8Array): Draft {
  const value = parseJson(message)
  if (!isJsonObject(value)) throw shape('a draft is an object')
  if (value.signature !== undefined) throw usage('that is signed already: bc send-tx sends it.')
  const { chain: genesis, ...fields } = value
  const chain = parseHash(genesis)
  if (chain === undefined) throw shape('chain is missing, or not 64 lower-case hex digits')
  // Core's one parser judges the rest; it wants a signature, of which it says nothing.
  const { transaction, id } = parseTransaction({ ...fields, signature: '' }, chain)
  const { signature: _, ...unsigned } = transaction
  checkAddress('recipient', unsigned.recipient)
  checkAddress('sender', unsigned.sender)
  return { unsigned, chain, id }
}

function checkAddress(field: string, text: string): void {
  if (parseAddress(text) === undefined)
    throw new RuleError('tx.address', `The ${field} is no address: ${addressFault(text)}.`)
}

function shape(fault: string): RuleError {
  return new RuleError('tx.shape', `This is no draft: ${fault}.`)
}
