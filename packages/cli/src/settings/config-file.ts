/**
 * The client's own config file: what somebody would otherwise say with every command. It never holds a secret, so that
 * it may be copied, shown and kept in a repository. (The node's config.json is another file: it holds a chain's rules.)
 */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isJsonObject, type JsonObject, type JsonValue, parseJson, RuleError } from '@bc/core'
import { home } from '@bc/node/user-folders'
import { usage } from '../failure.ts'
import { readSmallBytes } from '../terminal/input.ts'
import { printable } from '../terminal/printable.ts'
import { defaultConfigFile, findConfigFile } from './folders.ts'
import { LONGEST_TIMEOUT, nodeUrl } from './node-address.ts'

/** A field that isn't there is left to the defaults. */
export interface ConfigFields {
  /** The address of a node, with or without `http://`. */
  readonly node?: string
  /** Whole seconds. */
  readonly timeout?: number
  /** Absolute path of a file that holds the operator's token. */
  readonly tokenFile?: string
  /** Absolute path of the folder of keys. */
  readonly keys?: string
  readonly json?: boolean
  readonly color?: boolean
}

export interface ConfigFile {
  readonly exists: boolean
  readonly fields: ConfigFields
}

/** A field's value as it is used. Throws a sentence that goes on from the field's name. */
type Reader<T> = (value: JsonValue, file: string) => T

const FIELDS: { readonly [Field in keyof Required<ConfigFields>]: Reader<Required<ConfigFields>[Field]> } = {
  node: (value, file) => {
    nodeUrl(text(value), `${file}: node`)
    return text(value)
  },
  timeout: (value) => {
    if (typeof value === 'number' && value >= 1 && value <= LONGEST_TIMEOUT) return value
    throw new Fault(`must be whole seconds from 1 to ${LONGEST_TIMEOUT}`)
  },
  tokenFile: (value, file) => pathIn(text(value), file),
  keys: (value, file) => pathIn(text(value), file),
  json: truth,
  color: truth,
}

class Fault extends Error {}

/**
 * An empty BC_CONFIG is none, as with the other variables.
 * @throws CliError `cli.usage` where the environment has no place for a config file
 */
export function configPath(): string {
  return process.env.BC_CONFIG || defaultConfigFile()
}

/**
 * Nobody has to have a config file; whoever names one has it.
 * @throws CliError `cli.usage` that names the file, and the field where one is wrong
 */
export function readConfigFile(): ConfigFile {
  const named = process.env.BC_CONFIG
  const path = named || findConfigFile()
  if (path === undefined || (!named && !existsSync(path))) return { exists: false, fields: {} }
  return { exists: true, fields: fieldsOf(objectIn(readSmallBytes(path, 'The config'), path), path) }
}

function objectIn(content: Uint8Array, path: string): JsonObject {
  const value = parsed(content, path)
  if (isJsonObject(value)) return value
  throw usage(`${path} holds no JSON object.`)
}

function parsed(content: Uint8Array, path: string): JsonValue {
  try {
    return parseJson(content)
  } catch (error) {
    if (error instanceof RuleError) throw usage(`${path} can't be used: ${error.message}`)
    throw error
  }
}

function fieldsOf(object: JsonObject, path: string): ConfigFields {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, fieldOf(name, value, path)]))
}

/** Never repeats the value: what stands in the wrong place may be a secret. */
function fieldOf(name: string, value: JsonValue, path: string): unknown {
  const read = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof ConfigFields] : undefined
  if (read === undefined) throw usage(`${path}: ${printable(name)} is no field of the config. ${KNOWN}`)
  try {
    return read(value, path)
  } catch (error) {
    if (error instanceof Fault) throw usage(`${path}: ${name} ${error.message}.`)
    throw error
  }
}

const KNOWN = `It has ${Object.keys(FIELDS).join(', ')}; secrets stay in files of their own.`

function text(value: JsonValue): string {
  if (typeof value === 'string' && value !== '') return value
  throw new Fault('must be a text')
}

function truth(value: JsonValue): boolean {
  if (typeof value === 'boolean') return value
  throw new Fault('must be true or false')
}

/** A relative path starts at the config file, wherever the command is called. */
function pathIn(path: string, file: string): string {
  if (!path.startsWith('~/')) return resolve(dirname(file), path)
  if (isAbsolute(home())) return join(home(), path.slice(2))
  throw new Fault('starts at home, and HOME is no absolute path')
}
