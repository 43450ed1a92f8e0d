/**
 * Blocks from a file or from another node's export, through the door that every block comes through, in their order:
 * all threads read them, and what stands on each other is written together.
 */
import { isUtf8 } from 'node:buffer'
import {
  canonicalJson,
  DEFAULT_JSON_LIMITS,
  type Hash,
  isJsonObject,
  orRefusal,
  type ParsedBlock,
  parseJson,
  RuleError,
  sha256Hex,
} from '@bc/core'
import type { ReadBlock } from '../signatures/block-report.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { Chain } from './chain.ts'
import { readAhead } from './read-ahead.ts'

/** How far an import has come. */
export interface ImportCount {
  /** Blocks that were new, on the chain or beside it. */
  readonly imported: number
  /** Those of them that stand beside it, so that their nonces and balances aren't checked yet. */
  readonly beside: number
  /** Blocks that were here before. */
  readonly known: number
}

/** A block broke a rule, or nobody wants it any more: those before it are in, those after it were not looked at. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused'
  readonly rule: RuleError
  readonly count: ImportCount
  /** Which line it stood on, from 1. */
  readonly line: number

  constructor(rule: RuleError, count: ImportCount, line: number) {
    super(rule.message)
    this.rule = rule
    this.count = count
    this.line = line
  }
}

export interface ImportModules {
  readonly chain: Chain
  readonly store: ChainStore
}

/**
 * How long a line may be: a block, too long a one as well, so that its size is what is wrong with it; or the genesis
 * block, whose allocations have no limit.
 */
export function longestLine(chain: Chain): number {
  return Math.max(DEFAULT_JSON_LIMITS.maxBytes, chain.genesisBytes)
}

/**
 * @param checkWanted called again and again, between some blocks and the next: throws a RuleError where no more of them
 *   are wanted
 * @returns once the last block is on the disk
 * @throws ImportRefused
 */
export async function importLines(
  { chain, store }: ImportModules,
  lines: readonly Uint8Array[],
  checkWanted: () => void,
): Promise<ImportCount> {
  // What has waited for its time may be the parent of the first.
  await chain.importDue()
  const tally = new Tally()
  try {
    const parts = readAhead(
      lines,
      ({ length }) => length,
      (part) => readPart(chain, part),
    )
    for await (const part of parts)
      for (const step of stepsOf(chain, part)) {
        checkWanted()
        await take({ chain, store }, step, tally)
      }
    return tally.count()
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw tally.refused(error)
  } finally {
    // The disk once for all of them, also where one was refused: those before it are said to be in.
    await store.sync()
  }
}

/** A line that is no block counts when its turn has come: the ones before it may be good. */
type Line = ReadBlock | typeof KNOWN | RuleError

const KNOWN = 'known'

async function readPart(chain: Chain, lines: readonly Uint8Array[]): Promise<Line[]> {
  // A file that is imported again isn't verified again. The first line alone tells as a rule that nothing is known.
  const [first] = lines
  if (first === undefined || !(await isKnown(chain, first))) return readUnknown(chain, lines)
  const known = await Promise.all(lines.map((line) => isKnown(chain, line)))
  const unknown = await readUnknown(
    chain,
    lines.filter((_, i) => !known[i]),
  )
  const rest = unknown.values()
  return known.map((one) => (one ? KNOWN : (rest.next().value as Line)))
}

/** A block's hash is that of its canonical JSON: whatever has it is that block. */
function isKnown(chain: Chain, line: Uint8Array): Promise<boolean> {
  return chain.isSettled(sha256Hex(line))
}

async function readUnknown(chain: Chain, lines: readonly Uint8Array[]): Promise<Line[]> {
  // What is no UTF-8 is no block either: what is wrong with it is for the parser of bytes to say.
  const blocks = await chain.readEach(lines.map((line) => (isUtf8(line) ? Buffer.from(line).toString() : '')))
  return blocks.map((block, i) => {
    return block instanceof RuleError ? readOther(chain, lines[i] as Uint8Array, block) : block
  })
}

