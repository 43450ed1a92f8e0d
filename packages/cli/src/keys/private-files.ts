/**
 * Files that are for their owner alone, in a folder that is. Where either is open to others, or somebody else's, it is
 * refused and not repaired: what was open may have been read.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CliError } from '../failure.ts'

const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700
const WINDOWS = process.platform === 'win32'

// Neither follows a link to another's file nor waits for the other end of a pipe.
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * @returns false where there is none
 * @throws CliError `cli.keystore` for one that is open to others
 */
export function isPrivateFolder(path: string): boolean {
  const found = attempt(path, () => statSync(path, { throwIfNoEntry: false }))
  if (found === undefined) return false
  if (!found.isDirectory()) throw refused(path, 'it is no folder')
  refuseLoose(path, found, PRIVATE_FOLDER)
  return true
}

export function makePrivateFolder(path: string): void {
  if (isPrivateFolder(path)) return
  attempt(path, () => {
    mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER })
    // Whatever the umask has taken away of it.
    chmodSync(path, PRIVATE_FOLDER)
  })
}

/** @returns undefined where there is none */
export function readPrivateFile(path: string, maxBytes: number): string | undefined {
  return attempt(path, () => {
    const file = openOrNothing(path)
    if (file === undefined) return undefined
    try {
      // Of the very file that is open: the path may lead to another one by now.
      const found = fstatSync(file)
      if (!found.isFile()) throw refused(path, 'it is no file')
      refuseLoose(path, found, PRIVATE_FILE)
      if (found.size > maxBytes) throw refused(path, `it is longer than ${maxBytes} bytes`)
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  })
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, READ)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw refused(path, 'it is a link')
    throw error
  }
}

/**
 * All of it or nothing, and in place of nothing that is there: the name is given to a file that is whole and on the
 * disk. Whoever is killed before leaves a draft behind, whose name starts with a dot.
 * @returns false where the path is taken
 */
export function writeNewPrivateFile(path: string, text: string): boolean {
  return attempt(path, () => {
    try {
      throughDraft(path, text, linkSync)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  })
}

/** All of it or nothing, in place of the file that is there: whenever we are killed, one of the two is there, and whole. */
export function replacePrivateFile(path: string, text: string): void {
  attempt(path, () => throughDraft(path, text, renameSync))
}

/** @param settle gives the whole draft the path's name */
function throughDraft(path: string, text: string, settle: (draft: string, path: string) => void): void {
  const draft = `${dirname(path)}/.draft-${randomBytes(8).toString('hex')}`
  try {
    writeDraft(draft, text)
    settle(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(dirname(path))
}

function writeDraft(draft: string, text: string): void {
  const file = openSync(draft, 'wx', PRIVATE_FILE)
  try {
    fchmodSync(file, PRIVATE_FILE)
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

export function removePrivateFile(path: string): void {
  attempt(path, () => {
    rmSync(path)
    syncFolder(dirname(path))
  })
}

/** A name is on the disk once its folder is. Windows opens no folders. */
function syncFolder(path: string): void {
  if (WINDOWS) return
  const folder = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Windows has no such bits, and no numbers for its users. */
function refuseLoose(path: string, { uid, mode }: Stats, allowed: number): void {
  if (WINDOWS) return
  if (uid !== process.geteuid?.()) throw refused(path, 'it belongs to somebody else')
  if ((mode & 0o077) !== 0) throw refused(path, `it is open to others: run chmod ${allowed.toString(8)} on it`)
}

/** What the system says no to is a sentence for the user. */
function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (error instanceof CliError || code === undefined) throw error
    throw refused(path, message)
  }
}

function refused(path: string, reason: string): CliError {
  return new CliError('cli.keystore', `${path} can't be used: ${reason}.`)
}
