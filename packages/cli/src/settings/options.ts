/**
 * The options that every command of `bc` knows, and what they come to: a flag goes before the environment, that before
 * the config file, and that before the default.
 */
import { type Command, Help, InvalidArgumentError, Option } from 'commander'
import { CliError, usage } from '../failure.ts'
import { readSmallFile } from '../terminal/input.ts'
import { type ConfigFields, type ConfigFile, readConfigFile } from './config-file.ts'
import type { KeySource } from './key-source.ts'
import { DEFAULT_NODE, DEFAULT_TIMEOUT, LONGEST_TIMEOUT, nodeUrl } from './node-address.ts'

const SECONDS = /^[0-9]{1,5}(\.[0-9]{1,3})?$/
export const TIMEOUT_VARIABLE = 'BC_TIMEOUT'
// What a header may hold (RFC 6750, b64token, is narrower still).
const TOKEN = /^[\x21-\x7e]{1,512}$/

/** What the flags, the environment, the config file and the defaults come to, as commander has it. */
export interface Given {
  readonly node: string
  readonly token?: string
  /** A CliError is what is wrong with it in the environment: the command may ask nobody, and then it doesn't matter. */
  readonly timeout?: number | CliError
  /** The same without the flag. */
  readonly usualTimeout?: number | CliError
  readonly keys?: string
  readonly json?: boolean
  readonly color?: boolean
}

export interface Settings {
  /** Print JSON on a terminal as well. */
  readonly json: boolean
  /** Print JSON in place of one word, too. */
  readonly jsonFlag: boolean
  /** Print a list as one JSON document a line. */
  readonly ndjson: boolean
  readonly node: URL
  /** Milliseconds, where a flag gives them: this very command is to give up then, whatever it does. */
  readonly timeout: number | undefined
  /** Milliseconds for questions that a node answers at once, where the environment or the config file gives them. */
  readonly usualTimeout: number | undefined
  /** The operator's token, read when it is needed. */
  token(): string | undefined
}

export function addNodeOptions(program: Command): Command {
  program
    .addOption(new Option('--node <url>', 'the node to ask').env('BC_NODE').default(DEFAULT_NODE))
    .addOption(
      new Option(
        '--timeout <seconds>',
        `give up without an answer after this long (default: ${DEFAULT_TIMEOUT}; mine, import and resolve wait on) (env: ${TIMEOUT_VARIABLE})`,
      ).argParser(seconds),
    )
    .option(
      '--token <@file>',
      "the operator's token, for mine, secret, register, resolve, import and dev mode on a node elsewhere (env: BC_TOKEN)",
    )
    .addOption(keysOption().hideHelp())
    .option(...JSON_OPTION)
    // For one command against a config file that says json; bc config --help tells of it.
    .addOption(new Option('--no-json').hideHelp())
  // A shell has no handy way to unset a variable for one command: empty is unset.
  for (const { envVar } of program.options) if (envVar && process.env[envVar] === '') delete process.env[envVar]
  return program.hook('preAction', useEnvironment).hook('preAction', useConfigFile)
}

/**
 * The program reads it, wherever on the line it stands. A command {@link withoutNodeOptions} names it once more, for its
 * help alone.
 */
export const JSON_OPTION = ['--json', 'print JSON on a terminal too'] as const

/** For a command that asks no node: its help leaves out the program's options. */
export function withoutNodeOptions(command: Command): Command {
  return command.configureHelp({ ...command.configureHelp(), showGlobalOptions: false })
}

/** For commands that list: one item a line, so that a long list needs no room and `head` and `while read` work. */
export function withNdjson(command: Command): Command {
  return command.option('--ndjson', 'print one JSON document a line')
}

export function wantsNdjson(command: Command): boolean {
  return command.opts<{ ndjson?: true }>().ndjson === true
}

/** Commander would refuse any command for what it can't read here. */
function useEnvironment(program: Command): void {
  const text = process.env[TIMEOUT_VARIABLE]
  if (!text) return
  const value = secondsOf(text) ?? usage(`${TIMEOUT_VARIABLE}: ${SECONDS_FORM}`)
  for (const name of ['timeout', 'usualTimeout'])
    if (program.getOptionValueSource(name) === undefined) program.setOptionValueWithSource(name, value, 'env')
}

/**
 * What is wrong with the config file, by the program that has read it. Not thrown at once: `bc completion` in a
 * shell's start-up file and `bc config --path` have to work all the same.
 */
const faults = new WeakMap<Command, unknown>()
/** Read once: it may be a pipe. */
const files = new WeakMap<Command, ConfigFile>()

function useConfigFile(program: Command): void {
  try {
    const file = readConfigFile()
    files.set(program, file)
    adopt(file.fields, program)
  } catch (error) {
    faults.set(program, error)
  }
}

/** Commander has read the flags and the environment by now: what they have settled stays. */
function adopt({ node, timeout, tokenFile, keys, json, color }: ConfigFields, program: Command): void {
  // The token itself is the environment's.
  const token = tokenFile === undefined || process.env.BC_TOKEN ? undefined : `@${tokenFile}`
  for (const [name, value] of Object.entries({ node, timeout, usualTimeout: timeout, token, keys, json, color })) {
    const source = program.getOptionValueSource(name)
    if (value !== undefined && (source === undefined || source === 'default'))
      program.setOptionValueWithSource(name, value, 'config')
  }
}

