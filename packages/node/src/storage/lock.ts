/**
 * One node to a directory. LevelDB locks its own files, but only while it has them open: here they are looked at,
 * mended and replaced as well, and of two nodes that did so at once each would spoil the other's work.
 *
 * The lock is a LevelDB of its own that holds nothing: the one lock at hand that every platform takes back when a
 * process is killed.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { DamageError, StartError } from '../errors.ts'
import { asDamage } from './database.ts'

export type Release = () => Promise<void>

/** @throws StartError where another process has it */
export async function lockDirectory(directory: string): Promise<Release> {
  const location = join(directory, 'lock')
  try {
    return await lockAt(location)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'LEVEL_LOCKED')
      throw new StartError(`Another node is using ${directory}: stop it, or choose another --data-dir.`)
    // LevelDB looks at the other files once it has the lock: who sees them damaged takes it from nobody. Any other fault,
    // such as too few descriptors, may be ours alone.
    if (!(asDamage(error) instanceof DamageError)) throw error
    // There is nothing in them.
    rmSync(location, { recursive: true, force: true })
    return lockAt(location)
  }
}

async function lockAt(location: string): Promise<Release> {
  const level = new ClassicLevel(location)
  try {
    await level.open()
  } catch (error) {
    // Its own sentence is that it failed to open.
    throw (error as Error).cause ?? error
  }
  return () => level.close()
}
