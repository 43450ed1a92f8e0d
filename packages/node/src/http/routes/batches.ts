/** Many at once, a value on each line: blocks from a file, transactions by the thousand. */
import { PassThrough } from 'node:stream'
import { RuleError } from '@bc/core'
import { ImportRefused, importLines, longestLine } from '../../chain/import-lines.ts'
import { isBlank, NDJSON_TYPE } from '../../ndjson.ts'
import { Allowance } from '../../network/allowance.ts'
import { strangerAt } from '../../network/hosts.ts'
import { machineTime } from '../../network/time.ts'
import { Batches, GROUP, isAdmitted, type LineOutcome } from '../../pool/batches.ts'
import { type FormCheck, SUBMISSION_BYTES } from '../../pool/submission.ts'
import { type App, answers, refuses, sendJson } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { answerOf, clientGone, reportDamage } from '../errors.ts'
import { linesOf, sendLines, withLines } from '../ndjson-body.ts'
import { ImportedSchema, ImportRefusedSchema, NdjsonBody, NoQuery, OutcomeSchema } from '../schemas.ts'
import { formCheck } from '../transaction-form.ts'

/**
 * Read whole before the first is imported: a request has 15 seconds to arrive, and to connect so many blocks may take
 * longer. What is longer is sent in parts.
 */
const IMPORT_BYTES = 16 << 20

/** What one request may hand in: it has 15 seconds to arrive, and its answer is held until the client takes it. */
const MOST_TRANSACTIONS = 10_000
/** A stranger's lines, as many as he could send one by one. */
const STRANGERS_LINES = { burst: 500, perSecond: 50 }

type Body = ReturnType<typeof linesOf>

export async function batchRoutes(app: App, context: RouteContext): Promise<void> {
  await withLines(app, (scoped) => {
    importBlocks(scoped, context)
    submitTransactions(scoped, context)
  })
}

function importBlocks(app: App, { chain, store, network, stopping, onImported }: RouteContext): void {
  app.route({
    method: 'POST',
    url: '/blocks',
    config: { operator: true },
    schema: {
      summary: 'Hand in blocks, one on each line, in their order: the first bad one ends it',
      description:
        'One beside the main chain is in once its form, work, signatures and reward are right. Its nonces and balances ' +
        'are checked when its branch gets the most work, and it is refused then.',
      querystring: NoQuery,
      body: { content: { [NDJSON_TYPE]: { schema: NdjsonBody } } },
      response: {
        ...answers(200, ImportedSchema),
        ...refuses(403, 413, 415),
        ...Object.fromEntries([400, 401, 409, 422, 503].map((status) => [status, ImportRefusedSchema])),
      },
    },
    handler: async (request, reply) => {
      const limits = { maxLineBytes: longestLine(chain), maxBytes: IMPORT_BYTES }
      const { lines, numbers } = await numbered(linesOf(request.body, limits))
      const before = chain.head.hash
      const checkWanted = () => {
        stopping.throwIfAborted()
        if (request.socket.destroyed) throw clientGone()
      }
      try {
        const count = await importLines({ chain, store }, lines, checkWanted).finally(onImported)
        return { ...count, height: chain.head.index, tip: chain.head.hash }
      } catch (error) {
        if (!(error instanceof ImportRefused)) throw error
        const { rule, count } = error
        const line = numbers[error.line - 1]
        const refusal = answerOf(rule.code, `Line ${line}: ${rule.message}`)
        reply.code(refusal.statusCode as 200)
        return sendJson(reply, JSON.stringify({ ...refusal, ...count, line }))
      } finally {
        const { index, hash } = chain.head
        // The newest alone: whoever hasn't the blocks before it will ask for them.
        if (hash !== before) network.announceBlock({ canonical: (await store.blockText(index, hash)).toString() })
      }
    },
  })
}

