/** Where a chain's blocks come from: a node's pages, a node's `/chain`, a file, standard input. */
import {
  DEFAULT_JSON_LIMITS,
  isJsonObject,
  type JsonValue,
  parseHeight,
  parseJson,
  RuleError,
  sha256Hex,
} from '@bc/core'
import { ListSplitter, malformed, objectFrame } from '@bc/node/list-splitter'
import { LineSplitter, LongLineError } from '@bc/node/ndjson'
import { bodyOf, type Endpoint, strange } from '../client/http.ts'
import { openAnswer } from '../client/http-stream.ts'
import { CliError } from '../failure.ts'
import { parsed } from '../json.ts'
import { nameOf } from '../settings/node-address.ts'
import { longInput } from '../terminal/input.ts'

/** The bytes of one block, as they came. */
export interface BlockText {
  readonly bytes: Uint8Array
  /** Brackets that a message may still nest within it. */
  readonly maxDepth: number
  /** Whether the text is a message by itself, and not a part of one. */
  readonly isAlone: boolean
}

/**
 * Blocks in their order.
 *
 * In a document, as `GET /chain` answers it, all blocks are one message: where that is malformed at its end, it is
 * malformed, whatever else is wrong at its beginning. Of pages and lines each is a message of its own.
 */
export interface BlockSource {
  /** What to call it. */
  readonly name: string
  readonly isOneMessage: boolean
  /** How many there are, where that is known before. */
  readonly total?: number
  readonly blocks: AsyncIterable<BlockText>
}

/** A message may nest so deep (core's parser, and the audit in bash). */
const MAX_DEPTH = DEFAULT_JSON_LIMITS.maxDepth
/** Of one block in a document, or of genesis, whose allocations have no limit: what is longer isn't held. */
const MAX_ITEM_BYTES = 64 << 20
/** Blocks of a page: a node ends it earlier where they are large. */
const PAGE_BLOCKS = 1000
/** Some sixteen times what a node of ours puts into one. */
const MAX_PAGE_BYTES = MAX_ITEM_BYTES
const UNKNOWN_PATH = [404, 405]

/** @throws CliError where there is no such file, or no node */
export async function openBlocks(source: string | undefined, endpoint: Endpoint): Promise<BlockSource> {
  if (source === undefined) return fromNode(endpoint)
  return blocksIn(source === '-' ? 'standard input' : source, longInput(source))
}

// ------------------------------------------------------------------------------------------------------------ A node

/** By pages from a node of ours; from a tutorial's, which has none, what it answers to `GET /chain`. */
async function fromNode(endpoint: Endpoint): Promise<BlockSource> {
  const name = nameOf(endpoint.node)
  const asked = { method: 'GET', path: '/status' } as const
  const { status, pieces } = await openAnswer(endpoint, asked, UNKNOWN_PATH)
  const answer = await bodyOf(pieces, endpoint.node, asked)
  if (status !== 200) {
    const chain = await openAnswer(endpoint, { method: 'GET', path: '/chain' })
    return { name: `${name}/chain`, isOneMessage: true, blocks: documentBlocks(chain.pieces) }
  }
  const known = parsed(answer)
  const total = isJsonObject(known) ? parseHeight(known.height) : undefined
  if (total === undefined) throw strange(endpoint.node.origin, '/status without a proper "height"')
  // What is mined meanwhile is left out: a chain has an end.
  return { name, isOneMessage: false, total, blocks: pagedBlocks(endpoint, { from: 1, to: total }) }
}

export interface Stretch {
  readonly from: number
  /** Included. */
  readonly to: number
}

/**
 * A node's blocks as it has stored them, while the next page is on its way.
 * @throws CliError `cli.answer` where the node has changed over to another chain meanwhile
 */
export async function* pagedBlocks(endpoint: Endpoint, { from, to }: Stretch): AsyncGenerator<BlockText> {
  const leaving = new AbortController()
  const asked = {
    ...endpoint,
    signal: AbortSignal.any([leaving.signal, ...(endpoint.signal ? [endpoint.signal] : [])]),
  }
  let last: LastBlock | undefined
  let coming: Promise<Page> | undefined = ask(asked, from, to)
  try {
    while (coming) {
      const page: Page = await coming
      coming = page.next === null || page.next > to ? undefined : ask(asked, page.next, to)
      // Whoever stops reading here needn't hear how it fares; whoever goes on meets the error when it is awaited.
      coming?.catch(() => undefined)
      await checkJoint(asked, last, page)
      for (const bytes of page.blocks) yield alone(bytes)
      const newest = page.blocks.at(-1)
      if (newest) last = { index: page.from + page.blocks.length - 1, text: Buffer.from(newest).toString() }
    }
  } finally {
    // Nor is the rest of it waited for.
    leaving.abort()
  }
}

interface Page {
  readonly from: number
  readonly blocks: readonly Uint8Array[]
  /** The first index of the next page; null at the end. */
  readonly next: number | null
}

interface LastBlock {
  readonly index: number
  readonly text: string
}

