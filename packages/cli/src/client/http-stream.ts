/**
 * Answers and bodies that are too long to be held whole: pages of blocks, a whole chain, batches. Like http.ts, on
 * node:http, and for its reasons.
 */
import type { IncomingMessage } from 'node:http'
import { parsed } from '../json.ts'
import { nameOf } from '../settings/node-address.ts'
import { bodyOf, type Endpoint, explained, headersFor, limitOf, refusal, responseTo, strange } from './http.ts'
import { TimeLimit } from './time-limit.ts'

export interface StreamQuestion {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Lines of JSON. */
  readonly body?: Uint8Array
  readonly operator?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** The media type of an answer that is one. */
  readonly type?: string
  /** Milliseconds without a byte once the answer has begun, where they are others than before it. */
  readonly silenceMs?: number
  /** Waits without an upper limit unless the user has set one. */
  readonly patient?: boolean
}

export interface StreamedAnswer {
  readonly status: number
  /** The body as it comes. Whoever stops before its end hangs up. */
  readonly pieces: AsyncGenerator<Buffer>
}

const NDJSON = 'application/x-ndjson'

/**
 * @param accepted statuses from 400 on that aren't to be thrown
 * @throws CliError `cli.no_node`, `cli.answer`, Refusal
 */
export async function openAnswer(
  endpoint: Endpoint,
  question: StreamQuestion,
  accepted: readonly number[] = [],
): Promise<StreamedAnswer> {
  const ms = limitOf(endpoint, question)
  const limit = new TimeLimit(endpoint.signal)
  const base = nameOf(endpoint.node)
  const failed = (error: unknown) => explained(error, question, endpoint, limit.firedAfter)
  let response: IncomingMessage | undefined
  try {
    limit.begin(ms)
    const { method, path, body, operator } = question
    const headers = {
      ...headersFor(NDJSON, body, operator ? endpoint.token() : undefined),
      accept: `application/json, ${NDJSON}`,
      ...question.headers,
    }
    response = await responseTo(new URL(base + path), { method, headers, body, signal: limit.signal })
    const status = response.statusCode ?? 0
    const pieces = piecesOf(response, limit, question.silenceMs ?? ms, failed)
    if (status === 200 && !isOfType(response, question.type))
      throw strange(base, `${question.path} with something that is not ${question.type}`)
    if (status === 200 || accepted.includes(status)) return { status, pieces }
    throw refusal(base, question, status, parsed(await bodyOf(pieces, endpoint.node, question)))
  } catch (error) {
    limit.close()
    response?.destroy()
    throw failed(error)
  }
}

/** @param type undefined for any */
function isOfType({ headers }: IncomingMessage, type: string | undefined): boolean {
  return type === undefined || headers['content-type']?.split(';')[0] === type
}

/** All that comes, where it is short enough; what is longer is cut off. */
export async function wholeOf(pieces: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    parts.push(piece)
    length += piece.length
    if (length > maxBytes) break
  }
  return Buffer.concat(parts).subarray(0, maxBytes)
}

/** Counts only while we wait: how long we take with what came is nobody's fault. */
async function* piecesOf(
  response: IncomingMessage,
  limit: TimeLimit,
  ms: number | undefined,
  failed: (error: unknown) => unknown,
): AsyncGenerator<Buffer> {
  try {
    limit.begin(ms)
    for await (const piece of response as AsyncIterable<Buffer>) {
      limit.end()
      yield piece
      limit.begin(ms)
    }
  } catch (error) {
    throw failed(error)
  } finally {
    limit.close()
    response.destroy()
  }
}
