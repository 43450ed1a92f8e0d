/** A signed transaction to the node: from four words, from standard input, or from answers to questions. */
import {
  DEFAULT_JSON_LIMITS,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  orRefusal,
  parseAddress,
  parseJson,
  parseSignature,
  RuleError,
} from '@bc/core'
import { isBlank, LineSplitter } from '@bc/node/ndjson'
import { connect } from '../client/client.ts'
import { addressFault, amountArgument, memoField, parseWhole } from '../command-line/arguments.ts'
import { usage } from '../failure.ts'
import { isKeyName } from '../keys/key-name.ts'
import { readableAccepted } from '../readable/answers.ts'
import type { KeySource } from '../settings/key-source.ts'
import type { Settings } from '../settings/options.ts'
import { readInput } from '../terminal/input.ts'
import { printResult } from '../terminal/output.ts'
import { openQuestions } from '../terminal/questions.ts'
import type { Candidate } from './send-many.ts'

export interface SendOptions {
  readonly nonce?: number
  readonly fee?: number
  readonly memo?: string
}

/** Some fifty thousand transactions: a full pool. */
const MAX_INPUT = 64 << 20
const JSON_LIMITS = { ...DEFAULT_JSON_LIMITS, maxBytes: MAX_INPUT }

export async function sendTx(
  words: readonly string[],
  options: SendOptions,
  source: KeySource,
  settings: Settings,
): Promise<void> {
  const transactions = await transactionsFrom(words, options, source, settings)
  const [first, ...others] = transactions
  if (first === undefined) return
  if (others.length > 0 || first instanceof RuleError) {
    const { sendMany } = await import('./send-many.ts')
    return sendMany(transactions, settings)
  }
  const answer = await connect(settings).send(first)
  printResult(answer, settings.json, (width) => readableAccepted(answer, width))
}

async function transactionsFrom(
  words: readonly string[],
  options: SendOptions,
  source: KeySource,
  settings: Settings,
): Promise<readonly Candidate[]> {
  const [sender, recipient, amount, signature] = words
  if (sender !== undefined && recipient !== undefined && amount !== undefined && signature !== undefined)
    return [
      {
        sender: await named(sender, source),
        recipient: await named(recipient, source),
        amount: amountArgument(amount),
        signature,
        ...fieldsOf(options),
      },
    ]
  if (words.length > 0) throw usage('send-tx takes SENDER RECIPIENT AMOUNT SIGNATURE, or none of them.')
  if (process.stdin.isTTY) return [{ ...(await askForFields(settings.node, source)), ...fieldsOf(options) }]
  if (Object.keys(fieldsOf(options)).length > 0)
    throw usage('--nonce, --fee and --memo go with the four arguments: a transaction on standard input has its own.')
  return readTransactions(await readInput(MAX_INPUT))
}

/** The name of a stored key is ours to read. Whether anything else is an address is the node's to say. */
async function named(word: string, { folder }: KeySource): Promise<string> {
  if (!isKeyName(word)) return word
  const { openKeystore } = await import('../keys/keystore.ts')
  return openKeystore(folder).find(word)?.address ?? word
}

/** What isn't given isn't sent: the node then reads it as the sender's next nonce and no fee. */
function fieldsOf({ nonce, fee, memo }: SendOptions): JsonObject {
  return { ...(nonce !== undefined && { nonce }), ...(fee !== undefined && { fee }), ...memoField(memo) }
}

/** The four questions of the tutorial's client. */
async function askForFields(node: URL, source: KeySource): Promise<JsonObject> {
  process.stderr.write(`A transaction for ${node.origin}\n\n`)
  const questions = openQuestions()
  const account = async (text: string) =>
    parseAddress(await named(text, source)) === undefined ? noAccount(text) : undefined
  const amount = (text: string) => (parseWhole(text) ? undefined : 'A whole number of coins, from 1.')
  const signed = (text: string) =>
    parseSignature(text) === undefined ? 'A signature is 128 lower-case hex digits: bc sign prints one.' : undefined
  try {
    return {
      sender: await named(await questions.ask('Sender:    ', account), source),
      recipient: await named(await questions.ask('Recipient: ', account), source),
      amount: parseWhole(await questions.ask('Amount:    ', amount)) ?? 0,
      signature: await questions.ask('Signature: ', signed),
    }
  } finally {
    questions.close()
  }
}

function noAccount(text: string): string {
  const named = isKeyName(text) ? ', and no stored key has that name' : ''
  return `No address: ${addressFault(text)}${named}.`
}

/** One transaction, printed in whatever way, or one on each line. */
function readTransactions(input: Uint8Array): readonly Candidate[] {
  const splitter = new LineSplitter(MAX_INPUT)
  const lines = [...splitter.feedCounted(input), splitter.end() ?? new Uint8Array()]
  if (lines.every(isBlank)) throw usage('standard input is empty: a signed transaction as JSON was expected there.')
  const whole = orRefusal(() => parse(input))
  if (!(whole instanceof RuleError)) return [transactionIn(whole)]
  const read = lines.flatMap((line, i) => (isBlank(line) ? [] : [transactionOn(line, i + 1)]))
  // Where none of them is one by itself it is one over all of them, and the fault is its own.
  if (read.every((one) => one instanceof RuleError)) throw whole
  return read
}

function parse(bytes: Uint8Array): JsonValue {
  return parseJson(decoded(bytes).trim(), JSON_LIMITS)
}

/** Strictly: a byte that is put right in silence is a memo that nobody signed. */
function decoded(input: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch {
    throw new RuleError('message.malformed', 'The message on standard input is not UTF-8.')
  }
}

function transactionOn(line: Uint8Array, number: number): Candidate {
  const one = orRefusal(() => transactionIn(parse(line)))
  return one instanceof RuleError ? new RuleError(one.code, `Line ${number}: ${one.message}`, one.data) : one
}

function transactionIn(value: JsonValue): JsonObject {
  if (isJsonObject(value)) return value
  throw new RuleError('tx.shape', 'This is no transaction: a transaction is an object.')
}
