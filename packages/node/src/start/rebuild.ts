/**
 * Rebuilds a damaged database from its blocks. They prove themselves: each is under its own hash, links to its parent
 * and goes through the same door as any other block. Everything else follows from them.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Genesis, type Hash, hashOf, parseHash, RuleError } from '@bc/core'
import { ClassicLevel } from 'classic-level'
import { Chain } from '../chain/chain.ts'
import { readAhead } from '../chain/read-ahead.ts'
import { DamageError, StartError } from '../errors.ts'
import type { Log } from '../log.ts'
import { Serial } from '../serial.ts'
import type { ReadBlock } from '../signatures/block-report.ts'
import type { Curve } from '../signatures/curve.ts'
import { ChainStore } from '../storage/chain-store.ts'
import { asDamage, type Batch, Database, type Level, type Range, readNewest, unframe } from '../storage/database.ts'
import { key, within } from '../storage/layout.ts'
import { type ChainFiles, chainFiles, openLevel, witnessFile } from '../storage/level.ts'
import { mendFiles } from '../storage/level-files.ts'
import { type BlockPlace, blockPlaceOf, decodeMeta, strangeness } from '../storage/records.ts'
import { readWitness } from '../storage/witness.ts'

export interface RebuildOptions {
  readonly directory: string
  readonly genesis: Genesis
  readonly curve: Curve
  readonly log: Log
  /** Go on without the blocks that are lost for good. */
  readonly acceptLoss: boolean
  /** Aborted by whoever wants the node to stop before it has started: the next start begins the rebuild anew. */
  readonly signal?: AbortSignal | undefined
}

const PROGRESS_EVERY = 10_000

/**
 * Puts a rebuilt database in the place of the damaged one.
 * @param damage what was found
 * @throws StartError where blocks are lost, unless the loss is accepted; then all that can be read is still there
 * @throws what the signal was aborted with
 */
export async function rebuild(options: RebuildOptions, damage: string): Promise<void> {
  const { directory, acceptLoss, log } = options
  const files = chainFiles(directory)
  rmSync(files.rebuilding, { recursive: true, force: true })
  refuseMountPoint(files, damage)
  mendFiles(files.chain)
  // LevelDB sorts out which of its own files can still be read; whether what is in them is right is checked here.
  await ClassicLevel.repair(files.chain)
  const old = await openLevel(files.chain)
  let outcome: Rebuilt
  let missing: string | undefined
  try {
    await refuseStrange(old, options.genesis)
    missing = await missingBatches(old, files.chain)
    outcome = await copyInto(files.rebuilding, old, await claimedHeads(files.chain, old), options)
  } finally {
    await old.close()
  }
  if (!outcome.complete && !acceptLoss) {
    rmSync(files.rebuilding, { recursive: true, force: true })
    throw new StartError(
      `The data in ${directory} is damaged (${damage}), and blocks are lost: it can be rebuilt up to block ${outcome.height}, but not to the block that it ended with. ` +
        'Restore a backup of the directory, or start once with --repair to go on from there.',
    )
  }
  const kept = swap(files, !outcome.complete || missing !== undefined)
  log.warn({ height: outcome.height, lost: !outcome.complete, kept }, 'The stored chain was rebuilt.')
  if (missing) log.warn({ missing }, 'Some of what was written last may be lost, such as transactions that waited.')
}

interface Rebuilt {
  readonly height: number
  /** Whether the chain ends where the damaged one ended, or with as much work. */
  readonly complete: boolean
}

/**
 * A folder on which a volume is mounted can't be renamed: to be known before the work of a rebuild, since no start could
 * end it. Renamed to a folder that isn't empty nothing moves, and only a mount point is called busy.
 * @throws StartError
 */
function refuseMountPoint({ chain, folder, rebuilding }: ChainFiles, damage: string): void {
  mkdirSync(join(rebuilding, 'not-empty'), { recursive: true })
  try {
    renameSync(folder, rebuilding)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return
    throw new StartError(
      `The data in ${folder} is damaged (${damage}), and can't be rebuilt there: it is a mount point, which can't be replaced. ` +
        `Mount the volume elsewhere, move its files into a folder of it, and make ${chain} a link to that folder.`,
    )
  } finally {
    rmSync(rebuilding, { recursive: true, force: true })
  }
}

