/** Files that nobody but their owner may read. */
import { chmodSync, existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { StartError } from './errors.ts'

const PRIVATE_FILE = 0o600
export const PRIVATE_DIRECTORY = 0o700
/** Nothing that is kept as JSON is longer. */
const MOST_BYTES = 1_000_000

/**
 * The text of a file, which is made where it isn't there.
 * @throws StartError where it is open to others
 */
export function privateFile(file: string, make: () => string): string {
  if (!existsSync(file)) writeWhole(file, `${make()}\n`, putNew)
  refuseLoose(file, PRIVATE_FILE)
  return readFileSync(file, 'utf8').trim()
}

/**
 * @returns undefined where there is none
 * @throws where it can't be read, or is no JSON
 */
export function readPrivateJson(file: string): unknown {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) return undefined
  if (size > MOST_BYTES) throw new Error(`it is longer than ${MOST_BYTES} bytes`)
  return JSON.parse(readFileSync(file, 'utf8'))
}

export function writePrivateJson(file: string, value: unknown): void {
  writeWhole(file, `${JSON.stringify(value, null, 1)}\n`, renameSync)
}

/** All of it or nothing: half a secret would keep every later start from working. */
function writeWhole(file: string, text: string, put: (draft: string, file: string) => void): void {
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, text, { mode: PRIVATE_FILE, flush: true })
    chmodSync(draft, PRIVATE_FILE)
    put(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Not renamed: of two nodes that start at once, the second must not replace what the first one uses. */
function putNew(draft: string, file: string): void {
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** @throws StartError for what is open to others */
export function refuseLoose(path: string, mode: number): void {
  // Windows has no such bits.
  const others = process.platform === 'win32' ? 0 : statSync(path).mode & 0o077
  if (others !== 0) throw new StartError(`${path} is open to others: run chmod ${mode.toString(8)} on it.`)
}
