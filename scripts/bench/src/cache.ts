/** Where what was fetched or made is kept from one run to the next: nobody else can write there, unlike in /tmp. */
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** @returns a folder that exists */
export function cacheFolder(name: string): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bc-bench', name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
