/** A chain that is gone with the process. */
import { MemoryLevel } from 'memory-level'
import { ChainStore } from './chain-store.ts'
import { Database, type Level } from './database.ts'

export async function openMemoryStore(): Promise<ChainStore> {
  return new ChainStore(await Database.open(memoryLevel(), undefined))
}

export function memoryLevel(): Level {
  const options = { storeEncoding: 'buffer', valueEncoding: 'buffer' } as const
  return new MemoryLevel<string, Buffer>(options) as unknown as Level
}
