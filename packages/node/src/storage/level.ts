/**
 * The files of a node's chain, and LevelDB as it is opened here.
 *
 *     <directory>/lock              held by the node that is running (see lock.ts)
 *     <directory>/chain             LevelDB, and among its files the witness (see witness.ts)
 *     <directory>/chain-rebuilding  what a rebuild has so far
 *     <directory>/chain-rebuilt     complete, and about to take the place of a damaged one
 *     <directory>/chain-replaced    the damaged one, where nothing is lost: about to be deleted
 *     <directory>/chain-damaged     what was replaced with a loss, for whoever wants to look; chain-damaged-2 the next
 *     <directory>/damage-found      left behind by a node that found damage while it ran: what it was
 *
 * `chain` may be a link to a folder elsewhere: what takes its place, or has had it, lies beside that folder then.
 */
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { asFault, type Level, WRITE_BUFFER_BYTES } from './database.ts'
import { holdsRecords } from './level-files.ts'

/**
 * As few as LevelDB allows: 64 tables. It maps each that it has open into memory, and of a long chain nearly all were
 * open, a gigabyte and more. At a height of a million a block costs a twentieth more than with all of them open.
 */
const MAX_OPEN_FILES = 74

export function chainFiles(directory: string) {
  const chain = join(directory, 'chain')
  const folder = behindLinks(chain)
  return {
    chain,
    /** The same, to be renamed. */
    folder,
    rebuilding: `${folder}-rebuilding`,
    rebuilt: `${folder}-rebuilt`,
    replaced: `${folder}-replaced`,
    damaged: ['', '-2', '-3'].map((number) => `${folder}-damaged${number}`),
    marker: join(directory, 'damage-found'),
  }
}

function behindLinks(location: string): string {
  if (!lstatSync(location, { throwIfNoEntry: false })?.isSymbolicLink()) return location
  try {
    return realpathSync(location)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    // Nothing is there, as between the two renames of a rebuild.
    return behindLinks(resolve(dirname(location), readlinkSync(location)))
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
  const createIfMissing = !existsSync(witnessFile(location)) && !holdsRecords(location)
  const level = new ClassicLevel<string, Buffer>(location, {
    ...{ valueEncoding: 'buffer', createIfMissing },
    writeBufferSize: WRITE_BUFFER_BYTES,
    maxOpenFiles: MAX_OPEN_FILES,
  })
  try {
    await level.open()
    return level
  } catch (error) {
    throw asFault((error as Error).cause ?? error, "can't be opened")
  }
}
