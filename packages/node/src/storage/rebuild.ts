/**
 * Rebuilds a damaged database from its blocks. They prove themselves: each is under its own hash, links to its parent
 * and goes through the same door as any other block. Everything else follows from them.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import {
  type Genesis,
  type Hash,
  isJsonObject,
  type ParsedBlock,
  parseBlock,
  parseHash,
  parseJson,
  RuleError,
} from '@bc/core'
import { ClassicLevel } from 'classic-level'
import { Chain } from '../chain/chain.ts'
import { DamageError, StartError } from '../errors.ts'
import type { Log } from '../log.ts'
import { Serial } from '../serial.ts'
import type { Curve } from '../signatures/curve.ts'
import { ChainStore } from './chain-store.ts'
import { Database, type Level, readWitness, unframe } from './database.ts'
import { key, lastPart, within } from './layout.ts'
import { chainFiles, openLevel, witnessFile } from './level.ts'

export interface RebuildOptions {
  readonly directory: string
  readonly genesis: Genesis
  readonly curve: Curve
  readonly log: Log
  /** Go on without the blocks that are lost for good. */
  readonly acceptLoss: boolean
  /** What was found. */
  readonly damage: string
}

const PROGRESS_EVERY = 10_000

/**
 * Puts a rebuilt database in the place of the damaged one.
 * @throws StartError where blocks are lost, unless the loss is accepted; then nothing has changed
 */
export async function rebuild(options: RebuildOptions): Promise<void> {
  const { directory, acceptLoss, damage, log } = options
  const files = chainFiles(directory)
  rmSync(files.rebuilding, { recursive: true, force: true })
  // LevelDB sorts out which of its own files can still be read; whether what is in them is right is checked here.
  await ClassicLevel.repair(files.chain)
  const old = await openLevel(files.chain)
  let outcome: Rebuilt
  try {
    const claimed = await claimedHead(files.chain, old)
    outcome = await copyInto(files.rebuilding, old, claimed, options)
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
  swap(files, outcome.complete)
  log.warn({ height: outcome.height, lost: !outcome.complete }, 'The stored chain was rebuilt.')
}

interface Rebuilt {
  readonly height: number
  /** Whether the chain ends where the damaged one ended, or with as much work. */
  readonly complete: boolean
}

/** The head that the damaged database had, as far as anything still says so. */
async function claimedHead(location: string, old: Level): Promise<string | undefined> {
  try {
    const witness = readWitness(witnessFile(location))
    if (witness) return witness.head
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    // The witness itself is what was damaged: the database has to speak for itself.
  }
  return readIntact(key.head, await old.get(key.head))
}

async function copyInto(
  location: string,
  old: Level,
  claimed: string | undefined,
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
      onHead: async () => undefined,
      onHeldRefused: (hash, error) => options.log.warn({ hash, code: error.code }, 'A stored block is refused.'),
    })
    await copyBlocks(old, chain, options)
    await copyPool(old, store)
    const expected = parseHash(claimed)
    const claimedEntry = expected && (await store.entry(expected))
    const complete = claimedEntry !== undefined && chain.head.totalWork >= claimedEntry.totalWork
    return { height: chain.head.index, complete }
  } finally {
    await store.close()
  }
}

/** Keys are in the order of the heights: a block's parent has come before it. */
async function copyBlocks(old: Level, chain: Chain, { log, genesis }: RebuildOptions): Promise<void> {
  let count = 0
  for await (const [at, value] of old.iterator(within('block/'))) {
    const parsed = readBlock(at, value, genesis)
    if (parsed === undefined) continue
    try {
      await chain.import(parsed, { sync: false })
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      log.warn({ hash: parsed.hash, code: error.code }, 'A stored block is refused.')
    }
    if (++count % PROGRESS_EVERY === 0) log.info({ height: chain.head.index }, 'Rebuilding.')
  }
}

function readBlock(at: string, value: Buffer, genesis: Genesis): ParsedBlock | undefined {
  const text = readIntact(at, value)
  if (text === undefined) return undefined
  const json = parseJson(text, { maxBytes: genesis.rules.maxBlockBytes, maxDepth: 16 })
  // Genesis follows from the configuration.
  if (isJsonObject(json) && json.index === 1) return undefined
  const parsed = parseBlock(json)
  return parsed.hash === (lastPart(at) as Hash) ? parsed : undefined
}

/** As they are: whoever opens the store next looks at each of them again. */
async function copyPool(old: Level, store: ChainStore): Promise<void> {
  const records: [string, string][] = []
  for await (const [at, value] of old.iterator(within('pool/'))) {
    const text = readIntact(at, value)
    if (text !== undefined) records.push([at, text])
  }
  await store.writeRecords(new Map(records))
}

function readIntact(at: string, value: Buffer | undefined): string | undefined {
  try {
    return unframe(at, value)?.toString()
  } catch (error) {
    if (error instanceof DamageError) return undefined
    throw error
  }
}

/** Between the two renames there is no chain, only a complete rebuilt one: the next start puts that in its place. */
function swap(files: ReturnType<typeof chainFiles>, complete: boolean): void {
  rmSync(files.rebuilt, { recursive: true, force: true })
  renameSync(files.rebuilding, files.rebuilt)
  if (existsSync(files.damaged)) rmSync(files.damaged, { recursive: true })
  renameSync(files.chain, files.damaged)
  renameSync(files.rebuilt, files.chain)
  // What was rebuilt without a loss has nothing that the new one lacks.
  if (complete) rmSync(files.damaged, { recursive: true, force: true })
}