/** Whatever is damaged in it: another chain's data is not ours to rebuild. */
async function refuseStrange(old: Level, genesis: Genesis): Promise<void> {
  const meta = await salvageOne(old, key.meta)
  const strange = meta && strangeness(decodeMeta(meta), hashOf(genesis))
  if (strange) throw strange
}

/**
 * A batch that is gone may have brought a transaction that waited, of which nothing else speaks.
 * @returns undefined where none is
 */
async function missingBatches(old: Level, location: string): Promise<string | undefined> {
  try {
    await readNewest(old, witnessFile(location))
    return undefined
  } catch (error) {
    if (error instanceof DamageError) return error.message
    throw error
  }
}

/** The heads that the damaged database had, as far as anything still says so: what was promised, and what was written. */
async function claimedHeads(location: string, old: Level): Promise<Hash[]> {
  const written = await salvageOne(old, key.head)
  return [promisedHead(location), parseHash(written?.toString())].filter((head) => head !== undefined)
}

function promisedHead(location: string): Hash | undefined {
  try {
    return parseHash(readWitness(witnessFile(location))?.head)
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    // The witness itself is what was damaged: the database has to speak for itself.
    return undefined
  }
}

async function copyInto(
  location: string,
  old: Level,
  claimed: readonly Hash[],
  options: RebuildOptions,
): Promise<Rebuilt> {
  const level = await openLevel(location)
  const store = new ChainStore(await Database.open(level, witnessFile(location)))
  try {
    const chain = await Chain.open(options.genesis, {
      store,
      curve: options.curve,
      door: new Serial(),
      // Its timestamps were judged when it came in: a clock that was set back since must not lose it.
      clock: () => Number.POSITIVE_INFINITY,
      // No pool hears of it: what waits is copied as it is.
      onHead: async () => undefined,
      onHeldRefused: (hash, error) => options.log.warn({ hash, code: error.code }, 'A stored block is refused.'),
    })
    await copyBlocks(old, chain, claimed, options)
    await copyPool(old, store)
    const expected = claimed[0] && (await store.entry(claimed[0]))
    const complete = expected !== undefined && chain.head.totalWork >= expected.totalWork
    return { height: chain.head.index, complete }
  } finally {
    await store.close()
  }
}

async function copyBlocks(
  old: Level,
  chain: Chain,
  claimed: readonly Hash[],
  { log, signal }: RebuildOptions,
): Promise<void> {
  const read = (part: readonly SalvagedBlock[]) => readStored(part, chain, log)
  let told = 0
  for await (const blocks of readAhead(salvageBlocks(old, claimed, chain.id), ({ text }) => text.length, read)) {
    signal?.throwIfAborted()
    await importStored(blocks, chain, log)
    if (chain.head.index - told < PROGRESS_EVERY) continue
    told = chain.head.index
    log.info({ height: told }, 'Rebuilding.')
  }
}

interface SalvagedBlock extends BlockPlace {
  readonly text: Buffer
}

/**
 * The main chain first, as far as it is known, then what stands beside it: were both to grow together, the head would
 * move from one to the other again and again, each time over the whole length of the branch. No block comes before its
 * parent: where it doesn't stand on the one before, all that was put off comes first.
 * On a tie the one seen first is the head: of blocks with equal work, the one that was.
 */
async function* salvageBlocks(old: Level, claimed: readonly Hash[], genesis: Hash): AsyncGenerator<SalvagedBlock> {
  let beside: BlockPlace[] = []
  let before = genesis
  for await (const alike of sameHeight(salvage(old, within('block/')))) {
    const next = alike.filter((block) => standsOn(block, before))
    const head = alike.find(({ hash }) => claimed.includes(hash))
    const main = head ?? (await likelyMain(old, next.length > 0 ? next : alike))
    const others = alike.filter((block) => block !== main)
    if (main && next.includes(main)) {
      yield main
      // Without their texts, of which there is no telling how many there are.
      for (const { index, hash } of others) beside.push({ index, hash })
    } else {
      yield* salvageEach(old, beside)
      beside = []
      if (main) yield main
      yield* others
    }
    before = main?.hash ?? before
  }
  yield* salvageEach(old, beside)
}

/** Which of some blocks of one height is on the main chain, as far as anything says so. */
async function likelyMain(old: Level, alike: readonly SalvagedBlock[]): Promise<SalvagedBlock | undefined> {
  const [first, second] = alike
  if (first === undefined || second === undefined) return first
  const named = (await salvageOne(old, key.main(first.index)))?.toString()
  return alike.find(({ hash }) => hash === named)
}

