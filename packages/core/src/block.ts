/** Blocks: their form, their hash and their commitment (protocol.md, "Block"). */
import { sha256Hex } from './hash.ts'
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { DEFAULT_JSON_LIMITS, parseJson } from './json-parse.ts'
import { EMPTY_ROOT, merkleRoot } from './merkle.ts'
import { type ChainRules, exceedsSupply } from './params.ts'
import {
  type Hash,
  type Height,
  type Proof,
  parseHash,
  parseHeight,
  parseProof,
  parseTarget,
  type Target,
} from './primitives.ts'
import { proofOf } from './proof-of-work.ts'
import { RuleError } from './rules.ts'
import { easiestTarget } from './target.ts'

/**
 * A block without its transactions. Headers chain by themselves: a seal binds the previous header's commitment.
 *
 * What has a canonical form is a type and no interface: TypeScript takes it for a {@link JsonObject} then.
 */
export type Header = {
  readonly index: Height
  readonly merkle_root: Hash
  readonly previous_hash: Hash
  readonly proof: Proof
  readonly target: Target
  /** Whole Unix seconds. */
  readonly timestamp: number
}

/** The tutorial's five fields and two more. */
export type Block = Header & {
  /** Of any form: each is judged by `tx.shape` after all that the block itself must be. */
  readonly transactions: readonly JsonValue[]
}

export type HeaderFields = Omit<Header, 'proof'>

/** The first block: index 1, `previous_hash` "1", and the rules of its chain. */
export type Genesis = Omit<Header, 'previous_hash'> & {
  readonly previous_hash: '1'
  readonly rules: ChainRules
  readonly transactions: readonly []
}

/** A block of the right shape, and what every later stage needs of it. */
export interface ParsedBlock {
  readonly block: Block
  readonly hash: Hash
  /** What is hashed, stored and sent: ASCII, so its length is its size in bytes. */
  readonly canonical: string
  /** The Merkle root of the transactions that are in it, whatever it says. */
  readonly root: Hash
}

/** One that was spelled just now. Whoever holds it for long has no need of the texts: they are as long as the block. */
export interface SpelledBlock extends ParsedBlock {
  /** The canonical JSON of each transaction, which the Merkle tree's leaves are hashes of. */
  readonly texts: readonly string[]
}

const HEADER_FIELDS = ['index', 'merkle_root', 'previous_hash', 'proof', 'target', 'timestamp'] as const
/** What stands between a header and its transactions in a block's canonical text. */
const TRANSACTIONS = ', "transactions": '

/** @throws RuleError `block.shape` */
export function parseBlock(value: JsonValue): SpelledBlock {
  const object = readHeaderFields(value, ['transactions'])
  if (!Array.isArray(object.transactions)) throw shape('transactions is a list')
  const { transactions, ...header } = object
  const texts = (transactions as readonly JsonValue[]).map(canonicalJson)
  // The last of a block's keys in their order: so each transaction is spelled once, for the block and for its leaf.
  const canonical = `${canonicalJson(header).slice(0, -1)}${TRANSACTIONS}[${texts.join(', ')}]}`
  const root = merkleRoot(texts.map(sha256Hex))
  return { block: object as unknown as Block, canonical, hash: sha256Hex(canonical), root, texts }
}

/**
 * A block as it is sent and stored: {@link parseBlock} of {@link parseJson}, and quicker where the text is canonical.
 * @throws RuleError `message.malformed`, `block.shape`
 */
export function readBlock(text: string): SpelledBlock {
  return readCanonical(text) ?? parseBlock(parseJson(text))
}

/**
 * What becomes the same text again was canonical: so it has no key twice, no float, and all that the strict parser asks
 * for besides is that it isn't too long or too deep and that no surrogate stands alone. Whatever seems to be wrong is
 * left to that parser, which finds the words for it.
 */
function readCanonical(text: string): SpelledBlock | undefined {
  if (text.length > DEFAULT_JSON_LIMITS.maxBytes || text.includes('\\ud')) return undefined
  try {
    const value = JSON.parse(text)
    if (isDeeper(value, DEFAULT_JSON_LIMITS.maxDepth)) return undefined
    const parsed = parseBlock(value)
    return parsed.canonical === text ? parsed : undefined
  } catch {
    return undefined
  }
}

function isDeeper(value: JsonValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const inner of Object.values(value)) if (isDeeper(inner, depth - 1)) return true
  return false
}

/** @throws RuleError `block.shape` */
export function parseHeader(value: JsonValue): Header {
  return readHeaderFields(value, []) as unknown as Header
}

/**
 * The header that a block's canonical text begins with. Its transactions aren't looked at, nor whether the text goes on
 * to its end: what can be told from a header need not cost the reading of a megabyte.
 * @throws RuleError `message.malformed`, `block.shape`
 */
export function readHeader(text: string): Header {
  const end = text.indexOf(TRANSACTIONS)
  return parseHeader(parseJson(end < 0 ? text : `${text.slice(0, end)}}`))
}

/** @param others the fields that must be there beside a header's */
function readHeaderFields(value: JsonValue, others: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw shape('a block is an object')
  const fields = [...HEADER_FIELDS, ...others]
  const missing = fields.find((field) => value[field] === undefined)
  if (missing) throw shape(`${missing} is missing`)
  if (Object.keys(value).length !== fields.length) throw shape('it has a field that no block has')
  if (parseHeight(value.index) === undefined) throw shape('index is a whole number from 1')
  if (typeof value.timestamp !== 'number') throw shape('timestamp is a whole number of seconds')
  if (parseHash(value.merkle_root) === undefined) throw shape('merkle_root is 64 hex digits')
  if (parseHash(value.previous_hash) === undefined) throw shape('previous_hash is 64 hex digits')
  if (parseTarget(value.target) === undefined) throw shape('target is 64 hex digits')
  if (parseProof(value.proof) === undefined) throw shape('proof is 80 hex digits')
  return value
}

function shape(fault: string): RuleError {
  return new RuleError('block.shape', `This is no block: ${fault}.`)
}

export function headerOf(block: Block): Header {
  const { transactions: _, ...header } = block
  return header
}

/** `sha256(canonical JSON of the block without "proof" and "transactions")`: what the proof's first digits must be. */
export function commitmentTo(block: HeaderFields | Omit<Genesis, 'proof'>): Hash {
  const { proof: _, transactions: __, ...committed } = block as HeaderFields & Partial<Block>
  return sha256Hex(canonicalJson(committed))
}

/** The tutorial's own rule: the SHA-256 of the whole block. */
export function hashOf(block: Block | Genesis): Hash {
  return sha256Hex(canonicalJson(block))
}

/**
 * The genesis block of a chain: two nodes with the same rules start on the same one without having met, and its hash
 * is the chain's id. Its proof is never searched, so its nonce is 16 zeros.
 * @throws RangeError where the allocations alone pass 2^53-1
 */
export function genesisOf(rules: ChainRules, timestamp: number): Genesis {
  if (exceedsSupply(1, rules)) throw new RangeError('the allocations add up to more than 2^53-1')
  const fields = {
    index: 1 as Height,
    merkle_root: EMPTY_ROOT,
    previous_hash: '1',
    rules,
    target: easiestTarget(rules.difficulty),
    timestamp,
    transactions: [],
  } as const
  return { ...fields, proof: proofOf(commitmentTo(fields), 0n) }
}
