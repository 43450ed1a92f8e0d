/**
 * The words of a command line as the protocol's values. Messages name the argument and never repeat its text: what
 * stands in the wrong place may be a secret.
 */
import { type Address, type Amount, type Hash, MAX_MEMO_BYTES, parseAddress, parseAmount, parseHash } from '@bc/core'
import { InvalidArgumentError } from 'commander'
import { isCursor } from '../client/answer.ts'
import { usage } from '../failure.ts'
import { isKeyName } from '../keys/key-name.ts'
import type { KeySource } from '../settings/key-source.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What can happen in a lab. */
export const SCENARIO_NAMES = ['mine', 'partition', 'double-spend', '51', 'churn'] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

const DIGITS = /^(0|[1-9][0-9]*)$/
/** Each is a process with 100 MB of memory, and a wire to every other. */
const MOST_LAB_NODES = 16
const ADDRESS_FORM = /^0[23][0-9a-f]{72}$/

function addressArgument(name: string, text: string): Address {
  const address = parseAddress(text)
  if (address !== undefined) return address
  throw usage(`${name} is no address: ${addressFault(text)}.`)
}

/** An address, or the name of a stored key, which stands for its address: no passphrase is needed for that. */
export async function accountArgument(name: string, text: string, source: KeySource): Promise<Address> {
  if (!isKeyName(text)) return addressArgument(name, text)
  const { openKeystore } = await import('../keys/keystore.ts')
  const keystore = openKeystore(source.folder)
  const key = keystore.find(text)
  if (key !== undefined) return key.address
  throw usage(`${name} is no address: ${addressFault(text)}, and ${keystore.folder} has no key of that name either.`)
}

export function addressFault(text: string): string {
  if (!ADDRESS_FORM.test(text)) return 'it is 74 lower-case hex digits that start with 02 or 03'
  return "its checksum doesn't agree, so a digit is wrong"
}

/** @returns undefined for anything but the digits of a whole number up to 2^53-1 */
export function parseWhole(text: string): Amount | undefined {
  return DIGITS.test(text) ? parseAmount(Number(text)) : undefined
}

export function amountArgument(text: string): Amount {
  const amount = parseWhole(text)
  if (amount) return amount
  throw usage('AMOUNT is a whole number of coins from 1 to 9007199254740991, in plain digits.')
}

export function hashArgument(text: string): Hash {
  const hash = parseHash(text)
  if (hash !== undefined) return hash
  throw usage('ID is 64 lower-case hex digits.')
}

/** An index from 1, a hash, or the word `latest`. */
export function blockArgument(text: string): number | Hash | 'latest' {
  const name = text === 'latest' ? text : (parseHash(text) ?? parseWhole(text))
  if (name) return name
  throw usage('BLOCK is an index from 1 in plain digits, a hash of 64 lower-case hex digits, or latest.')
}

export function cursorOption(text: string): string {
  if (isCursor(text)) return text
  throw new InvalidArgumentError('It is the "next" of an answer: 16 digits, a hyphen and 6 digits.')
}

/** For options, whose text commander shows beside the message. */
export function wholeOption(text: string): Amount {
  const value = parseWhole(text)
  if (value !== undefined) return value
  throw new InvalidArgumentError('It is a whole number from 0 to 9007199254740991, in plain digits.')
}

/** A number of nodes for `bc lab`. */
export function labNodesOption(text: string): number {
  const value = parseWhole(text) ?? 0
  if (value >= 2 && value <= MOST_LAB_NODES) return value
  throw new InvalidArgumentError(`A lab has 2 to ${MOST_LAB_NODES} nodes.`)
}

export function chainOption(text: string): Hash {
  const chain = parseHash(text)
  if (chain !== undefined) return chain
  throw new InvalidArgumentError('A chain id is 64 lower-case hex digits.')
}

/** A number of things, or the index of a block. */
export function countOption(text: string): Amount {
  const value = parseWhole(text)
  if (value) return value
  throw new InvalidArgumentError('It is a whole number from 1 to 9007199254740991, in plain digits.')
}

export function idArgument(text: string): Hash {
  const id = parseHash(text)
  if (id !== undefined) return id
  throw new InvalidArgumentError("A transaction's id is 64 lower-case hex digits.")
}

/** An empty memo is none (protocol.md, "Transaction"). */
export function memoField(memo: string | undefined): { readonly memo?: string } {
  if (memo === undefined || memo === '') return {}
  // What Node makes of bytes that are no UTF-8. Put right in silence they would be signed as what nobody wrote.
  if (memo.includes('\ufffd')) throw usage('the memo is not UTF-8, or has the character U+FFFD, which stands for that.')
  const bytes = Buffer.byteLength(memo)
  if (bytes > MAX_MEMO_BYTES) throw usage(`the memo has ${bytes} bytes, and ${MAX_MEMO_BYTES} are allowed.`)
  return { memo }
}
