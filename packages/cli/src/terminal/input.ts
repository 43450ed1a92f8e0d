/** What comes in from files and standard input, never more of it than is needed. */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { CliError, usage } from '../failure.ts'

/** A key or a token with room to spare. */
const SMALL = 4096

/** @param name what the user called it, for the message */
export function readSmallFile(path: string, name: string): string {
  return readSmallBytes(path, name).toString('utf8')
}

export function readSmallBytes(path: string, name: string): Buffer {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    return checkedLength(readUpTo(file, SMALL + 1), path, name)
  } catch (error) {
    throw unreadable(error, path, name)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** From a descriptor that the caller has opened for us: `3< FILE` in a shell. */
export function readSmallDescriptor(file: number, name: string): Buffer {
  const source = `descriptor ${file}`
  try {
    // What Node itself has open under this number, where nobody else has, is none of these: reading may wait for ever.
    const found = fstatSync(file)
    if (!found.isFile() && !found.isFIFO() && !found.isSocket() && !found.isCharacterDevice())
      throw usage(`${name} can't be read from ${source}: nothing was opened there.`)
    return checkedLength(readUpTo(file, SMALL + 1), source, name)
  } catch (error) {
    throw unreadable(error, source, name)
  }
}

/** One byte more is read than is allowed, to notice that there is more. */
function checkedLength(bytes: Buffer, source: string, name: string): Buffer {
  if (bytes.length <= SMALL) return bytes
  throw usage(`${name} can't be read from ${source}: it is longer than ${SMALL} bytes.`)
}

function unreadable(error: unknown, source: string, name: string): Error {
  return error instanceof CliError ? error : usage(`${name} can't be read from ${source}: ${reason(error)}.`)
}

/** A pipe hands over what it has, so one read may not be all. */
function readUpTo(file: number, limit: number): Buffer {
  const bytes = Buffer.alloc(limit)
  let length = 0
  for (let more = -1; more !== 0 && length < limit; length += more)
    more = readSync(file, bytes, length, limit - length, null)
  return bytes.subarray(0, length)
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'you may not read it'
  if (code === 'EISDIR') return 'it is a folder'
  if (code === 'EBADF') return 'nothing was opened there'
  if (code === 'EAGAIN') return 'nothing is there to read'
  if (code !== undefined) return code
  throw error
}

/** A file or, for `-`, standard input, as it is read. */
export async function* longInput(path: string): AsyncGenerator<Buffer> {
  if (path === '-') return yield* process.stdin as AsyncIterable<Buffer>
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>
  } catch (error) {
    throw usage(`${path} can't be read: ${reason(error)}.`)
  }
}

/** All of standard input. */
export async function readInput(limit = SMALL): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) throw usage(`standard input is longer than ${limit} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export async function readSmallInput(): Promise<string> {
  return Buffer.from(await readInput()).toString('utf8')
}