/** By its canonical JSON: it has yet to be parsed. */
function standsOn({ text }: SalvagedBlock, parent: Hash): boolean {
  return text.includes(`"previous_hash": "${parent}"`)
}

async function* salvageEach(old: Level, places: readonly BlockPlace[]): AsyncGenerator<SalvagedBlock> {
  for (const { index, hash } of places) {
    const text = await salvageOne(old, key.block(index, hash))
    if (text) yield { index, hash, text }
  }
}

/** Blocks of one height at a time. Genesis follows from the configuration. */
async function* sameHeight(records: AsyncIterable<[string, Buffer]>): AsyncGenerator<SalvagedBlock[]> {
  let alike: SalvagedBlock[] = []
  for await (const [at, text] of records) {
    const place = blockPlaceOf(at)
    if (place.index === 1) continue
    if (alike.length > 0 && alike[0]?.index !== place.index) {
      yield alike
      alike = []
    }
    alike.push({ ...place, text })
  }
  if (alike.length > 0) yield alike
}

/** Those that are under their own hash. */
async function readStored(stored: readonly SalvagedBlock[], chain: Chain, log: Log): Promise<ReadBlock[]> {
  const read = await chain.readEach(stored.map(({ text }) => text.toString()))
  return read.flatMap((block, i) => {
    const { hash } = stored[i] as SalvagedBlock
    if (block instanceof RuleError) warnOf(hash, block, log)
    else if (block.parsed.hash === hash) return [block]
    return []
  })
}

async function importStored(blocks: readonly ReadBlock[], chain: Chain, log: Log): Promise<void> {
  for (let left = blocks; left.length > 0; ) {
    const { outcomes, refusal } = await chain.importUntilRefused(left, { sync: false })
    const refused = left[outcomes.length]?.parsed.hash
    if (refusal && refused) warnOf(refused, refusal, log)
    left = left.slice(outcomes.length + 1)
  }
}

function warnOf(hash: Hash, { code }: RuleError, log: Log): void {
  log.warn({ hash, code }, 'A stored block is refused.')
}

/** As they are: whoever opens the store next looks at each of them again. */
async function copyPool(old: Level, store: ChainStore): Promise<void> {
  const records: Batch = new Map()
  for (const prefix of ['pool/', 'returning/'] as const)
    for await (const [at, value] of salvage(old, within(prefix))) records.set(at, value.toString())
  await store.writeRecords(records)
}

/**
 * Every record that can still be read, and is what was written. One at a time: with a fault LevelDB throws away the
 * whole page that it came with. It tells of one at the end, after all that it could read.
 */
async function* salvage(old: Level, range: Range): AsyncGenerator<[string, Buffer]> {
  const iterator = old.iterator(range)
  try {
    for (let [record] = await iterator.nextv(1); record; [record] = await iterator.nextv(1)) {
      const value = intact(...record)
      if (value) yield [record[0], value]
    }
  } catch (error) {
    if (!(asDamage(error) instanceof DamageError)) throw error
  } finally {
    await iterator.close()
  }
}

/** By iterating as well: among tables that were repaired, LevelDB may find an older record by its key. */
async function salvageOne(old: Level, at: string): Promise<Buffer | undefined> {
  for await (const [, value] of salvage(old, { gte: at, lte: at })) return value
  return undefined
}

function intact(at: string, value: Buffer): Buffer | undefined {
  try {
    return unframe(at, value)
  } catch (error) {
    if (error instanceof DamageError) return undefined
    throw error
  }
}

/**
 * Between the two renames there is no chain, only a complete rebuilt one: the next start puts that in its place.
 * @returns where the damaged one is kept, if it is
 */
function swap(files: ChainFiles, keep: boolean): string | undefined {
  const kept = keep ? placeToKeep(files) : undefined
  const aside = kept ?? files.replaced
  rmSync(files.rebuilt, { recursive: true, force: true })
  renameSync(files.rebuilding, files.rebuilt)
  rmSync(aside, { recursive: true, force: true })
  renameSync(files.folder, aside)
  renameSync(files.rebuilt, files.folder)
  // What was rebuilt without a loss has nothing that the new one lacks.
  rmSync(files.replaced, { recursive: true, force: true })
  return kept
}

/** What was kept before stays, as far as there is room: of all the oldest has most in it, so the newest makes way. */
function placeToKeep({ damaged }: ChainFiles): string | undefined {
  return damaged.find((location) => !existsSync(location)) ?? damaged.at(-1)
}
