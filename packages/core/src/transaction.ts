/** Transactions: their form, their payload and their id (protocol.md, "Transaction"). */
import type { Address } from './address.ts'
import { sha256Hex } from './hash.ts'
import { canonicalJson, isJsonObject, type JsonValue } from './json.ts'
import { CURVE_ORDER } from './order.ts'
import { MAX_MEMO_BYTES } from './params.ts'
import {
  type Amount,
  type Hash,
  type Height,
  parseAmount,
  parseHeight,
  parseSignature,
  type Signature,
} from './primitives.ts'
import { RuleError } from './rules.ts'
import type { SignatureCheck, SignatureVerdict } from './signature.ts'

/** What a sender signs, without the chain: `nonce` counts the sender's transactions confirmed before this one. */
export type UnsignedTransaction = {
  readonly amount: Amount
  readonly fee: Amount
  /** Left out when empty. */
  readonly memo?: string
  readonly nonce: number
  readonly recipient: Address
  readonly sender: Address
}

export type Transaction = UnsignedTransaction & {
  readonly signature: Signature
}

/** The first transaction of every block after genesis; `nonce` is the block's index. */
export type Reward = {
  readonly amount: Amount
  readonly nonce: Height
  readonly recipient: Address
  readonly sender: typeof REWARD_SENDER
}

export const REWARD_SENDER = '0'

declare const verified: unique symbol
/** A transaction whose form, addresses and signature were checked. {@link judgeTransaction} alone makes it. */
export type VerifiedTransaction = Transaction & {
  readonly [verified]: true
}

/** A transaction of the right form whose addresses and signature nobody has looked at yet. */
export interface ParsedTransaction {
  readonly transaction: Transaction
  readonly id: Hash
  /** What is left to ask: {@link askCurve}. */
  readonly check: SignatureCheck
}

/** The canonical JSON of what the sender signs; `chain` is signed and not stored, so it is worth nothing elsewhere. */
export function payloadOf(transaction: UnsignedTransaction | Reward, chain: Hash): string {
  return payloadIn(canonicalJson(transaction), chain)
}

/**
 * The same from a transaction's own canonical JSON: in the order of the keys `amount` is the first, `chain` comes after
 * it, and `signature` is the last. No string can be taken for a key: within one, a quote has a backslash before it.
 */
function payloadIn(text: string, chain: Hash): string {
  const amount = text.slice(0, text.indexOf(', '))
  const signature = text.lastIndexOf(', "signature": "')
  const others = text.slice(amount.length, signature < 0 ? -1 : signature)
  return `${amount}, "chain": "${chain}"${others}}`
}

/** The digest that the sender signed: a third party can't change it. */
export function transactionId(transaction: UnsignedTransaction | Reward, chain: Hash): Hash {
  return sha256Hex(payloadOf(transaction, chain))
}

/** The leaf that a transaction, of whatever form, is in its block's Merkle tree. */
export function merkleLeaf(transaction: JsonValue): Hash {
  return sha256Hex(canonicalJson(transaction))
}

const FIELDS = ['amount', 'fee', 'nonce', 'recipient', 'sender', 'signature'] as const

/**
 * Form, numbers and memo, in the rules' order. Addresses and signature are only read here:
 * {@link judgeTransaction} speaks of them once the curve was asked.
 * @param text the value's canonical JSON, for whoever has it already
 * @throws RuleError `tx.shape`, `tx.number` or `tx.memo`
 */
