/** What the settings come to for a command that is called here and now, and where each is from. */
import type { Command } from 'commander'
import { CliError } from '../failure.ts'
import { isKeyName } from '../keys/key-name.ts'
import { configPath } from '../settings/config-file.ts'
import { defaultKeysFolder } from '../settings/folders.ts'
import { DEFAULT_TIMEOUT, nameOf } from '../settings/node-address.ts'
import {
  configFileOf,
  type Given,
  given,
  jsonFlagOf,
  nodeOf,
  rootOf,
  type Source,
  sourceOf,
  TIMEOUT_VARIABLE,
  wantsJson,
} from '../settings/options.ts'
import { printResult, printWord } from '../terminal/output.ts'
import { rows } from '../terminal/text.ts'

type Value = string | number | boolean | null

interface Setting {
  readonly value: Value
  readonly source: 'flag' | 'environment' | 'file' | 'default'
  /** The flag, the variable or the file. */
  readonly from: string | null
  /** Why commands that need it are refused. */
  readonly fault?: string
}

export function showConfigPath(command: Command): void {
  const path = configPath()
  printWord(path, { path }, jsonFlagOf(command))
}

export function showConfig(command: Command): void {
  const options = given(command)
  const path = configPath()
  const { exists } = configFileOf(command)
  const settings: Readonly<Record<string, Setting>> = {
    node: { ...placeOf('node', command, path), ...nodeIn(options, command) },
    timeout: { ...placeOf('timeout', command, path), ...timeoutIn(options) },
    token: tokenOf(options, command, path),
    keys: { ...placeOf('keys', command, path), value: options.keys ?? defaultKeysFolder() },
    key: defaultKey(),
    passphraseFile: passphraseFile(),
    json: { ...placeOf('json', command, path), value: options.json === true },
    color: colorOf(options, command, path),
  }
  printResult({ file: path, exists, settings }, wantsJson(command), (width) => readable(path, exists, settings, width))
}

type Content = Pick<Setting, 'value' | 'fault'>

/** What is none isn't shown: it may have a password in it. */
function nodeIn({ node }: Given, command: Command): Content {
  try {
    return { value: nameOf(nodeOf(command, node)) }
  } catch (error) {
    if (error instanceof CliError) return { value: null, fault: error.message }
    throw error
  }
}

function timeoutIn({ timeout = DEFAULT_TIMEOUT }: Given): Content {
  return timeout instanceof CliError ? { value: null, fault: timeout.message } : { value: whole(timeout) }
}

/** Canonical JSON has whole numbers alone. */
function whole(number: number): number | string {
  return Number.isInteger(number) ? number : String(number)
}

const SOURCES: Readonly<Record<Exclude<Source, undefined>, Setting['source']>> = {
  cli: 'flag',
  env: 'environment',
  config: 'file',
  default: 'default',
}

/** Where the value of an option is from. */
function placeOf(name: string, command: Command, file: string): Omit<Setting, 'value'> {
  const source = SOURCES[sourceOf(command, name) ?? 'default']
  const option = rootOf(command).options.find((one) => one.attributeName() === name)
  const variable = name === 'timeout' ? TIMEOUT_VARIABLE : option?.envVar
  const from = { flag: option?.long, environment: variable, file, default: undefined }[source]
  return { source, from: from ?? null }
}

/** Never the token itself: a file's name, or that there is one. */
function tokenOf({ token }: Given, command: Command, path: string): Setting {
  if (token === undefined && process.env.BC_TOKEN)
    return { source: 'environment', from: 'BC_TOKEN', value: 'set, and not shown' }
  const shown = token === undefined || token.startsWith('@') ? token : 'no file, and refused'
  return { ...placeOf('token', command, path), value: shown ?? null }
}

/** The key that is used where none is named. What is no name of one may be a secret. */
function defaultKey(): Setting {
  const { BC_KEY } = process.env
  if (!BC_KEY) return { source: 'default', from: null, value: null }
  const shown = isKeyName(BC_KEY) || BC_KEY.startsWith('@')
  return { source: 'environment', from: 'BC_KEY', value: shown ? BC_KEY : 'set, and not shown' }
}

/** Where the passphrase of a stored key is read, unless a descriptor is given with the command. */
function passphraseFile(): Setting {
  const { BC_PASSPHRASE_FILE } = process.env
  if (!BC_PASSPHRASE_FILE) return { source: 'default', from: null, value: null }
  return { source: 'environment', from: 'BC_PASSPHRASE_FILE', value: BC_PASSPHRASE_FILE }
}

/** A convention of all programs (no-color.org), and no option of ours. */
function colorOf({ color }: Given, command: Command, path: string): Setting {
  if (process.env.NO_COLOR) return { source: 'environment', from: 'NO_COLOR', value: false }
  return { ...placeOf('color', command, path), value: color !== false }
}

function readable(path: string, exists: boolean, settings: Readonly<Record<string, Setting>>, width: number): string {
  // The value alone stands behind, to be copied.
  const entries = Object.entries(settings).map(([name, { value, source, from, fault }]): [string, string] => [
    `${name} (${source === 'file' ? 'config file' : (from ?? source)})`,
    fault ?? (value === null ? 'none' : String(value)),
  ])
  const file: [string, string] = [exists ? 'config file' : 'config file (not there)', path]
  return rows([...entries, file], width)
}
