/** The questions that nodes ask each other, and our answers: messages over a transport. */
import { type Hash, headerOfEntry, type Pool, parseBlock, parseJson, sha256Hex } from '@bc/core'
import type { Chain } from '../chain/chain.ts'
import { Counts } from '../counts.ts'
import { Serial } from '../serial.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { Snapshot } from '../storage/database.ts'
import type { StoredEntry } from '../storage/records.ts'
import { Allowance } from './allowance.ts'
import { keepingUp } from './least-rate.ts'
import {
  type Conversation,
  decodeBlocksQuestion,
  decodeEmpty,
  decodeHeaders,
  decodeHeadersQuestion,
  decodeStatus,
  encode,
  encodeHeaders,
  encodeStatus,
  type HeadersQuestion,
  MOST_HEADERS,
  MOST_WAITING,
  type PeerHeaders,
  type PeerStatus,
  protocolName,
  TRANSACTION_BYTES,
} from './messages.ts'
import type { Time } from './time.ts'
import { PeerError, type PeerId, type RequestOptions, type Transport } from './transport.ts'

/** A peer that sends nothing for so long has stalled. */
const STALL_MS = 10_000
const STATUS_BYTES = 1_000
const HEADERS_BYTES = 1_000_000
/**
 * Canonical JSON of blocks that waits for a peer to take it. So much is read from the disk at once, going by the blocks
 * before, and so many at first: whoever asks for big blocks after small ones makes us read a page of them for nothing.
 */
const PAGE_BYTES = 500_000
const [FIRST_PAGE, MOST_OF_PAGE] = [16, 32]

/**
 * What a peer may ask of us, in blocks that we have to look up: whoever asks for more waits. An honest peer that
 * catches up is slower than that.
 */
const UNITS = { burst: 8_000, perSecond: 2_000 } as const
const STATUS_UNITS = 1
const HEADERS_UNITS = 50
/** What waits is put in order for it, and an honest peer asks seldom. */
const POOL_UNITS = 2_000
/** Transactions that are spelled out without letting anything else have its turn: a millisecond's worth. */
const SPELLED_AT_ONCE = 64
/**
 * Questions of one peer that are being answered: as many as two connections have streams for. Whoever hangs up while he
 * is made to wait has no stream any more, and would leave us waiting for nobody as often as he likes.
 */
const MOST_ANSWERED = 64

type Answer = (peer: PeerId, question: Uint8Array) => AsyncGenerator<Uint8Array>

export interface ConversationModules {
  readonly chain: Chain
  readonly store: ChainStore
  readonly pool: Pick<Pool, 'inOrder'>
  readonly transport: Transport
  readonly time: Time
}

export class Conversations {
  private readonly chain: Chain
  private readonly store: ChainStore
  private readonly waiting: ConversationModules['pool']
  private readonly transport: Transport
  private readonly time: Time
  private readonly units: Allowance
  /** How many questions of a peer are being answered. */
  private readonly answered = new Counts()
  /** Pages of blocks are read one after the other: many big ones at once would not fit into memory. */
  private readonly pages = new Serial()

  constructor({ chain, store, pool, transport, time }: ConversationModules) {
    this.chain = chain
    this.store = store
    this.waiting = pool
    this.transport = transport
    this.time = time
    this.units = new Allowance({ ...UNITS, time })
  }

  /** Answers from now on. */
  serve(): void {
    this.answer('status', (peer, question) => this.answerStatus(peer, question))
    this.answer('headers', (peer, question) => this.answerHeaders(peer, question))
    this.answer('blocks', (peer, question) => this.answerBlocks(peer, question))
    this.answer('pool', (peer, question) => this.answerPool(peer, question))
  }

  /** @throws PeerError, RuleError `message.malformed` */
  async status(peer: PeerId, signal: AbortSignal): Promise<PeerStatus> {
    return decodeStatus(await this.askOne(peer, 'status', encode({}), STATUS_BYTES, signal))
  }

  /**
   * The headers after the newest block of the locator that is on the peer's main chain; perhaps not all of them.
   * @throws PeerError, RuleError `message.malformed`, `block.shape`
   */
  async headers(peer: PeerId, locator: readonly Hash[], signal: AbortSignal): Promise<PeerHeaders> {
    const question = encode({ limit: MOST_HEADERS, locator })
    return decodeHeaders(await this.askOne(peer, 'headers', question, HEADERS_BYTES, signal))
  }

