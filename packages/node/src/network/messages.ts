/**
 * What nodes say to each other: canonical JSON, read by the one strict parser. The chain's id is in every name, so
 * nodes of different chains have nothing to say to each other.
 *
 *     /bc/<chain>/status/1     {}                            → {height, tip, work}
 *     /bc/<chain>/headers/1    {limit, locator: [hash…]}     → {headers: [header…], tip: hash of the last one's block}
 *     /bc/<chain>/blocks/1     {hashes: [hash…]}             → each block's canonical JSON, a frame a block; an empty
 *                                                              frame for one that the peer hasn't got
 *     /bc/<chain>/pool/1       {}                            → what waits: each transaction's canonical JSON, a frame a
 *                                                              transaction; an empty frame after the last one
 *     /bc/<chain>/peers/1      {}                            → {peers: [multiaddress…]}
 *     topic bc/<chain>/blocks/1          a block's canonical JSON
 *     topic bc/<chain>/transactions/1    a transaction's canonical JSON
 */
import {
  canonicalJson,
  type Hash,
  type Header,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseHash,
  parseHeader,
  parseHeight,
  parseJson,
  RuleError,
} from '@bc/core'

export type Conversation = 'status' | 'headers' | 'blocks' | 'pool' | 'peers'
export type Topic = 'blocks' | 'transactions'

export function protocolName(chain: Hash, conversation: Conversation): string {
  return `/bc/${chain}/${conversation}/1`
}

export function topicName(chain: Hash, topic: Topic): string {
  return `bc/${chain}/${topic}/1`
}

/** Headers of one answer: some 400 bytes each. */
export const MOST_HEADERS = 1_000
/** Blocks of one answer. */
export const MOST_BLOCKS = 128
/** Bytes of one transaction's canonical JSON, gossiped or in an answer; the longest that obeys the rules has 1,952. */
export const TRANSACTION_BYTES = 4_000
/** Transactions of one answer, and bytes of all of them: as much as fits into a block. */
export const MOST_WAITING = { transactions: 2_000, bytes: 1_000_000 } as const
/** Addresses of one answer. */
export const MOST_PEERS = 32
const ADDRESS_LENGTH = 300
/** Hashes of a locator: the distance doubles, so 64 reach past any height. */
const MOST_LOCATOR = 64

export interface PeerStatus {
  readonly height: number
  readonly tip: Hash
  readonly work: bigint
}

export interface HeadersQuestion {
  readonly locator: readonly Hash[]
  readonly limit: number
}

export interface PeerHeaders {
  readonly headers: readonly Header[]
  /** Of the block of the last header: its own hash stands in no header. */
  readonly tip: Hash | undefined
}

const utf8 = new TextEncoder()

export function encode(message: JsonValue): Uint8Array {
  return utf8.encode(canonicalJson(message))
}

export function encodeStatus({ height, tip, work }: PeerStatus): Uint8Array {
  return encode({ height, tip, work: work.toString(16) })
}

/** @throws RuleError `message.malformed` */
export function decodeStatus(bytes: Uint8Array): PeerStatus {
  const { height, tip, work } = readObject(bytes, ['height', 'tip', 'work'])
  const [index, hash] = [parseHeight(height), parseHash(tip)]
  if (index === undefined || hash === undefined || typeof work !== 'string' || !/^[0-9a-f]{1,64}$/.test(work))
    throw malformed('a status')
  return { height: index, tip: hash, work: BigInt(`0x${work}`) }
}

/** @throws RuleError `message.malformed` */
export function decodeHeadersQuestion(bytes: Uint8Array): HeadersQuestion {
  const { locator, limit } = readObject(bytes, ['limit', 'locator'])
  if (typeof limit !== 'number' || limit < 1 || limit > MOST_HEADERS) throw malformed('a question for headers')
  return { locator: readHashes(locator, MOST_LOCATOR), limit }
}

export function encodeHeaders({ headers, tip }: PeerHeaders): Uint8Array {
  return encode({ headers, tip: tip ?? null })
}

/** @throws RuleError `message.malformed`, or `block.shape` of a header */
export function decodeHeaders(bytes: Uint8Array): PeerHeaders {
  const { headers, tip } = readObject(bytes, ['headers', 'tip'])
  if (!Array.isArray(headers) || headers.length > MOST_HEADERS) throw malformed('headers')
  const hash = parseHash(tip)
  if ((hash === undefined) !== (headers.length === 0)) throw malformed('headers: the tip must go with them')
  return { headers: headers.map(parseHeader), tip: hash }
}

/** @throws RuleError `message.malformed` */
export function decodeBlocksQuestion(bytes: Uint8Array): readonly Hash[] {
  return readHashes(readObject(bytes, ['hashes']).hashes, MOST_BLOCKS)
}

export function encodePeers(addresses: readonly string[]): Uint8Array {
  return encode({ peers: addresses })
}

/** @throws RuleError `message.malformed` */
export function decodePeers(bytes: Uint8Array): readonly string[] {
  const { peers } = readObject(bytes, ['peers'])
  if (!Array.isArray(peers) || peers.length > MOST_PEERS) throw malformed('a list of peers')
  return peers.map((address) => {
    if (typeof address !== 'string' || address.length > ADDRESS_LENGTH) throw malformed('an address')
    return address
  })
}

/** @throws RuleError `message.malformed` */
export function decodeEmpty(bytes: Uint8Array): void {
  readObject(bytes, [])
}

function readObject(bytes: Uint8Array, keys: readonly string[]): JsonObject {
  const value = parseJson(bytes)
  if (!isJsonObject(value) || Object.keys(value).sort().join() !== [...keys].sort().join())
    throw malformed(`an object of ${keys.join(', ') || 'nothing'}`)
  return value
}

function readHashes(value: JsonValue | undefined, most: number): Hash[] {
  if (!Array.isArray(value) || value.length > most) throw malformed(`a list of at most ${most} hashes`)
  return value.map((item) => {
    const hash = parseHash(item)
    if (hash === undefined) throw malformed('a hash')
    return hash
  })
}

function malformed(what: string): RuleError {
  return new RuleError('message.malformed', `The message is not ${what}.`)
}
