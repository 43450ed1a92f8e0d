/**
 * Transactions by the thousand, in batches; one by one to a node that takes none. Each has a line of result, in their
 * order, and all that can be read are sent whatever becomes of one: what comes after a refusal may be somebody else's.
 */
import { canonicalJson, isJsonObject, type JsonObject, parseAmount, parseHash, RuleError } from '@bc/core'
import type { OutcomeAnswer } from '@bc/node'
import { LineSplitter, LongLineError } from '@bc/node/ndjson'
import { connect, type NodeClient } from '../client/client.ts'
import { doubtOf, SEND_MANY, strange } from '../client/http.ts'
import { openAnswer, wholeOf } from '../client/http-stream.ts'
import { CliError, EXIT, type ExitCode, exitCodeOf, Refusal } from '../failure.ts'
import { parsed } from '../json.ts'
import type { Settings } from '../settings/options.ts'
import { note, outliveReader, printResult } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { progressOf } from '../terminal/progress.ts'
import { counted } from '../terminal/text.ts'

/** A node takes ten times as many; but a request must arrive in time, and the progress bar should move. */
const BATCH = 1000
const LINE_BYTES = 65_536
const QUESTION = { method: 'POST', path: SEND_MANY } as const
const DOUBT = doubtOf(QUESTION)

/** A transaction to be sent, or what is wrong with the line where one should be. */
export type Candidate = JsonObject | RuleError

export async function sendMany(transactions: readonly Candidate[], settings: Settings): Promise<void> {
  const progress = progressOf('Sending', 'transaction', transactions.length)
  const refused: Refused[] = []
  let done = 0
  // Whoever has read enough of the results wants the rest to be sent all the same.
  outliveReader()
  try {
    for await (const outcome of outcomesOf(transactions, settings)) {
      // The line of progress stands where the next result goes, if both go to one terminal.
      if (process.stdout.isTTY) progress.end()
      printResult(outcome, settings.json, () => readableOutcome(outcome))
      if ('code' in outcome) refused.push(outcome)
      progress.update(++done)
    }
  } finally {
    progress.end()
  }
  if (refused.length > 0) reportRefused(refused, transactions.length)
}

type Refused = Extract<OutcomeAnswer, { code: string }>

/** The results are told, so it is no failure of the command as a whole: a summary, and the exit code of the worst. */
function reportRefused(refused: readonly Refused[], total: number): void {
  const counts = new Map<string, number>()
  for (const { code } of refused) counts.set(code, (counts.get(code) ?? 0) + 1)
  const reasons = [...counts].map(([code, count]) => `${code} ${count}`).join(', ')
  note(`${refused.length} of ${counted(total, 'transaction')} refused: ${printable(reasons)}`)
  // Results that couldn't be written are worse.
  process.exitCode ??= worst(refused.map(({ code }) => exitCodeOf(code)))
}

/** From the worst on. */
const SEVERITY: readonly ExitCode[] = [EXIT.other, EXIT.signature, EXIT.rule]

function worst(codes: readonly ExitCode[]): ExitCode {
  return SEVERITY.find((code) => codes.includes(code)) ?? EXIT.other
}

/** The node's outcomes, and in their places those of the lines that it isn't shown. */
async function* outcomesOf(given: readonly Candidate[], settings: Settings): AsyncGenerator<OutcomeAnswer> {
  let at = 0
  function* unread(): Generator<OutcomeAnswer> {
    for (let one = given[at]; one instanceof RuleError; one = given[++at])
      yield { status: 400, code: one.code, message: one.message }
  }
  const transactions = given.flatMap((one) => (one instanceof RuleError ? [] : [one]))
  yield* unread()
  for await (const outcome of answersTo(transactions, settings)) {
    yield outcome
    at++
    yield* unread()
  }
}

async function* answersTo(transactions: readonly JsonObject[], settings: Settings): AsyncGenerator<OutcomeAnswer> {
  for (let from = 0; from < transactions.length; from += BATCH) {
    const answers = await batch(transactions.slice(from, from + BATCH), settings)
    // A node knows batches or it doesn't, which the first one shows.
    if (answers === undefined) return yield* oneByOne(transactions.slice(from), connect(settings))
    yield* answers
  }
}

const UNKNOWN = [404, 405]

/** @returns undefined where the node takes no batches */
async function batch(
  transactions: readonly JsonObject[],
  settings: Settings,
): Promise<AsyncGenerator<OutcomeAnswer> | undefined> {
  const body = Buffer.from(transactions.map((transaction) => `${canonicalJson(transaction)}\n`).join(''))
  const { status, pieces } = await openAnswer(settings, { ...QUESTION, body }, UNKNOWN)
  if (status === 200) return outcomesIn(pieces, transactions.length, settings)
  // A generator that was never begun has no end to run: its first piece must be asked for to hang up.
  await wholeOf(pieces, 0)
  return undefined
}

/** @throws CliError `cli.answer` where the answer isn't one line for each transaction */
async function* outcomesIn(
  pieces: AsyncIterable<Buffer>,
  count: number,
  { node }: Settings,
): AsyncGenerator<OutcomeAnswer> {
  let told = 0
  let last: OutcomeAnswer | undefined
  for await (const line of linesOf(pieces, node)) {
    last = readOutcome(line)
    if (last === undefined || ++told > count)
      throw strange(node.origin, `${SEND_MANY} with no outcome in a line`, DOUBT)
    yield last
  }
  if (told === count) return
  const rest = `${counted(count - told, 'transaction')} after it`
  if (last && 'code' in last) throw new Refusal(last.code, `${printable(last.message)} Not looked at: ${rest}.`)
  throw new CliError('cli.answer', `${node.origin} does not say what became of ${rest}: see bc transactions.`)
}

async function* linesOf(pieces: AsyncIterable<Buffer>, node: URL): AsyncGenerator<Uint8Array> {
  const splitter = new LineSplitter(LINE_BYTES)
  try {
    for await (const piece of pieces) yield* splitter.feed(piece)
  } catch (error) {
    throw error instanceof LongLineError
      ? strange(node.origin, `${SEND_MANY} with a line that has no end`, DOUBT)
      : error
  }
}

function readOutcome(line: Uint8Array): OutcomeAnswer | undefined {
  const value = parsed(line)
  if (!isJsonObject(value) || parseAmount(value.status) === undefined) return undefined
  const { id, index, code, message } = value
  const accepted = code === undefined && parseHash(id) !== undefined && parseAmount(index) !== undefined
  const refused = id === undefined && typeof code === 'string' && typeof message === 'string'
  return accepted || refused ? (value as unknown as OutcomeAnswer) : undefined
}

/** Each may need the nonce of the one before, so none before that was answered. */
async function* oneByOne(transactions: readonly JsonObject[], node: NodeClient): AsyncGenerator<OutcomeAnswer> {
  for (const transaction of transactions) yield await outcomeOf(transaction, node)
}

async function outcomeOf(transaction: JsonObject, node: NodeClient): Promise<OutcomeAnswer> {
  try {
    const { id, index } = await node.send(transaction)
    return { status: 201, id, index }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { status: error.code === 'tx.signature' ? 401 : 422, code: error.code, message: error.message }
  }
}

function readableOutcome(outcome: OutcomeAnswer): string {
  if ('id' in outcome) return `accepted  ${outcome.id}  block ${outcome.index}`
  return `refused   ${printable(outcome.code)}: ${printable(outcome.message)}`
}