  /**
   * The canonical JSON of these blocks, in order; undefined for one that the peer hasn't got. It has been compared with
   * the hash, and not read: that is for {@link Chain.read}.
   * @throws PeerError, RuleError `message.malformed`, `block.shape`
   */
  async *blocks(
    peer: PeerId,
    hashes: readonly Hash[],
    signal: AbortSignal,
  ): AsyncGenerator<string | undefined, void, undefined> {
    const maxFrameBytes = this.chain.rules.maxBlockBytes
    const options = { maxFrameBytes, frames: hashes.length, stallMs: STALL_MS, signal }
    let position = 0
    for await (const frame of this.requestMany(peer, 'blocks', encode({ hashes }), options)) {
      yield frame.length === 0 ? undefined : blockText(frame, hashes[position])
      position++
    }
  }

  /**
   * What waits in the peer's pool, as far as {@link MOST_WAITING} reaches: the bytes of what should be the canonical JSON
   * of a transaction each. Nobody has looked at them.
   * @throws PeerError
   */
  async *pool(peer: PeerId, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { transactions, bytes } = MOST_WAITING
    // And the empty one at the end.
    const options = { maxFrameBytes: TRANSACTION_BYTES, frames: transactions + 1, stallMs: STALL_MS, signal }
    let [count, size] = [0, 0]
    for await (const frame of this.requestMany(peer, 'pool', encode({}), options)) {
      if (frame.length === 0) return
      size += frame.length
      if (++count > transactions || size > bytes) break
      yield frame
    }
    throw new PeerError('oversized', 'the peer tells of more than an answer may have')
  }

  private answer(conversation: Conversation, answer: Answer): void {
    this.transport.serve(this.name(conversation), (peer, question) => this.counted(peer, answer(peer, question)))
  }

  /** @throws PeerError `flooding` for one too many */
  private async *counted(peer: PeerId, frames: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (this.answered.of(peer) >= MOST_ANSWERED) throw new PeerError('flooding', 'the peer asks too much at once')
    this.answered.add(peer)
    try {
      yield* frames
    } finally {
      this.answered.remove(peer)
    }
  }

  private name(conversation: Conversation): string {
    return protocolName(this.chain.id, conversation)
  }

  private request(peer: PeerId, conversation: Conversation, question: Uint8Array, options: RequestOptions) {
    return this.transport.request(peer, this.name(conversation), question, options)
  }

  /** Frame by frame, of a peer that keeps up the least rate. */
  private requestMany(peer: PeerId, conversation: Conversation, question: Uint8Array, options: RequestOptions) {
    return keepingUp(this.request(peer, conversation, question, options), STALL_MS, this.time)
  }

  private async askOne(
    peer: PeerId,
    conversation: Conversation,
    question: Uint8Array,
    maxFrameBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const options = { maxFrameBytes, frames: 1, stallMs: STALL_MS, signal }
    for await (const frame of this.request(peer, conversation, question, options)) return frame
    throw new PeerError('garbled', 'the peer sent no answer')
  }

  private async *answerStatus(peer: PeerId, question: Uint8Array): AsyncGenerator<Uint8Array> {
    decodeEmpty(question)
    await this.charge(peer, STATUS_UNITS)
    const { index, hash, totalWork } = this.chain.head
    yield encodeStatus({ height: index, tip: hash, work: totalWork })
  }

  private async *answerHeaders(peer: PeerId, question: Uint8Array): AsyncGenerator<Uint8Array> {
    const decoded = decodeHeadersQuestion(question)
    await this.charge(peer, HEADERS_UNITS)
    yield encodeHeaders(await this.headersAfter(decoded))
  }

  private async *answerBlocks(peer: PeerId, question: Uint8Array): AsyncGenerator<Uint8Array> {
    const hashes = decodeBlocksQuestion(question)
    await this.charge(peer, hashes.length)
    const entries = await this.store.entries(hashes)
    let page = FIRST_PAGE
    for (let at = 0; at < entries.length; ) {
      const texts = await this.pages.run(() => this.pageOf(entries.slice(at, at + page)))
      yield* texts
      at += texts.length
      page = pageAfter(texts)
    }
  }

