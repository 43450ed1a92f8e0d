/** What comes in from files and standard input, never more of it than is needed. */
import { closeSync, openSync, readSync } from 'node:fs'
import { usage } from './failure.ts'

/** A key or a token with room to spare. */
const SMALL = 4096

/** @param name what the user called it, for the message */
export function readSmallFile(path: string, name: string): string {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    // One byte more, to notice that there is more.
    const bytes = readUpTo(file, SMALL + 1)
    if (bytes.length <= SMALL) return bytes.toString('utf8')
  } catch (error) {
    throw usage(`${name} can't be read from ${path}: ${reason(error)}.`)
  } finally {
    if (file !== undefined) closeSync(file)
  }
  throw usage(`${name} can't be read from ${path}: it is longer than ${SMALL} bytes.`)
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
  if (code !== undefined) return code
  throw error
}

/** All of standard input. */
export async function readInput(limit: number): Promise<Uint8Array> {
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
  return Buffer.from(await readInput(SMALL)).toString('utf8')
}