/** @param block what is wrong with it, if it has nothing to do with genesis: no other block has rules */
function readOther(chain: Chain, line: Uint8Array, block: RuleError): Line {
  return orRefusal(() => {
    const value = parseJson(line, { maxBytes: longestLine(chain), maxDepth: DEFAULT_JSON_LIMITS.maxDepth })
    if (!isJsonObject(value) || value.index !== 1 || value.rules === undefined) return block
    if (canonicalJson(value) === canonicalJson(chain.genesis)) return KNOWN
    return new RuleError('block.genesis', `This is not the genesis block of the chain ${chain.id}.`)
  })
}

/** What is imported at once: blocks that stand on each other, the last of them perhaps an early one. */
type Step = readonly [ReadBlock, ...ReadBlock[]] | typeof KNOWN | RuleError

function* stepsOf(chain: Chain, part: readonly Line[]): Generator<Step, void, undefined> {
  let run: ReadBlock[] = []
  for (const [i, line] of part.entries()) {
    if (line === KNOWN || line instanceof RuleError) {
      yield line
      continue
    }
    run.push(line)
    if (isFollowed(chain, line, part[i + 1])) continue
    yield run as [ReadBlock, ...ReadBlock[]]
    run = []
  }
}

/** Behind an early block the door would hold what follows, and it would be in the chain after it was refused. */
function isFollowed(chain: Chain, { parsed }: ReadBlock, next: Line | undefined): boolean {
  if (next === undefined || next === KNOWN || next instanceof RuleError) return false
  return next.parsed.block.previous_hash === parsed.hash && !chain.isEarly(parsed.block)
}

async function take({ chain, store }: ImportModules, step: Step, tally: Tally): Promise<void> {
  if (step instanceof RuleError) throw step
  if (step === KNOWN) return tally.known()
  const [{ parsed }] = step
  // One whose parent isn't here the door would hold as well.
  if (!(await store.entry(parsed.block.previous_hash))) throw orphaned(parsed)
  const { outcomes, refusal } = await chain.importUntilRefused(step, { sync: false })
  for (const [i, { kind }] of outcomes.entries()) {
    const { parsed } = step[i] as ReadBlock
    if (kind === 'head' || kind === 'beside') tally.imported(parsed, kind)
    // One that waits for its time is known as well, and nothing can be built on it yet.
    else if (kind === 'known' && (await store.entry(parsed.hash))) tally.known()
    else
      throw new RuleError('block.timestamp', "Its time hasn't come by the node's clock: the block is kept until then.")
  }
  if (refusal) throw refusal
}

/** What became of the lines so far. */
class Tally {
  private readonly counts = { imported: 0, known: 0 }
  /** The blocks beside the main chain that nobody has asked the accounts about, and what was counted before each. */
  private readonly unchecked = new Map<string, Pick<ImportCount, 'imported' | 'known'> & { readonly parent: Hash }>()

  known(): void {
    this.counts.known++
  }

  imported({ block, hash }: ParsedBlock, kind: 'head' | 'beside'): void {
    let parent = block.previous_hash
    if (kind === 'beside') this.unchecked.set(hash, { ...this.counts, parent })
    // A head brings its whole branch to light.
    else
      for (let found = this.unchecked.get(parent); found; found = this.unchecked.get(parent)) {
        this.unchecked.delete(parent)
        parent = found.parent
      }
    this.counts.imported++
  }

  count(): ImportCount {
    return { ...this.counts, beside: this.unchecked.size }
  }

  /**
   * Where the fault is that of an earlier line, which nothing but the accounts spoke against, it ended there: that block
   * and what stands on it are in no longer.
   */
  refused(rule: RuleError): ImportRefused {
    const fault = this.unchecked.get(String(rule.data.hash))
    if (fault === undefined) return refusedAfter(this.count(), rule)
    const { imported, known } = fault
    const beside = [...this.unchecked.values()].filter((other) => other.imported < imported).length
    return refusedAfter({ imported, beside, known }, rule.cause instanceof RuleError ? rule.cause : rule)
  }
}

function refusedAfter(count: ImportCount, rule: RuleError): ImportRefused {
  return new ImportRefused(rule, count, count.imported + count.known + 1)
}

function orphaned({ block }: ParsedBlock): RuleError {
  const fault = `Its parent ${block.previous_hash} is not here: blocks are imported in their order.`
  return new RuleError('block.previous_hash', fault)
}
