/** Opens a node's stored chain: takes its lock, looks for damage, rebuilds what can be rebuilt. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Hash, hashOf } from '@bc/core'
import { MemoryLevel } from 'memory-level'
import { DamageError } from '../errors.ts'
import { ChainStore } from './chain-store.ts'
import { Database, type Level } from './database.ts'
import { inspectBlock } from './inspect.ts'
import { asDamage, chainFiles, openLevel, witnessFile } from './level.ts'
import { type RebuildOptions, rebuild } from './rebuild.ts'

/** Newest blocks that are looked at before the node starts: the rest is scrubbed while it runs. */
const RECENT_BLOCKS = 100

export async function openMemoryStore(): Promise<ChainStore> {
  const level = new MemoryLevel<string, Buffer>({ storeEncoding: 'buffer', valueEncoding: 'buffer' })
  await level.open()
  return new ChainStore(await Database.open(level as unknown as Level, undefined))
}

/**
 * @throws StartError where another node has the directory, where it can't be read, or where blocks are lost for good
 */
export async function openStore(options: Omit<RebuildOptions, 'damage'>): Promise<ChainStore> {
  const files = chainFiles(options.directory)
  const id = hashOf(options.genesis)
  // A rebuild that was interrupted after its last step but one.
  if (!existsSync(files.chain) && existsSync(files.rebuilt)) renameSync(files.rebuilt, files.chain)
  try {
    return await openIntact(options.directory, id)
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    options.log.warn({ damage: error.message }, 'The stored chain is damaged: it is rebuilt from its blocks.')
    await rebuild({ ...options, damage: error.message })
    rmSync(files.marker, { force: true })
    return openIntact(options.directory, id)
  }
}

/** Makes the next start rebuild. For a node that finds damage while it runs. */
export function markDamaged(directory: string, damage: string): void {
  writeFileSync(chainFiles(directory).marker, `${damage}\n`, { mode: 0o600 })
}

async function openIntact(directory: string, chain: Hash): Promise<ChainStore> {
  const files = chainFiles(directory)
  const level = await openLevel(files.chain)
  try {
    if (existsSync(files.marker)) throw new DamageError(readFileSync(files.marker, 'utf8').trim())
    const store = new ChainStore(await Database.open(level, witnessFile(files.chain)))
    await inspectRecent(store, chain)
    return store
  } catch (error) {
    await level.close()
    throw asDamage(error)
  }
}

async function inspectRecent(store: ChainStore, chain: Hash): Promise<void> {
  const head = await store.head()
  // An empty store is a new one. One that belongs to another chain is refused later, with a word about that.
  if (head === undefined || (await store.meta())?.chain !== chain) return
  const { index } = await store.knownEntry(head)
  if ((await store.mainHash(index)) !== head) throw new DamageError(`the head ${head} is not on the main chain`)
  if ((await store.mainHash(index + 1)) !== undefined) throw new DamageError('the main chain goes on after its head')
  for (let at = index; at > Math.max(0, index - RECENT_BLOCKS); at--) await inspectBlock(store, chain, at)
  // Reading a waiting transaction looks at its checksum.
  for await (const _ of store.pool());
}
