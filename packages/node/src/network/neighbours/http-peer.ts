/**
 * Asks another node by HTTP. An operator may be talked into naming any address at all, so: http and https alone, no
 * credentials, no redirects, no compression, an answer that is capped and timed (threats.md). On node:http, as the
 * command line's client: `fetch` refuses some ports that a node may well listen on (6000, 5060, …), and follows and unpacks
 * unless it is told not to.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { DEFAULT_JSON_LIMITS, isJsonObject, type JsonObject, orRefusal, parseJson, quoted, RuleError } from '@bc/core'
import { ListSplitter } from '../../list-splitter.ts'
import { keepingUp } from '../least-rate.ts'
import { machineTime } from '../time.ts'

/** Nodes that are asked at once: each may keep us waiting for seconds. */
export const MOST_AT_ONCE = 32
/** Beside the allocations, which it shows as genesis has them. */
const STATUS_BYTES = 100_000
const STATUS_MS = 5_000
/** A tutorial node has its whole chain in one answer. It is read block by block. */
const CHAIN_BYTES = 64_000_000
const CHAIN_MS = 300_000
/** No byte for so long, or next to nothing beside so long, and the node is given up. */
const STALL_MS = 5_000
/** A block as a tutorial node writes it: with spaces and escapes of its own, at most so many times what we write. */
const SPELLING = 2

/** What the tutorial calls a node: host and port. */
export interface NodeUrl {
  readonly origin: string
  /** As `total_nodes` shows it. */
  readonly name: string
}

/**
 * `http://host:port`, or `host:port` as the tutorial's clients send it.
 * @throws RuleError `request.invalid`
 */
export function parseNodeUrl(text: string): NodeUrl {
  const spelled = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(spelled) ? new URL(spelled) : undefined
  const plain =
    url && url.username === '' && url.password === '' && url.pathname === '/' && url.search + url.hash === ''
  // At port 0 nobody listens, and Node would ask at 80.
  if (!plain || !/^https?:$/.test(url.protocol) || url.hostname === '' || url.port === '0') throw invalid(text)
  return { origin: url.origin, name: url.host }
}

function invalid(text: string): RuleError {
  return new RuleError('request.invalid', `Error: Please supply a valid list of nodes: "${text}" is none.`)
}

/**
 * @param genesisBytes of our own chain: a longer one is another
 * @returns the node's status; undefined for one that has no such thing: a tutorial node
 * @throws RuleError `request.invalid` where nothing of a node answers; the signal's reason, once it is aborted
 */
export async function askStatus(
  { origin, name }: NodeUrl,
  genesisBytes: number,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const pieces: Uint8Array[] = []
  const limits = { maxBytes: STATUS_BYTES + genesisBytes, ms: STATUS_MS, signal }
  try {
    for await (const piece of get(`${origin}/status`, name, limits)) pieces.push(piece)
  } catch (error) {
    if (error instanceof StatusError) return undefined
    throw error
  }
  return readObject(Buffer.concat(pieces), name)
}

/**
 * The blocks of its `/chain`, as they arrive.
 * @param longest bytes of the longest block that our rules allow
 * @param ms for all of it
 * @throws RuleError `request.invalid` where it isn't a chain in form; whether it is valid is the door's to say. The
 *   signal's reason, once it is aborted
 */
export async function* askChain(
  { origin, name }: NodeUrl,
  longest: number,
  signal: AbortSignal,
  ms: number = CHAIN_MS,
): AsyncGenerator<Uint8Array> {
  const splitter = new ListSplitter({ maxItemBytes: SPELLING * longest, key: 'chain' })
  let blocks = 0
  try {
    for await (const piece of get(`${origin}/chain`, name, { maxBytes: CHAIN_BYTES, ms, signal })) {
      const complete = splitter.feed(piece)
      blocks += complete.length
      yield* complete
    }
  } catch (error) {
    throw error instanceof StatusError || isSplitting(error) ? noNode(name, error.message) : error
  }
  if (blocks === 0) throw noNode(name, 'it has no chain')
}

function isSplitting(error: unknown): error is RuleError {
  return error instanceof RuleError && error.code !== 'request.invalid'
}

interface Limits {
  readonly maxBytes: number
  readonly ms: number
  readonly signal: AbortSignal
}

/** Counts what comes, whatever the headers say. */
async function* get(url: string, name: string, { maxBytes, ms, signal }: Limits): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const ending = new AbortController()
  const end = () => ending.abort(signal.reason)
  signal.addEventListener('abort', end)
  const late = setTimeout(() => ending.abort(new Error('it takes too long')), ms)
  const waiting = () => setTimeout(() => ending.abort(new Error('it says nothing')), STALL_MS)
  let stalled = waiting()
  try {
    const answer = await answerOf(url, ending.signal)
    const { statusCode: status = 0, headers } = answer
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') throw new TypeError(`its answer is compressed (${quoted(encoding)})`)
    if (REDIRECTS.includes(status)) throw new TypeError('it sends us elsewhere')
    if (status < 200 || status > 299) throw new StatusError(`it answers with the status ${status}`)
    let size = 0
    for await (const piece of keepingUp(answer, STALL_MS, machineTime)) {
      size += piece.length
      if (size > maxBytes) throw new TypeError(`its answer is longer than ${maxBytes} bytes`)
      clearTimeout(stalled)
      yield piece
      stalled = waiting()
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof StatusError || error instanceof RuleError) throw error
    const { message, code } = (ending.signal.aborted ? ending.signal.reason : error) as NodeJS.ErrnoException
    if (code === HUNG_UP) throw new StatusError('it hangs up')
    throw noNode(name, message)
  } finally {
    clearTimeout(late)
    clearTimeout(stalled)
    signal.removeEventListener('abort', end)
    // What is left of the answer is of no interest, and would be received in full otherwise.
    ending.abort(new Error('no longer wanted'))
  }
}

/** A connection of its own for each, so that nothing is left of it. */
function answerOf(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    // It stays: whoever is hung up on in the midst of an answer is told here as well.
    request(url, { headers: HEADERS, agent: false, signal }, resolve).on('error', reject).end()
  })
}

const HEADERS = { accept: 'application/json', 'accept-encoding': 'identity' }
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** How small servers answer what they don't know. */
const HUNG_UP = 'ECONNRESET'

/** There is somebody, and he has no such thing: another status than 200, or none. */
class StatusError extends Error {
  override readonly name = 'StatusError'
}

function noNode(name: string, reason: string): RuleError {
  return new RuleError('request.invalid', `${name} doesn't answer as a node would: ${reason}.`)
}

function readObject(body: Uint8Array, name: string): JsonObject {
  const value = orRefusal(() => parseJson(body, { ...DEFAULT_JSON_LIMITS, maxBytes: body.length }))
  if (value instanceof RuleError || !isJsonObject(value)) throw noNode(name, 'its answer is no JSON object')
  return value
}
