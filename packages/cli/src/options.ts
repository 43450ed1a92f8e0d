/** The options that every command of `bc` knows, and what they come to with the environment and the defaults. */
import { type Command, Help, InvalidArgumentError, Option } from 'commander'
import { usage } from './failure.ts'
import { readSmallFile } from './input.ts'
import type { KeySource } from './key.ts'

const DEFAULT_NODE = 'http://localhost:5000'
const LONGEST_TIMEOUT = 86_400
const SECONDS = /^[0-9]{1,5}(\.[0-9]{1,3})?$/
// What a header may hold (RFC 6750, b64token, is narrower still).
const TOKEN = /^[\x21-\x7e]{1,512}$/

interface Given {
  readonly node: string
  readonly token?: string
  readonly timeout?: number
  readonly json?: true
}

export interface Settings {
  /** Print JSON on a terminal as well. */
  readonly json: boolean
  readonly node: URL
  /** Milliseconds, where it was given. */
  readonly timeout: number | undefined
  /** The operator's token, read when it is needed. */
  token(): string | undefined
}

export function addNodeOptions(program: Command): Command {
  // A shell has no handy way to unset a variable for one command: empty is unset.
  for (const name of ['BC_NODE', 'BC_KEYS']) if (process.env[name] === '') delete process.env[name]
  return program
    .addOption(new Option('--node <url>', 'the node to ask').env('BC_NODE').default(DEFAULT_NODE))
    .option(
      '--timeout <seconds>',
      'give up without an answer after this long (default: 30; mine and resolve wait on)',
      seconds,
    )
    .option(
      '--token <@file>',
      "the operator's token, for mine, secret, register and resolve on a node elsewhere (env: BC_TOKEN)",
    )
    .addOption(keysOption().hideHelp())
    .option('--json', 'print JSON on a terminal too')
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

export function keySourceOf(command: Command): KeySource {
  const { keys, passphraseFd } = command.optsWithGlobals<{ keys?: string; passphraseFd?: number }>()
  return { folder: keys, passphraseFd }
}

const DESCRIPTOR = /^(0|[1-9][0-9]{0,4})$/

function descriptor(text: string): number {
  if (DESCRIPTOR.test(text)) return Number(text)
  throw new InvalidArgumentError('A descriptor is a number, as in 3< FILE.')
}

export function settingsOf(command: Command): Settings {
  const { node, token } = command.optsWithGlobals<Given>()
  const source = command.getOptionValueSourceWithGlobals('node') === 'env' ? 'BC_NODE' : '--node'
  return {
    json: wantsJson(command),
    node: nodeUrl(node, source),
    timeout: timeoutOf(command),
    token: () => operatorToken(token),
  }
}

/** Milliseconds, where it was given. */
export function timeoutOf(command: Command): number | undefined {
  const { timeout } = command.optsWithGlobals<Given>()
  return timeout === undefined ? undefined : timeout * 1000
}

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<Given>().json === true
}

export function seconds(text: string): number {
  const value = SECONDS.test(text) ? Number(text) : 0
  if (value > 0 && value <= LONGEST_TIMEOUT) return value
  throw new InvalidArgumentError(`Seconds are a number from 0.001 to ${LONGEST_TIMEOUT}.`)
}

/** The tutorial's clients name a node with and without `http://`. A name or password in it would show in `ps`. */
export function nodeUrl(text: string, source: string): URL {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  const plain = url && url.username + url.password + url.search + url.hash === ''
  if (plain && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw usage(`${source} is not the address of a node: it has the form ${DEFAULT_NODE}.`)
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