  /** Of a pool that lives on meanwhile, and however big it is: read no faster than the peer takes it. */
  private async *answerPool(peer: PeerId, question: Uint8Array): AsyncGenerator<Uint8Array> {
    decodeEmpty(question)
    await this.charge(peer, POOL_UNITS)
    let [count, size] = [0, 0]
    for (const { transaction } of this.waiting.inOrder()) {
      const text = encode(transaction)
      size += text.length
      if (++count > MOST_WAITING.transactions || size > MOST_WAITING.bytes) break
      yield text
      if (count % SPELLED_AT_ONCE === 0) await this.time.sleep(0)
    }
    yield new Uint8Array()
  }

  /** Of these blocks the first, as far as they may wait for the peer together. */
  private async pageOf(entries: readonly (StoredEntry | undefined)[]): Promise<Uint8Array[]> {
    let bytes = 0
    const texts = await this.textsOf(entries)
    const tooMany = texts.findIndex(({ length }, i) => {
      bytes += length
      return i > 0 && bytes > PAGE_BYTES
    })
    return tooMany < 0 ? texts : texts.slice(0, tooMany)
  }

  /** Empty for a block that we don't have to give. */
  private async textsOf(entries: readonly (StoredEntry | undefined)[]): Promise<Uint8Array[]> {
    const given = entries.filter(isGiven)
    const texts = (await this.store.blockTexts(given)).values()
    return entries.map((entry) => (isGiven(entry) ? (texts.next().value as Uint8Array) : new Uint8Array()))
  }

  private async charge(peer: PeerId, units: number): Promise<void> {
    const wait = this.units.wait(peer, units)
    this.units.spend(peer, units)
    if (wait > 0) await this.time.sleep(wait)
  }

  private headersAfter({ locator, limit }: HeadersQuestion): Promise<PeerHeaders> {
    return this.store.reading(async (snapshot) => {
      const from = (await this.forkWith(locator, snapshot)) + 1
      const head = await this.store.headEntry(snapshot)
      const last = Math.min(head.index, from + limit - 1)
      const hashes = await this.store.mainHashes(from, last, snapshot)
      const entries = await this.store.knownEntries(hashes, snapshot)
      return { headers: entries.map(headerOfEntry), tip: hashes.at(-1) }
    })
  }

  /** Index of the newest block that both have: genesis at the least, since the chain's id is in the protocol's name. */
  private async forkWith(locator: readonly Hash[], snapshot: Snapshot): Promise<number> {
    for (const hash of locator) {
      const entry = await this.store.entry(hash)
      if (entry && (await this.store.mainHash(entry.index, snapshot)) === hash) return entry.index
    }
    return 1
  }
}

/**
 * @throws PeerError `garbled` for another block than this one
 * @throws RuleError `message.malformed`, `block.shape` for none
 */
function blockText(frame: Uint8Array, hash: Hash | undefined): string {
  // What has the hash of a block is its canonical JSON, which is ASCII.
  if (sha256Hex(frame) === hash) return Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('latin1')
  const block = parseBlock(parseJson(frame))
  if (block.hash !== hash) throw new PeerError('garbled', 'the peer sent another block')
  return block.canonical
}

/** Genesis follows from the configuration: nobody has to be told. */
function isGiven(entry: StoredEntry | undefined): entry is StoredEntry {
  return entry !== undefined && entry.index > 1 && !entry.refused
}

function pageAfter(texts: readonly Uint8Array[]): number {
  const bytes = texts.reduce((sum, { length }) => sum + length, 0)
  return Math.max(1, Math.min(MOST_OF_PAGE, Math.floor((PAGE_BYTES * texts.length) / Math.max(1, bytes))))
}

/**
 * Hashes of our main chain, the newest first: ten one by one, then at twice the distance each, and genesis. Whoever
 * has another branch finds the fork within a factor of two in a few dozen hashes.
 */
export async function locatorOf(chain: Chain, store: ChainStore): Promise<Hash[]> {
  const heights: number[] = []
  let step = 1
  for (let height: number = chain.head.index; height > 1; height -= step) {
    heights.push(height)
    if (heights.length >= 10) step *= 2
  }
  const hashes = await Promise.all([...heights, 1].map((height) => store.mainHash(height)))
  return hashes.filter((hash) => hash !== undefined)
}
