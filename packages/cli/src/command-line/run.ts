/** From the words of a command line to an exit code. */
import { readFileSync } from 'node:fs'
import { type Command, CommanderError } from 'commander'
import { CliError, EXIT, type ExitCode, exitCodeOf, Refusal, sentenceOf } from '../failure.ts'
import { quietPipes } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { either, nearest } from './suggestion.ts'

/** The settings that every command of a program has in common; subcommands made after this inherit them. */
export function configured(program: Command): Command {
  return program
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(ours(text, program.name())) })
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError(USAGE_HINT)
}

const USAGE_HINT = '(add --help for usage and examples)'

/** Commander repeats what it refuses, and what stands in the wrong place may be a secret. */
function ours(text: string, name: string): string {
  return (text.replace(/^error: /, `${name}: `) + choiceMeant(text)).replace(/[0-9a-f]{64}/gi, '(64 hex digits)')
}

const CHOICES = / value '([^']*)' is invalid .*Allowed choices are (.*)\.\n$/

/** As commander does it for commands and options. */
function choiceMeant(text: string): string {
  const [, word, choices] = CHOICES.exec(text) ?? []
  const found = word === undefined || choices === undefined ? [] : nearest(word, choices.split(', '))
  return found.length === 0 ? '' : `(Did you mean ${either(found)}?)\n`
}

export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}

export function examples(...lines: readonly string[]): string {
  return ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
}

/** Never rejects: a failure is reported on stderr and left in `process.exitCode`. */
export async function run(program: Command, args: readonly string[]): Promise<void> {
  const fail = async (error: unknown) => {
    process.exitCode = await report(program.name(), error)
  }
  quietPipes(fail)
  const forget = refuseEarlyEnd(program.name())
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    await fail(error)
  }
  forget()
}

/**
 * A command that waits for what can't come any more, as for an input that nobody reads, would end in silence with 0, as
 * if all were done.
 * @returns what takes this back
 */
function refuseEarlyEnd(name: string): () => void {
  const onEmpty = () => {
    process.stderr.write(`${name}: this is a bug of ${name}: it has ended before the command was done.\n`)
    process.exitCode = EXIT.other
  }
  process.once('beforeExit', onEmpty)
  return () => void process.off('beforeExit', onEmpty)
}

/** The message alone for what a person can put right, the stack for a bug. */
async function report(name: string, error: unknown): Promise<ExitCode> {
  // Commander has written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  const told = await forPeople(error)
  if (told) {
    process.stderr.write(`${name}: ${sentenceOf(told)}\n${process.stderr.isTTY ? await hintFor(told.code) : ''}`)
    return exitCodeOf(told.code)
  }
  process.stderr.write(`${name}: this is a bug of ${name}:\n${error instanceof Error ? error.stack : error}\n`)
  return EXIT.other
}

/** Where a person finds more. A newer node may know rules that we can't explain. */
async function hintFor(code: string): Promise<string> {
  if (code === 'cli.usage') return `${USAGE_HINT}\n`
  const { isCode } = await import('../explanations.ts')
  return isCode(code) ? `(bc explain ${code})\n` : ''
}

async function forPeople(error: unknown): Promise<{ readonly code: string; readonly message: string } | undefined> {
  if (error instanceof CliError || error instanceof Refusal) return error
  // Not loaded before: a help text needs no rules.
  const { RuleError } = await import('@bc/core')
  // Of a file that may be anyone's it repeats words.
  return error instanceof RuleError ? { code: error.code, message: printable(error.message) } : undefined
}