export function parseTransaction(value: JsonValue, chain: Hash, text?: string): ParsedTransaction {
  if (!isJsonObject(value)) throw shape('a transaction is an object')
  const { memo } = value
  const expected = memo === undefined ? FIELDS.length : FIELDS.length + 1
  const missing = FIELDS.find((field) => value[field] === undefined)
  if (missing) throw shape(`${missing} is missing`)
  if (Object.keys(value).length !== expected) throw shape('it has a field that no transaction has')
  const { recipient, sender, signature } = value
  const [amount, fee, nonce] = [value.amount, value.fee, value.nonce].map(parseAmount)
  if (amount === undefined || fee === undefined || nonce === undefined)
    throw shape('amount, fee and nonce are whole numbers')
  if (typeof recipient !== 'string' || typeof sender !== 'string' || typeof signature !== 'string')
    throw shape('recipient, sender and signature are strings')
  if (memo !== undefined && typeof memo !== 'string') throw shape('memo is a string')
  if (amount < 1) throw new RuleError('tx.number', 'The amount is 0: at least 1 is needed.', { amount })
  if (memo !== undefined) checkMemo(memo)
  const transaction = value as unknown as Transaction
  const id = sha256Hex(payloadIn(text ?? canonicalJson(value), chain))
  return { transaction, id, check: { recipient, sender, digest: id, signature } }
}

function shape(fault: string): RuleError {
  return new RuleError('tx.shape', `This is no transaction: ${fault}.`)
}

function checkMemo(memo: string): void {
  const bytes = new TextEncoder().encode(memo).length
  if (bytes === 0) throw new RuleError('tx.memo', 'The memo is empty: leave it out.', { bytes })
  if (bytes > MAX_MEMO_BYTES)
    throw new RuleError('tx.memo', `The memo has ${bytes} bytes, and ${MAX_MEMO_BYTES} are allowed.`, { bytes })
}

/**
 * The one place where a {@link VerifiedTransaction} is made.
 * @param verdict what {@link askCurve} says of `parsed.check`
 * @throws RuleError `tx.address` or `tx.signature`
 */
export function judgeTransaction(parsed: ParsedTransaction, verdict: SignatureVerdict): VerifiedTransaction {
  if (verdict === 'valid') return parsed.transaction as VerifiedTransaction
  const { id, check } = parsed
  if (verdict === 'signature')
    throw new RuleError('tx.signature', `Signature verification failure: ${signatureFault(check.signature)}.`, { id })
  const fault = `The ${verdict} is no address: its form, its checksum or the curve doesn't agree.`
  throw new RuleError('tx.address', fault, { id })
}

/** Of one that the curve has said no to: it knows no reason, and whoever is told a wrong one looks in the wrong place. */
function signatureFault(text: string): string {
  if (parseSignature(text) === undefined) return 'it is not 128 lower-case hex digits'
  const numberOf = (digits: string) => BigInt(`0x${digits}`)
  const [n, r, s] = [numberOf(CURVE_ORDER), numberOf(text.slice(0, 64)), numberOf(text.slice(64))] as const
  if (r < 1n || r >= n || s < 1n || s >= n)
    return "r or s is out of range: both are from 1 to n - 1, where n is the curve's order"
  if (s > n / 2n)
    return "its s is above n / 2, where n is the curve's order: of s and n - s, which verify alike, only the lower is valid"
  return "it is not the sender's over exactly this transaction on this chain"
}

/** A reward in shape: its recipient, nonce and amount are judged once the block's fees are known. */
export function parseReward(value: JsonValue | undefined): Reward | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== 4 || value.sender !== REWARD_SENDER) return undefined
  const amount = parseAmount(value.amount)
  const nonce = parseAmount(value.nonce)
  if (amount === undefined || nonce === undefined || typeof value.recipient !== 'string') return undefined
  return value as unknown as Reward
}

export function claimsReward(value: JsonValue): boolean {
  return isJsonObject(value) && value.sender === REWARD_SENDER
}

export function rewardFor(index: number, recipient: Address, amount: number): Reward {
  const nonce = parseHeight(index)
  const coins = parseAmount(amount)
  if (nonce === undefined || coins === undefined) throw new TypeError(`no reward of ${amount} at index ${index}`)
  return { amount: coins, nonce, recipient, sender: REWARD_SENDER }
}
