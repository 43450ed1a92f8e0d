/**
 * Answers and bodies that are too long to be held whole: pages of blocks, a whole chain, batches. Like http.ts, on
 * node:http, and for its reasons.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Endpoint, explained, parsed, refusal, strange } from './http.ts'

export interface StreamQuestion {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Lines of JSON. */
  readonly body?: Uint8Array
  readonly operator?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** The media type of an answer that is one. */
  readonly type?: string
  /** Hangs up, also while nothing comes. */
  readonly signal?: AbortSignal
  /** Another limit than the usual one. */
  readonly stallMs?: number
  /** Waits without an upper limit unless the user has set one. */
  readonly patient?: boolean
}

export interface StreamedAnswer {
  readonly status: number
  /** The body as it comes. Whoever stops before its end hangs up. */
  readonly pieces: AsyncGenerator<Buffer>
}

/** No byte for so long, in milliseconds, and the node is given up; `--timeout` says otherwise. */
const STALL_MS = 30_000
/** A refusal is a sentence. */
const REFUSAL_BYTES = 1 << 20

/**
 * @param accepted statuses from 400 on that aren't to be thrown
 * @throws CliError `cli.no_node`, `cli.answer`, Refusal
 */
export async function openAnswer(
  endpoint: Endpoint,
  question: StreamQuestion,
  accepted: readonly number[] = [],
): Promise<StreamedAnswer> {
  const watch = new Watch(
    question.stallMs ?? endpoint.timeout ?? (question.patient ? undefined : STALL_MS),
    question.signal,
  )
  const base = endpoint.node.href.replace(/\/$/, '')
  const failed = (error: unknown) => explained(error, question, endpoint.node, watch.firedAfter)
  try {
    const response = await responseTo(new URL(base + question.path), question, endpoint, watch)
    const status = response.statusCode ?? 0
    const pieces = piecesOf(response, watch, failed)
    if (status === 200 && !isOfType(response, question.type))
      throw strange(base, `${question.path} with something that is not ${question.type}`)
    if (status === 200 || accepted.includes(status)) return { status, pieces }
    throw refusal(base, question, status, parsed(await wholeOf(pieces, REFUSAL_BYTES), REFUSAL_BYTES))
  } catch (error) {
    watch.close()
    throw failed(error)
  }
}

/** @param type undefined for any */
function isOfType({ headers }: IncomingMessage, type: string | undefined): boolean {
  return type === undefined || headers['content-type']?.split(';')[0] === type
}

/** All of an answer, where it is short enough; what is longer is cut off. */
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
class Watch {
  private readonly stop = new AbortController()
  private readonly ms: number | undefined
  private readonly ended: () => void
  private timer: NodeJS.Timeout | undefined
  /** Milliseconds, once they are up. */
  firedAfter: number | undefined

  constructor(ms: number | undefined, outer?: AbortSignal) {
    this.ms = ms
    const abort = () => this.stop.abort(outer?.reason)
    outer?.addEventListener('abort', abort)
    this.ended = () => outer?.removeEventListener('abort', abort)
    if (outer?.aborted) abort()
  }

  get signal(): AbortSignal {
    return this.stop.signal
  }

  begin(): void {
    this.end()
    if (this.ms === undefined) return
    this.timer = setTimeout(() => {
      this.firedAfter = this.ms
      this.stop.abort()
    }, this.ms)
  }

  end(): void {
    clearTimeout(this.timer)
  }

  /** Nobody waits any more. */
  close(): void {
    this.end()
    this.ended()
  }
}

function responseTo(url: URL, question: StreamQuestion, endpoint: Endpoint, watch: Watch): Promise<IncomingMessage> {
  const { method, body, operator } = question
  const token = operator ? endpoint.token() : undefined
  const headers = {
    accept: 'application/json, application/x-ndjson',
    ...(body && { 'content-type': 'application/x-ndjson', 'content-length': String(body.length) }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...question.headers,
  }
  const options: RequestOptions = { method, headers, agent: false, signal: watch.signal }
  watch.begin()
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, resolve)
    request.on('error', reject)
    request.end(body)
  })
}

async function* piecesOf(
  response: IncomingMessage,
  watch: Watch,
  failed: (error: unknown) => unknown,
): AsyncGenerator<Buffer> {
  try {
    watch.begin()
    for await (const piece of response as AsyncIterable<Buffer>) {
      watch.end()
      yield piece
      watch.begin()
    }
  } catch (error) {
    throw failed(error)
  } finally {
    watch.close()
    response.destroy()
  }
}
