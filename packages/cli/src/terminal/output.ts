/** The one place for what goes where: stdout has results and nothing else, stderr has the rest. */
import { canonicalJson, type JsonValue } from '@bc/core'
import { CliError } from '../failure.ts'

/** Columns to assume where a terminal doesn't say. */
const DEFAULT_WIDTH = 80

/** Readable on a terminal, one line of canonical JSON for programs. */
export function printResult(result: object, json: boolean, readable: (width: number) => string): void {
  print(process.stdout.isTTY && !json ? readable(terminalWidth()) : canonicalJson(result as JsonValue))
}

/** Who is going to read a list: a person, a program that wants all of it, or one that wants it item by item. */
export type ListForm = 'table' | 'document' | 'lines'

export function listForm({ json, ndjson }: { readonly json: boolean; readonly ndjson: boolean }): ListForm {
  if (ndjson) return 'lines'
  return process.stdout.isTTY && !json ? 'table' : 'document'
}

export function terminalWidth(stream: NodeJS.WriteStream = process.stdout): number {
  return stream.columns || DEFAULT_WIDTH
}

/** One item of a list a line. */
export async function printLines(items: readonly unknown[]): Promise<void> {
  for (const item of items) await printSlowly(canonicalJson(item as JsonValue))
}

/** For long results: goes on once there is room, so that a slow reader doesn't have us hold all of it. */
export async function printSlowly(text: string): Promise<void> {
  await writeSlowly(`${text}\n`)
}

export async function writeSlowly(bytes: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await new Promise((resolve) => process.stdout.once('drain', resolve))
}

/**
 * A list that came as one answer.
 * @param items of the answer, for `--ndjson`
 */
export async function printList(
  answer: object,
  items: readonly unknown[],
  settings: { readonly json: boolean; readonly ndjson: boolean },
  readable: (width: number) => string,
): Promise<void> {
  if (listForm(settings) === 'lines') await printLines(items)
  else printResult(answer, settings.json, readable)
}

/** For whoever waits on: the reason is a sentence. */
export function noteLost(reason: string): void {
  note(`the connection is lost: ${reason} Trying again …`)
}

/**
 * For results that are one word and the same for people and programs: an address, a signature.
 * @param json whether the flag asks for the result as JSON instead
 */
export function printWord(word: string, result: object, json: boolean): void {
  print(json ? canonicalJson(result as JsonValue) : word)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function note(text: string): void {
  process.stderr.write(`bc: ${text}\n`)
}

let outlivesReader = false

/** For what does more than it prints: it goes on when its output leads nowhere any more. */
export function outliveReader(): void {
  outlivesReader = true
}

/**
 * `bc chain | head -1` closes our stdout early. That is no error of anyone's; a full disk is. Either way nothing more
 * can be said, so this is the end.
 * @param fail what to do about the latter
 */
export function quietPipes(fail: (error: unknown) => Promise<void>): void {
  process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') await fail(new CliError('cli.output', `the result can't be written: ${error.message}`))
    if (!outlivesReader) process.exit()
  })
  // Nobody is left to tell.
  process.stderr.on('error', () => {})
}
