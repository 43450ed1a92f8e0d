/**
 * One question to a node over HTTP, and its answer.
 *
 * On node:http and not on `fetch`, for two reasons: `fetch` gives up by itself after five minutes without an answer,
 * and mining may take longer; and it refuses to speak to some ports (6000, 5060, …: the "bad ports" of the Fetch
 * standard) that a node may well listen on. What it would do for us, following redirects and unpacking compressed
 * bodies, is what a stranger's answer must not make us do.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions, STATUS_CODES } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '@bc/core'
import { CliError, Refusal } from '../failure.ts'
import { parsed } from '../json.ts'
import { DEFAULT_TIMEOUT, nameOf } from '../settings/node-address.ts'
import { printable } from '../terminal/printable.ts'
import { type Shape, wrongField } from './answer.ts'
import { TimeLimit } from './time-limit.ts'

export interface Endpoint {
  readonly node: URL
  /** Milliseconds for the whole of an answer, where the user asks for less or more than usual. */
  readonly timeout: number | undefined
  /** Milliseconds that take the place of the usual limit; a patient question waits on. */
  readonly usualTimeout?: number | undefined
  /** Ends a question that is under way, with its reason as the error. */
  readonly signal?: AbortSignal
  /** The operator's token. It goes to the operator's endpoints alone. */
  token(): string | undefined
}

export const USUAL_TIMEOUT = DEFAULT_TIMEOUT * 1000
/** A block has its limit in the rules of its chain; none that anyone uses comes near. */
const USUAL_BYTES = 16 << 20
export const SEND = '/transactions/new'
export const SEND_MANY = '/transactions'

export type Asked = Pick<Question<unknown>, 'method' | 'path'>

/** For requests whose failure needs care: they may have had their effect. A neighbour may be registered twice. */
export function doubtOf({ method, path }: Asked): string {
  const sends = method === 'POST' && (path === SEND || path === SEND_MANY)
  return sends ? ' It may have been taken all the same: see bc transactions.' : ''
}

export interface Question<T> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly shape: Shape<T>
  readonly body?: JsonObject
  readonly operator?: boolean
  /** Waits without an upper limit unless the user has set one. */
  readonly patient?: boolean
  readonly maxBytes?: number
  /** The answer's bytes are canonical JSON, so that what is printed of it again is what came. */
  readonly canonical?: boolean
}

export async function ask<T>(endpoint: Endpoint, question: Question<T>): Promise<T> {
  const base = nameOf(endpoint.node)
  const { status, body } = await exchange(new URL(base + question.path), question, endpoint)
  const answer = parsed(body)
  if (status >= 400) throw refusal(base, question, status, answer)
  if (status >= 300) throw strange(base, `with ${status} ${STATUS_CODES[status] ?? ''}`)
  const doubt = doubtOf(question)
  if (!isJsonObject(answer))
    throw strange(base, `${question.path} with something that is not the protocol's JSON`, doubt)
  if (question.canonical && canonicalJson(answer) !== Buffer.from(body).toString('latin1'))
    throw strange(base, `${question.path} with JSON that is not canonical`)
  const wrong = wrongField(answer, question.shape)
  if (wrong !== undefined) throw strange(base, `${question.path} without a proper "${wrong}"`, doubt)
  return answer as T
}

const RULE_CODE = /^[a-z]{1,32}\.[a-z_]{1,64}$/

/**
 * A node of ours names the rule. The tutorial's own nodes say no in plain text, with the same status. A proxy may say
 * that it knows of no answer to what it has passed on.
 */
export function refusal(base: string, asked: Asked, status: number, answer: JsonValue | undefined) {
  const { code, message } = isJsonObject(answer) ? answer : {}
  const sentence = typeof message === 'string' ? printable(message) : undefined
  if (typeof code === 'string' && RULE_CODE.test(code)) return new Refusal(code, sentence ?? `refused with ${status}`)
  if (status === 401 && asked.path === SEND)
    return new Refusal('tx.signature', sentence ?? 'Signature verification failure')
  const how = `with ${status} ${STATUS_CODES[status] ?? ''} and no reason that a node would give`
  return strange(base, how, status >= 300 && status < 500 ? '' : doubtOf(asked))
}

/** @param doubt what may have happened all the same */
export function strange(base: string, how: string, doubt = ''): CliError {
  return new CliError('cli.answer', `${base} answers ${how.trim()}: is that a node?${doubt}`)
}

interface Answer {
  readonly status: number
  readonly body: Uint8Array
}

async function exchange<T>(url: URL, question: Question<T>, endpoint: Endpoint): Promise<Answer> {
  const limit = new TimeLimit(endpoint.signal)
  try {
    limit.begin(limitOf(endpoint, question))
    const body = question.body && Buffer.from(canonicalJson(question.body))
    const headers = headersFor('application/json', body, question.operator ? endpoint.token() : undefined)
    const response = await responseTo(url, { method: question.method, headers, body, signal: limit.signal })
    return { status: response.statusCode ?? 0, body: await bodyOf(response, endpoint.node, question) }
  } catch (error) {
    throw explained(error, question, endpoint, limit.firedAfter)
  } finally {
    limit.close()
  }
}

/** Milliseconds that are waited: for an answer that is held whole as a whole, for any other piece by piece. */
export function limitOf(
  { timeout, usualTimeout = USUAL_TIMEOUT }: Endpoint,
  { patient = false }: { readonly patient?: boolean },
): number | undefined {
  return timeout ?? (patient ? undefined : usualTimeout)
}

/** @param type of the body */
export function headersFor(type: string, body: Uint8Array | undefined, token: string | undefined) {
  return {
    accept: 'application/json',
    ...(body && { 'content-type': type, 'content-length': String(body.length) }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
}

export function responseTo(
  url: URL,
  { body, ...options }: RequestOptions & { readonly body: Uint8Array | undefined },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No agent: a connection that is kept open would keep the process.
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { ...options, agent: false }, resolve)
    request.on('error', reject)
    request.end(body)
  })
}

/**
 * All of an answer. Counts what comes and not what was announced.
 * @throws CliError `cli.answer` where it is longer than its question expects
 */
export async function bodyOf(
  pieces: AsyncIterable<Buffer>,
  node: URL,
  asked: Asked & { readonly maxBytes?: number },
): Promise<Uint8Array> {
  const { maxBytes = USUAL_BYTES } = asked
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of pieces) {
    length += chunk.length
    if (length > maxBytes) throw strange(node.origin, `with more than ${maxBytes} bytes`, doubtOf(asked))
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: "the host's name can't be looked up now",
  ECONNRESET: 'the connection broke off',
  EPIPE: 'the connection broke off',
}

/** @param timeout milliseconds, where they are up */
export function explained(
  error: unknown,
  asked: Asked,
  { node, signal }: Endpoint,
  timeout: number | undefined,
): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof CliError || error instanceof Refusal) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  if (code.startsWith('HPE_')) return strange(node.origin, 'in something that is not HTTP', doubtOf(asked))
  if (code === 'EPROTO') return strange(node.origin, 'in something that is not TLS, so it may be an http:// address')
  const cause = timeout === undefined ? (CAUSES[code] ?? message) : `no answer within ${timeout / 1000} s`
  const reached = timeout !== undefined || code === 'ECONNRESET' || code === 'EPIPE'
  // Only a request that was sent may have had its effect.
  const doubt = reached ? doubtOf(asked) : ''
  const advice = reached ? '' : ' Start one with bc-node, or name another with --node URL or BC_NODE.'
  return new CliError('cli.no_node', `no node at ${node.origin}: ${cause}.${doubt}${advice}`)
}
