/** Opens a node's stored chain: takes its lock, looks for damage, rebuilds what can be rebuilt. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hashOf } from '@bc/core'
import { DamageError, StartError, StorageError } from '../errors.ts'
import { ChainStore } from '../storage/chain-store.ts'
import { Database } from '../storage/database.ts'
import { type ChainIdentity, inspectBlocks } from '../storage/inspect.ts'
import { type ChainFiles, chainFiles, openLevel, witnessFile } from '../storage/level.ts'
import { forgetAside, inspectTables, inspectTablesBehind, setAside } from '../storage/level-files.ts'
import { lockDirectory, type Release } from '../storage/lock.ts'
import { strangeness } from '../storage/records.ts'
import { SeenTables } from '../storage/seen-tables.ts'
import { type RebuildOptions, rebuild } from './rebuild.ts'

/** Newest blocks that are looked at before the node starts: the rest is scrubbed while it runs. */
const RECENT_BLOCKS = 100

/**
 * @throws StartError where another node has the directory, where it can't be read, or where blocks are lost for good
 * @throws what `signal` was aborted with
 */
export async function openStore(options: RebuildOptions): Promise<ChainStore> {
  const { directory } = options
  let release: Release | undefined
  try {
    release = await lockDirectory(directory)
    return storeOver(await openDatabase(options), chainFiles(directory), release)
  } catch (error) {
    await release?.()
    throw asStartError(error, directory)
  }
}

interface Opened {
  readonly database: Database
  readonly seen: SeenTables
}

function storeOver({ database, seen }: Opened, { chain }: ChainFiles, release: Release): ChainStore {
  const closed = async () => {
    try {
      seen.leave()
    } catch (error) {
      throw new StorageError(`What tables were read can't be noted: ${(error as Error).message}`, { cause: error })
    } finally {
      await release()
    }
  }
  return new ChainStore(database, closed, (signal) => inspectTablesBehind(chain, seen, signal))
}

async function openDatabase(options: RebuildOptions): Promise<Opened> {
  const { directory, genesis, log } = options
  const files = chainFiles(directory)
  const chain = { id: hashOf(genesis), rules: genesis.rules }
  // A rebuild that was interrupted after its last step but one.
  if (!existsSync(files.chain) && existsSync(files.rebuilt)) renameSync(files.rebuilt, files.folder)
  // What a rebuild that was killed had put aside: there is a chain in its place.
  if (existsSync(files.chain)) rmSync(files.replaced, { recursive: true, force: true })
  try {
    return await openIntact(files, chain)
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    const damage = error.message
    log.warn({ damage }, 'The stored chain is damaged: it is rebuilt from its blocks.')
    // Should this one fail, what it leaves may look whole to the next start.
    markDamaged(directory, damage)
    await rebuild(options, damage)
    rmSync(files.marker, { force: true })
    return await openIntact(files, chain)
  }
}

/** What the disk has to say is the operator's to hear; a bug of ours stays one. */
function asStartError(error: unknown, directory: string): unknown {
  const { message, code, syscall } = error as NodeJS.ErrnoException
  const ofTheDisk = error instanceof DamageError || error instanceof StorageError
  if (!ofTheDisk && syscall === undefined && !String(code).startsWith('LEVEL_')) return error
  return new StartError(`The data in ${directory} can't be used: ${message}. Look after the disk that it is on.`, {
    cause: error,
  })
}

/** Makes the next start rebuild. For a node that finds damage while it runs. */
export function markDamaged(directory: string, damage: string): void {
  writeFileSync(chainFiles(directory).marker, `${damage}\n`, { mode: 0o600 })
}

async function openIntact(files: ChainFiles, chain: ChainIdentity): Promise<Opened> {
  if (existsSync(files.marker)) throw new DamageError(readFileSync(files.marker, 'utf8').trim())
  mkdirSync(files.chain, { recursive: true })
  const seen = SeenTables.take(files.chain)
  await inspectTables(files.chain, seen)
  setAside(files.chain)
  const level = await openLevel(files.chain)
  let database: Database | undefined
  try {
    database = await Database.open(level, witnessFile(files.chain))
    await inspectRecent(new ChainStore(database), chain)
  } catch (error) {
    await (database ?? level).close()
    throw error
  }
  forgetAside(files.chain)
  rmSync(files.rebuilding, { recursive: true, force: true })
  return { database, seen }
}

async function inspectRecent(store: ChainStore, chain: ChainIdentity): Promise<void> {
  // One that belongs to another chain is refused later, with a word about that.
  if (store.isNew || strangeness(await store.meta(), chain.id)) return
  const { index, hash: head } = await store.headEntry()
  if ((await store.mainHash(index)) !== head) throw new DamageError(`the head ${head} is not on the main chain`)
  if ((await store.mainHash(index + 1)) !== undefined) throw new DamageError('the main chain goes on after its head')
  for await (const _ of inspectBlocks(store, chain, Math.max(1, index - RECENT_BLOCKS + 1)));
  // Reading a waiting transaction looks at its checksum.
  for await (const _ of store.pool());
}
