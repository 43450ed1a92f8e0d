/**
 * LevelDB's own files, looked at before LevelDB reads them. It opens tables without looking at their checksums, and
 * where a malformed one breaks an assumption of its code it ends the whole process (its binary has assertions).
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DamageError } from '../errors.ts'
import { damagedBlocks, mendLog, tablesNamedIn, UNREADABLE } from './level-format.ts'
import type { SeenTables } from './seen-tables.ts'
import { TableReader } from './table-reader.ts'

const TABLE = /^[0-9]+\.(?:ldb|sst)$/
const LOG = /^[0-9]+\.log$/
const ASIDE = /\.aside$/
/** Beyond every number that LevelDB has given to a file. */
const FIRST_FREE_NUMBER = 100_000_000
/** After each table that is read while the node works. */
const REST_MS = 10

/**
 * Looks at every table that the manifest names: reads it, a gigabyte a second, or where it was seen before, what LevelDB
 * finds the records by. Others LevelDB doesn't read either, and one of them is often half a table: what a compaction had
 * written when the database was closed, or its process killed.
 * @throws DamageError where one is not what LevelDB has written
 */
export async function inspectTables(location: string, seen: SeenTables): Promise<void> {
  const named = namedTables(location)
  const reader = new TableReader()
  for (const name of filesIn(location, TABLE)) {
    if (named?.has(Number.parseInt(name, 10)) === false) continue
    const stamp = seen.stampOf(name)
    if (stamp !== undefined && seen.wasSeen(name, stamp) && reader.isEndWhole(join(location, name))) continue
    expectWhole(name, await reader.read(join(location, name)))
    if (stamp !== undefined) seen.add(name, stamp)
  }
}

/**
 * Reads the tables that this run has not read yet, while LevelDB is open.
 * @throws DamageError
 */
export async function inspectTablesBehind(location: string, seen: SeenTables, signal: AbortSignal): Promise<void> {
  // Without a manifest that can be read nobody knows which ones are still being written.
  const named = namedTables(location) ?? new Set<number>()
  const reader = new TableReader()
  for (const name of filesIn(location, TABLE)) {
    if (!named.has(Number.parseInt(name, 10))) continue
    const stamp = seen.stampOf(name)
    if (stamp === undefined || seen.isSeen(name, stamp)) continue
    if (signal.aborted) return
    const table = await reader.read(join(location, name)).catch(ignoreMissing)
    // A compaction has replaced it in the meantime.
    if (table === undefined) continue
    expectWhole(name, table)
    seen.add(name, stamp)
    await delay(REST_MS)
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function expectWhole(name: string, table: Buffer): void {
  const damaged = damagedBlocks(table)
  if (damaged === undefined) throw new DamageError(`the table ${name} has lost its index`)
  if (damaged.length > 0) throw new DamageError(`the table ${name} is damaged at byte ${damaged[0]?.offset}`)
}

/**
 * Keeps the tables that the manifest doesn't name. LevelDB deletes them, or writes new ones over them, and mostly they
 * are what a compaction had made when its process was killed. But where a manifest has lost its end, it opens an older
 * state without a word, and they are all that is left of the newer one.
 */
export function setAside(location: string): void {
  const named = namedTables(location)
  if (named === undefined) return
  for (const name of filesIn(location, TABLE))
    if (!named.has(Number.parseInt(name, 10))) renameSync(join(location, name), join(location, `${name}.aside`))
}

/** Once the database has opened, and nothing is missing. */
export function forgetAside(location: string): void {
  for (const name of filesIn(location, ASIDE)) rmSync(join(location, name))
}

/**
 * Makes damaged files harmless, for LevelDB's repair: it takes from them what is still whole. What was set aside comes
 * back, under numbers of its own, since the old ones may have been given away again. Older and double records do no
 * harm: only blocks and waiting transactions are taken from there, and each is looked at again.
 */
export function mendFiles(location: string): void {
  for (const [i, name] of filesIn(location, ASIDE).entries())
    renameSync(join(location, name), join(location, `${FIRST_FREE_NUMBER + i}.ldb`))
  for (const name of filesIn(location, TABLE)) mendTableFile(join(location, name))
  for (const name of filesIn(location, LOG)) mendLogFile(join(location, name))
}

/** Whether there is a file that LevelDB writes once it has something to keep: a new database has none of them. */
export function holdsRecords(location: string): boolean {
  const logs = filesIn(location, LOG).filter((name) => statSync(join(location, name)).size > 0)
  return logs.length > 0 || filesIn(location, TABLE).length > 0 || filesIn(location, ASIDE).length > 0
}

function filesIn(location: string, names: RegExp): string[] {
  return existsSync(location) ? readdirSync(location).filter((name) => names.test(name)) : []
}

/** @returns undefined where there is no manifest that can be read: then LevelDB deletes nothing either */
function namedTables(location: string): Set<number> | undefined {
  const current = readIfThere(join(location, 'CURRENT'))?.toString().trim()
  const manifest = current && readIfThere(join(location, current))
  return manifest ? tablesNamedIn(manifest) : undefined
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

function mendTableFile(file: string): void {
  const table = readFileSync(file)
  const damaged = damagedBlocks(table)
  if (damaged === undefined) return void renameSync(file, `${file}.unreadable`)
  // One that reaches beyond the file LevelDB refuses by itself.
  for (const { offset, size } of damaged) if (offset + size < table.length) table[offset + size] = UNREADABLE
  if (damaged.length > 0) writeFileSync(file, table)
}

/** LevelDB's repair doesn't look at a log's checksums. */
function mendLogFile(file: string): void {
  const log = readFileSync(file)
  mendLog(log)
  writeFileSync(file, log)
}
