/**
 * What can stand where on the command line, read off the commander programs: there is no second definition of the
 * commands. The name of a value says what it is: `<file>` is completed with files, `<KEY>` with keys.
 */
import type { Argument, Command, Option } from 'commander'
import { EXPLANATIONS } from '../explanations.ts'

/**
 * What a value is, as one word without spaces: the scripts take it apart again. An `optional` one is the next word,
 * unless that looks like an option.
 */
export type Kind =
  | 'none'
  | 'optional'
  | 'file'
  | 'folder'
  | 'atfile'
  | 'key'
  | 'name'
  | 'nameorfile'
  | `words:${string}`

export interface CompletedOption {
  /** `-p` and `--port`. */
  readonly names: readonly string[]
  readonly description: string
  /** undefined for an option without a value. */
  readonly value: Kind | undefined
}

export interface CompletedCommand {
  /** The words that lead to it: `bc key new`. */
  readonly path: string
  readonly subcommands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly CompletedOption[]
  /** What the help doesn't show takes its value all the same. */
  readonly hidden: readonly CompletedOption[]
  readonly arguments: readonly Kind[]
  /** Whether the last argument may be repeated. */
  readonly variadic: boolean
}

/**
 * A program and every command below it.
 * @param above the words that lead to it
 */
export function completedCommands(command: Command, above: readonly string[] = []): readonly CompletedCommand[] {
  const help = command.createHelp()
  const path = [...above, command.name()]
  const subcommands = help.visibleCommands(command)
  const own: CompletedCommand = {
    path: path.join(' '),
    subcommands: subcommands.map((one) => ({ name: one.name(), description: one.description() })),
    // What its help shows.
    options: [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].map(optionOf),
    hidden: command.options.filter(({ hidden }) => hidden).map(optionOf),
    arguments: command.registeredArguments.map((one) => kindOf(one.name(), one.argChoices)),
    variadic: command.registeredArguments.at(-1)?.variadic === true,
  }
  const below = subcommands.flatMap((one) => (isHelp(one) ? helpOf(path, subcommands) : completedCommands(one, path)))
  return [own, ...below]
}

function isHelp(command: Command): boolean {
  return command.name() === 'help'
}

/** The command `help`, ours or, below `key`, commander's: its argument is one of the others. */
function helpOf(path: readonly string[], commands: readonly Command[]): CompletedCommand {
  const others = commands.filter((one) => !isHelp(one)).map((one) => one.name())
  return {
    path: [...path, 'help'].join(' '),
    subcommands: [],
    options: [],
    hidden: [],
    arguments: [wordsOf(others)],
    variadic: false,
  }
}

function optionOf(option: Option): CompletedOption {
  const placeholder = /<([^>]+)>/.exec(option.flags)?.[1]
  const otherwise = option.optional ? 'optional' : undefined
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: option.description,
    value: placeholder === undefined ? otherwise : kindOf(placeholder, option.argChoices),
  }
}

/** @param name of the value, as the help shows it */
function kindOf(name: string, choices: Argument['argChoices']): Kind {
  return choices ? wordsOf(choices) : (KINDS[name.replace(/\.+$/, '')] ?? 'none')
}

function wordsOf(words: readonly string[]): Kind {
  return `words:${words.join(',')}`
}

const KINDS: Readonly<Record<string, Kind>> = {
  file: 'file',
  FILE: 'file',
  'FILE|URL': 'file',
  dir: 'folder',
  '@file': 'atfile',
  KEY: 'key',
  // Where an address may stand, so may the name of a key.
  ADDRESS: 'name',
  SENDER: 'name',
  RECIPIENT: 'name',
  NAME: 'name',
  'SENDER|FILE': 'nameorfile',
  SOURCE: 'atfile',
  BLOCK: 'words:latest',
  CODE: wordsOf(Object.keys(EXPLANATIONS)),
}