/** The lines that aren't blank, and the number of each as an editor counts them. */
async function numbered(body: AsyncIterable<readonly Uint8Array[]>) {
  const [lines, numbers]: [Uint8Array[], number[]] = [[], []]
  let number = 0
  for await (const some of body)
    for (const line of some) {
      number++
      if (isBlank(line)) continue
      lines.push(line)
      numbers.push(number)
    }
  return { lines, numbers }
}

function submitTransactions(app: App, { admission, chain, network, onFailure }: RouteContext): void {
  const batches = new Batches(admission, () => chain.head.index + 1)
  const allowance = new Allowance({ ...STRANGERS_LINES, time: machineTime })
  app.route({
    method: 'POST',
    url: '/transactions',
    config: { changes: true },
    schema: {
      summary: 'Hand in signed transactions, one on each line; the answer has a line for each, in their order',
      querystring: NoQuery,
      body: { content: { [NDJSON_TYPE]: { schema: NdjsonBody } } },
      response: {
        200: { description: 'An outcome on each line', content: { [NDJSON_TYPE]: { schema: OutcomeSchema } } },
        ...refuses(400, 415),
      },
    },
    handler: async (request, reply) => {
      // Whose socket is gone has no address to be counted by.
      if (request.socket.destroyed) throw clientGone()
      const body = linesOf(request.body, {
        maxLineBytes: SUBMISSION_BYTES,
        maxBytes: MOST_TRANSACTIONS * SUBMISSION_BYTES,
      })
      const answer = new PassThrough()
      const stranger = strangerAt(request.socket.remoteAddress)
      answerLines(answer, body, stranger, formCheck(request)).catch((error) => {
        reportDamage(error, onFailure)
        answer.destroy(error)
      })
      return sendLines(reply, answer)
    },
  })

  async function answerLines(
    answer: PassThrough,
    body: Body,
    stranger: string | undefined,
    faultOf: FormCheck,
  ): Promise<void> {
    let end: unknown
    const groups = inGroups(body, stranger, (error) => {
      end = error
    })
    await batches.admit(groups, faultOf, (outcomes) => {
      for (const { outcome } of outcomes) if (isAdmitted(outcome)) network.announceTransaction(outcome.transaction)
      // Held for a client that sends all before it reads anything: so much it is not.
      answer.write(outcomes.map(lineOf).join(''))
    })
    if (end !== undefined && !(end instanceof RuleError)) throw end
    answer.end(end && lineOf({ outcome: end, index: 0 }))
  }

  /**
   * Lines in groups of one size, however they arrive: those before what ends them, a refusal or a client who hangs up.
   * Groups that are under way have an outcome all the same.
   */
  async function* inGroups(body: Body, stranger: string | undefined, ended: (error: unknown) => void) {
    let [group, count]: [Uint8Array[], number] = [[], 0]
    try {
      for await (const lines of body)
        for (const line of lines) {
          if (isBlank(line)) continue
          checkAllowed(++count, stranger)
          group.push(line)
          if (group.length < GROUP) continue
          yield group
          group = []
        }
    } catch (error) {
      ended(error)
      if (!(error instanceof RuleError)) return
    }
    if (group.length > 0) yield group
  }

  function checkAllowed(count: number, stranger: string | undefined): void {
    if (count > MOST_TRANSACTIONS)
      throw new RuleError('request.too_large', `More than ${MOST_TRANSACTIONS} transactions: send them in parts.`)
    if (stranger === undefined || allowance.spend(stranger, 1) >= 0) return
    const { perSecond } = STRANGERS_LINES
    throw new RuleError('request.rate', `More than ${perSecond} transactions a second: try again later.`)
  }
}

function lineOf({ outcome, index }: LineOutcome): string {
  if (isAdmitted(outcome)) return `${JSON.stringify({ status: 201, id: outcome.id, index })}\n`
  const { statusCode, code, message } = answerOf(outcome.code, outcome.message)
  return `${JSON.stringify({ status: statusCode, code, message })}\n`
}