async function ask(endpoint: Endpoint, from: number, to: number): Promise<Page> {
  const limit = Math.min(PAGE_BLOCKS, to - from + 1)
  const path = `/blocks?from=${from}&limit=${limit}`
  const { pieces } = await openAnswer(endpoint, { method: 'GET', path })
  const splitter = new ListSplitter({ maxItemBytes: MAX_ITEM_BYTES })
  const blocks: Uint8Array[] = []
  const next = await asNode(endpoint, path, async () => {
    let size = 0
    for await (const piece of pieces) {
      size += piece.length
      blocks.push(...splitter.feed(piece))
      if (blocks.length > limit || size > MAX_PAGE_BYTES) throw malformed('a page is longer than was asked for')
    }
    return objectFrame(splitter.end().frame, 'blocks', 'next').next
  })
  const follows = next === null || next === from + blocks.length
  if (!follows || (blocks.length === 0 && next !== null))
    throw strange(endpoint.node.origin, `${path} without a proper "next"`)
  return { from, blocks, next: next as number | null }
}

/** What no node of ours says is no fault of a chain. */
async function asNode<T>(endpoint: Endpoint, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof RuleError) throw strange(endpoint.node.origin, `${path} with no page of blocks`)
    throw error
  }
}

/**
 * Two pages are two moments. Where the second doesn't follow from the first, they are asked for once more in one: if one
 * follows from the other there, nothing is wrong with the chain of any moment. If not, whoever reads the blocks says so.
 */
async function checkJoint(endpoint: Endpoint, last: LastBlock | undefined, { blocks }: Page): Promise<void> {
  const [first] = blocks
  if (last === undefined || first === undefined || follows(first, last.text)) return
  const [before, after] = (await ask(endpoint, last.index, last.index + 1)).blocks
  if (before && after && !follows(after, before)) return
  throw new CliError('cli.answer', `${endpoint.node.origin} has changed over to another chain meanwhile: try again.`)
}

function follows(block: Uint8Array, parent: string | Uint8Array): boolean {
  return namedParent(block) === sha256Hex(parent)
}

function namedParent(block: Uint8Array): JsonValue | undefined {
  try {
    return (JSON.parse(Buffer.from(block).toString()) as { previous_hash?: JsonValue } | null)?.previous_hash
  } catch {
    // Malformed: whoever reads the block says so.
    return undefined
  }
}

// ---------------------------------------------------------------------------------------------------- Files and pipes

/** What `GET /chain` answers, a list of blocks, or a block on each line: the first bytes tell. */
export async function blocksIn(name: string, bytes: AsyncIterable<Buffer>): Promise<BlockSource> {
  const reading = bytes[Symbol.asyncIterator]()
  const begun: Buffer[] = []
  let isLines: boolean | undefined
  while (isLines === undefined) {
    const { value, done } = await reading.next()
    if (done) isLines = false
    else begun.push(value)
    isLines ??= startsWithBlock(Buffer.concat(begun))
  }
  const all = rejoined(begun, reading)
  return isLines
    ? { name, isOneMessage: false, blocks: lineBlocks(all) }
    : { name, isOneMessage: true, blocks: documentBlocks(all) }
}

/** With its quotes, since it may be spelled with escapes. */
const FIRST_KEY = /^[ \t\r\n]*\{[ \t\r\n]*("(?:[a-z_]|\\u[0-9a-fA-F]{4})+")/
const BLOCK_FIELDS = ['index', 'merkle_root', 'previous_hash', 'proof', 'rules', 'target', 'timestamp', 'transactions']
/** Enough for a brace and a key, with some blank lines before. */
const HEAD_BYTES = 4096

/** @returns undefined where it is too early to say */
function startsWithBlock(head: Buffer): boolean | undefined {
  const [, key] = FIRST_KEY.exec(head.subarray(0, HEAD_BYTES).toString('latin1')) ?? []
  if (key !== undefined) return BLOCK_FIELDS.includes(JSON.parse(key))
  return head.length >= HEAD_BYTES ? false : undefined
}

async function* rejoined(begun: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* begun
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function* documentBlocks(pieces: AsyncIterable<Buffer>): AsyncGenerator<BlockText> {
  const splitter = new ListSplitter({ maxItemBytes: MAX_ITEM_BYTES })
  for await (const piece of pieces)
    for (const bytes of splitter.feed(piece)) yield { bytes, maxDepth: MAX_DEPTH - splitter.depth, isAlone: false }
  const { frame, items } = splitter.end()
  if (Array.isArray(frame)) return
  if (objectFrame(frame, 'chain', 'length').length !== items)
    throw malformed('its length is not the number of its blocks')
}

async function* lineBlocks(pieces: AsyncIterable<Buffer>): AsyncGenerator<BlockText> {
  const splitter = new LineSplitter(MAX_ITEM_BYTES)
  try {
    for await (const piece of pieces) for (const line of splitter.feed(piece)) yield alone(line)
    const last = splitter.end()
    if (last) yield alone(last)
  } catch (error) {
    throw error instanceof LongLineError ? malformed(error.message) : error
  }
}

function alone(bytes: Uint8Array): BlockText {
  return { bytes, maxDepth: MAX_DEPTH, isAlone: true }
}

/**
 * A block that is a message by itself may be as long as one that a node takes; in a document all of them are one message.
 * @param height of the block, from 1
 * @throws RuleError `message.malformed`
 */
export function parseBlockText({ bytes, maxDepth, isAlone }: BlockText, height: number): JsonValue {
  return parseJson(bytes, { maxBytes: isAlone && height > 1 ? DEFAULT_JSON_LIMITS.maxBytes : MAX_ITEM_BYTES, maxDepth })
}