/** @throws CliError where the config file can't be used */
export function given<T = Given>(command: Command): T {
  const program = rootOf(command)
  if (faults.has(program)) throw faults.get(program)
  return command.optsWithGlobals() as T
}

/** As if there were none where it can't be used. */
export function configFileOf(command: Command): ConfigFile {
  return files.get(rootOf(command)) ?? { exists: false, fields: {} }
}

/** The program itself. */
export function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}

/** Where commander has a value from. undefined: nobody gave one. */
export type Source = 'cli' | 'env' | 'config' | 'default' | undefined

export function sourceOf(command: Command, option: string): Source {
  return command.getOptionValueSourceWithGlobals(option) as Source
}

/** Every command knows it, and those that read keys show it: {@link withKeys}. */
function keysOption(): Option {
  return new Option('--keys <dir>', "the folder of stored keys, if not the platform's").env('BC_KEYS')
}

/** For a command that takes the name of a key where an address may stand. */
export function withKeys(command: Command): Command {
  const help = command.configureHelp()
  return command.configureHelp({
    ...help,
    visibleGlobalOptions(command) {
      const others = help.showGlobalOptions === false ? [] : Help.prototype.visibleGlobalOptions.call(this, command)
      return [...others, keysOption()]
    },
    showGlobalOptions: true,
  })
}

/** For a command that needs the secret of a stored key. */
export function withPassphrase(command: Command): Command {
  return withKeys(command).option('--passphrase-fd <n>', 'read the passphrase from this descriptor', descriptor)
}

/** For a command that gives a stored key another passphrase. */
export function withNewPassphrase(command: Command): Command {
  return withPassphrase(command).option(
    '--new-passphrase-fd <n>',
    'read the new passphrase from this descriptor',
    descriptor,
  )
}

export function keySourceOf(command: Command): KeySource {
  const { keys, passphraseFd } = given<{ keys?: string; passphraseFd?: number }>(command)
  return { folder: keys, passphraseFd }
}

const DESCRIPTOR = /^(0|[1-9][0-9]{0,4})$/

function descriptor(text: string): number {
  if (DESCRIPTOR.test(text)) return Number(text)
  throw new InvalidArgumentError('A descriptor is a number, as in 3< FILE.')
}

export function settingsOf(command: Command): Settings {
  const { node, token, timeout, usualTimeout, json } = given(command)
  if (timeout instanceof CliError) throw timeout
  return {
    json: json === true,
    jsonFlag: jsonFlagOf(command),
    ndjson: wantsNdjson(command),
    node: nodeOf(command, node),
    timeout: timeoutOf(command),
    usualTimeout: typeof usualTimeout === 'number' ? usualTimeout * 1000 : undefined,
    token: () => operatorToken(token),
  }
}

/** @throws CliError `cli.usage` that names the flag or the variable */
export function nodeOf(command: Command, node: string): URL {
  return nodeUrl(node, sourceOf(command, 'node') === 'env' ? 'BC_NODE' : '--node')
}

/** Milliseconds, where a flag gives them. */
export function timeoutOf(command: Command): number | undefined {
  const { timeout } = given(command)
  return typeof timeout === 'number' && sourceOf(command, 'timeout') === 'cli' ? timeout * 1000 : undefined
}

export function wantsJson(command: Command): boolean {
  return given(command).json === true
}

/**
 * Whether the command line itself asks for JSON. What is one word in a pipe becomes JSON by nothing else: scripts and a
 * shell's start-up file read it, whatever the config file says of terminals, and whether or not it can be used.
 */
export function jsonFlagOf(command: Command): boolean {
  return sourceOf(command, 'json') === 'cli' && command.optsWithGlobals<{ json?: boolean }>().json === true
}

/** Whether this stream is to have colours: the environment's word, the config file's, the terminal's. */
export function wantsColor(command: Command, stream: NodeJS.WriteStream): boolean {
  return given(command).color !== false && !process.env.NO_COLOR && stream.isTTY === true && stream.hasColors()
}

const SECONDS_FORM = `Seconds are a number from 0.001 to ${LONGEST_TIMEOUT}.`

export function seconds(text: string): number {
  const value = secondsOf(text)
  if (value !== undefined) return value
  throw new InvalidArgumentError(SECONDS_FORM)
}

function secondsOf(text: string): number | undefined {
  const value = SECONDS.test(text) ? Number(text) : 0
  return value > 0 && value <= LONGEST_TIMEOUT ? value : undefined
}

function operatorToken(given: string | undefined): string | undefined {
  if (given === undefined) return checkedToken(process.env.BC_TOKEN || undefined, 'BC_TOKEN')
  if (!given.startsWith('@'))
    throw usage('--token takes @FILE: on the command line a token would show in ps and in the history.')
  return checkedToken(readSmallFile(given.slice(1), '--token').trim(), 'The file of --token')
}

function checkedToken(token: string | undefined, source: string): string | undefined {
  if (token === undefined || TOKEN.test(token)) return token
  throw usage(`${source} holds no token: it is one line of printable ASCII.`)
}
