/**
 * The files of a node's chain, and LevelDB as it is opened here.
 *
 *     <directory>/lock              held by the node that is running (see lock.ts)
 *     <directory>/chain             LevelDB, and among its files the witness (see database.ts)
 *     <directory>/chain-rebuilding  what a rebuild has so far
 *     <directory>/chain-rebuilt     complete, and about to take the place of a damaged one
 *     <directory>/chain-damaged     what was replaced with a loss, for whoever wants to look
 *     <directory>/damage-found      left behind by a node that found damage while it ran: what it was
 */
import { existsSync, linkSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { asFault, type Level } from './database.ts'

export function chainFiles(directory: string) {
  return {
    chain: join(directory, 'chain'),
    rebuilding: join(directory, 'chain-rebuilding'),
    rebuilt: join(directory, 'chain-rebuilt'),
    damaged: join(directory, 'chain-damaged'),
    marker: join(directory, 'damage-found'),
  }
}

export type ChainFiles = ReturnType<typeof chainFiles>

export function witnessFile(location: string): string {
  return join(location, 'witness')
}

/**
 * @throws DamageError where LevelDB itself finds that its files don't fit together
 * @throws StorageError where the disk doesn't let us
 */
export async function openLevel(location: string): Promise<Level> {
  // Where there was a database LevelDB must not make a new one: it would throw away all that it doesn't know.
  const createIfMissing = !existsSync(witnessFile(location))
  const level = new ClassicLevel<string, Buffer>(location, { valueEncoding: 'buffer', createIfMissing })
  try {
    await level.open()
    return level
  } catch (error) {
    throw asFault((error as Error).cause ?? error, "can't be opened")
  }
}

const DATA_FILE = /^[0-9]{6,}\.(?:ldb|log)$/
const KEPT = '.kept'
/** Beyond every number that LevelDB has given to a file. */
const FIRST_FREE_NUMBER = 100_000_000

/**
 * Gives the data files second names, which LevelDB doesn't know. Where its manifest has lost its end, it opens an older
 * state without a word and deletes every file that this doesn't name.
 */
export function keepFiles(location: string): void {
  for (const name of readdirSync(location).filter((one) => DATA_FILE.test(one))) {
    const file = join(location, name)
    if (!existsSync(file + KEPT)) tryLink(file)
  }
}

/** Not every file system has hard links. There a damaged manifest may cost what it no longer names. */
function tryLink(file: string): void {
  try {
    linkSync(file, file + KEPT)
  } catch {}
}

/** Once the database has opened, and nothing is missing. */
export function forgetFiles(location: string): void {
  for (const file of keptFiles(location)) rmSync(file, { force: true })
}

function keptFiles(location: string): string[] {
  const names = readdirSync(location).filter((name) => name.endsWith(KEPT))
  return names.map((name) => join(location, name))
}

/**
 * Puts back what LevelDB has deleted, under numbers of its own: the old ones may have been given away again. This is
 * for LevelDB's repair, which reads all that is there. Older and double records do no harm: only blocks and waiting
 * transactions are taken from it, and each is looked at again.
 */
export function restoreFiles(location: string): void {
  for (const [i, file] of keptFiles(location).entries()) {
    const original = file.slice(0, -KEPT.length)
    if (isSameFile(original, file)) rmSync(file)
    else renameSync(file, join(location, `${FIRST_FREE_NUMBER + i}${extname(original)}`))
  }
}

function isSameFile(one: string, other: string): boolean {
  return existsSync(one) && statSync(one, { bigint: true }).ino === statSync(other, { bigint: true }).ino
}
