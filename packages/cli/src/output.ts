/** The one place for what goes where: stdout has results and nothing else, stderr has the rest. */
import { canonicalJson, type JsonValue } from '@bc/core'
import { CliError } from './failure.ts'

/** Columns to assume where a terminal doesn't say. */
export const DEFAULT_WIDTH = 80

/** Readable on a terminal, one line of canonical JSON for programs. */
export function printResult(result: object, json: boolean, readable: (width: number) => string): void {
  const { isTTY, columns } = process.stdout
  print(isTTY && !json ? readable(columns || DEFAULT_WIDTH) : canonicalJson(result as JsonValue))
}

/** For results that are one word and the same for people and programs: an address, a signature. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** For long results: goes on once there is room, so that a slow reader doesn't have us hold all of it. */
export async function printSlowly(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve))
}

export function note(text: string): void {
  process.stderr.write(`bc: ${text}\n`)
}

export interface Pipes {
  /** Goes on when nobody reads its output any more. */
  readonly outliveReader: boolean
}

/**
 * `bc chain | head -1` closes our stdout early. That is no error of anyone's; a full disk is.
 * @param fail what to do about the latter
 */
export function quietPipes({ outliveReader }: Pipes, fail: (error: unknown) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') return fail(new CliError('cli.output', `the result can't be written: ${error.message}`))
    if (!outliveReader) process.exit(0)
  })
  // Nobody is left to tell.
  process.stderr.on('error', () => {})
}
