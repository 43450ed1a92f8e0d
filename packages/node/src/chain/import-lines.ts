/**
 * Blocks from a file or from another node's export, through the door that every block comes through, in their order: a
 * group of them is read by all threads at once.
 */
import { canonicalJson, type Hash, type JsonValue, type ParsedBlock, parseJson, RuleError } from '@bc/core'
import type { ReadBlock } from '../signatures/block-report.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { Chain } from './chain.ts'

/** How far an import has come. */
export interface ImportCount {
  /** Blocks that were new, on the chain or beside it. */
  readonly imported: number
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

/** Blocks whose signatures are asked for together. */
const GROUP = 64

/** How long a line may be: a block, or the genesis block, whose allocations have no limit. */
export function longestLine(chain: Chain): number {
  return Math.max(chain.rules.maxBlockBytes, canonicalJson(chain.genesis as unknown as JsonValue).length)
}

/**
 * @param checkWanted called before each block: throws a RuleError where it isn't wanted any more
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
  try {
    return await importGroups({ chain, store }, lines, checkWanted)
  } finally {
    // The disk once for all of them, also where one was refused: those before it are said to be in.
    await store.sync()
  }
}

async function importGroups(
  { chain, store }: ImportModules,
  lines: readonly Uint8Array[],
  checkWanted: () => void,
): Promise<ImportCount> {
  let [imported, known] = [0, 0]
  for (let from = 0; from < lines.length; from += GROUP) {
    const group = await Promise.all(lines.slice(from, from + GROUP).map((line) => readLine(chain, line)))
    for (const [i, block] of group.entries()) {
      try {
        checkWanted()
        if (await importOne({ chain, store }, block)) imported++
        else known++
      } catch (error) {
        if (!(error instanceof RuleError)) throw error
        throw new ImportRefused(error, { imported, known }, from + i + 1)
      }
    }
  }
  return { imported, known }
}

type Read = { readonly block: ReadBlock } | { readonly genesis: true } | { readonly fault: RuleError }

/** A line that is no block counts when its turn has come: the ones before it may be good. */
async function readLine(chain: Chain, line: Uint8Array): Promise<Read> {
  try {
    const value = parseJson(line, { maxBytes: line.length, maxDepth: 16 })
    if (isGenesis(value)) return checkedGenesis(chain, value)
    const [block] = await chain.read([Buffer.from(line).toString()])
    return { block: block as ReadBlock }
  } catch (error) {
    if (error instanceof RuleError) return { fault: error }
    throw error
  }
}

function isGenesis(value: JsonValue): boolean {
  return (value as { readonly index?: JsonValue } | null)?.index === 1
}

function checkedGenesis(chain: Chain, value: JsonValue): Read {
  if (canonicalJson(value) === canonicalJson(chain.genesis as unknown as JsonValue)) return { genesis: true }
  throw new RuleError('block.genesis', `This is not the genesis block of the chain ${chain.id}.`)
}

/** @returns whether it was new */
async function importOne({ chain, store }: ImportModules, read: Read): Promise<boolean> {
  if ('genesis' in read) return false
  if ('fault' in read) throw read.fault
  const { parsed } = read.block
  // The door would hold it until its parent comes, and it would be in the chain after it was refused.
  if (!(await store.entry(parsed.block.previous_hash))) throw orphaned(parsed)
  const [outcome] = await chain.importAll([read.block], { sync: false })
  const kind = outcome?.kind
  // One that waits for its time is known as well, and nothing can be built on it yet.
  if (kind === 'early' || (kind === 'known' && !(await store.entry(parsed.hash))))
    throw new RuleError('block.timestamp', "Its time hasn't come by the node's clock: the block is kept until then.")
  return kind !== 'known'
}

function orphaned({ block }: ParsedBlock): RuleError {
  const parent: Hash | string = block.previous_hash
  return new RuleError('block.previous_hash', `Its parent ${parent} is not here: blocks are imported in their order.`)
}
