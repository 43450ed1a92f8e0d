/**
 * The files of a node's chain, and LevelDB as it is opened here.
 *
 *     <directory>/chain            LevelDB, and among its files the witness (see database.ts)
 *     <directory>/chain-rebuilt    complete, and about to take the place of a damaged one
 *     <directory>/chain-damaged    what was replaced with a loss, for whoever wants to look
 *     <directory>/damage-found     left behind by a node that found damage while it ran: what it was
 */
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { DamageError, StartError } from '../errors.ts'
import type { Level } from './database.ts'

export function chainFiles(directory: string) {
  return {
    chain: join(directory, 'chain'),
    rebuilding: join(directory, 'chain-rebuilding'),
    rebuilt: join(directory, 'chain-rebuilt'),
    damaged: join(directory, 'chain-damaged'),
    marker: join(directory, 'damage-found'),
  }
}

export function witnessFile(location: string): string {
  return join(location, 'witness')
}

/**
 * @throws DamageError where LevelDB itself finds that its files don't fit together
 * @throws StartError where another process has it open
 */
export async function openLevel(location: string): Promise<Level> {
  const level = new ClassicLevel<string, Buffer>(location, { valueEncoding: 'buffer' })
  try {
    await level.open()
    return level
  } catch (error) {
    throw explain((error as Error).cause ?? error, location)
  }
}

function explain(error: unknown, location: string): unknown {
  const { code } = error as { code?: string }
  if (code === 'LEVEL_LOCKED')
    return new StartError(`Another node is using ${location}: stop it, or choose another --data-dir.`)
  return asDamage(error)
}

/** LevelDB reports damage as corruption, and a table file that is gone as a plain I/O error. */
export function asDamage(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string }
  const damage = code === 'LEVEL_CORRUPTION' || /corruption|no such file|invalid argument/i.test(message ?? '')
  return damage ? new DamageError(`LevelDB: ${message}`) : error
}
