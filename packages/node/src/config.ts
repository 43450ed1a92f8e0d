/** config.json: the consensus parameters and the node's defaults. */
import { readFile } from 'node:fs/promises'
import {
  type Address,
  type Amount,
  type ChainRules,
  DEFAULT_JSON_LIMITS,
  genesisOf,
  HALF_LIFE_BLOCKS,
  isAddress,
  MAX_AMOUNT,
  MAX_BLOCK_BYTES,
  parseJson,
  RuleError,
} from '@bc/core'
import { bestVerifier } from '@bc/wallet'

export interface NodeConfig {
  readonly rules: ChainRules
  /** Unix seconds. */
  readonly genesisTimestamp: number
  readonly port: number
  readonly host: string
  /** Names by which the node may be addressed, beside localhost and IP addresses. */
  readonly allowedHosts: readonly string[]
}

/** A configuration that can't be used: a sentence that names the file and the field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * What is accepted must find a block: the longest transaction, a memo of 256 control characters, has 1952 bytes, and its
 * block 2532.
 */
const LEAST_BLOCK_BYTES = 3_000

/** What is wrong with a field's value; undefined where nothing is. */
type Check = (value: unknown) => string | undefined

const FIELDS: Readonly<Record<string, Check>> = {
  difficulty: whole(0, 63),
  miningReward: whole(0, MAX_AMOUNT),
  blockTime: whole(0, 1_000_000),
  halfLife: whole(0, 1_000_000_000),
  maxBlockBytes: whole(LEAST_BLOCK_BYTES, MAX_BLOCK_BYTES),
  allocations: checkAllocations,
  genesisTimestamp: whole(0, MAX_AMOUNT),
  port: whole(0, 65_535),
  host: checkHost,
  allowedHosts: checkHosts,
}

/**
 * @param base the shipped config.json, which has every field
 * @param overrides a file whose fields go before those
 * @throws ConfigError
 */
export async function loadConfig(base: string, overrides?: string): Promise<NodeConfig> {
  const fields = { ...(await readFields(base)), ...(overrides === undefined ? {} : await readFields(overrides)) }
  const missing = Object.keys(FIELDS).find((field) => fields[field] === undefined)
  if (missing) throw new ConfigError(`${base}: ${missing} is missing.`)
  return assemble(fields, overrides ?? base)
}

async function readFields(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ConfigError(`${file} can't be read: ${error.message}.`)
  })
  const value = parse(text, file)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`${file} holds no JSON object.`)
  for (const [field, content] of Object.entries(value)) {
    const check = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
    if (check === undefined)
      throw new ConfigError(
        `${file}: ${field} is no field of a configuration. It has ${Object.keys(FIELDS).join(', ')}.`,
      )
    const fault = check(content)
    if (fault) throw new ConfigError(`${file}: ${field} ${fault}, not ${around(JSON.stringify(content))}.`)
  }
  parseStrictly(text, file)
  return value as Record<string, unknown>
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`${file} is no JSON: ${(error as Error).message}.`)
  }
}

/** No message from outside: as long as its allocations make it, and they have no limit. */
const FILE_LIMITS = { ...DEFAULT_JSON_LIMITS, maxBytes: Number.POSITIVE_INFINITY }

/** After the fields were named: what JSON.parse lets through, as a key that stands twice. The line names the field. */
function parseStrictly(text: string, file: string): void {
  try {
    parseJson(text, FILE_LIMITS)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    const before = text.slice(0, Number(error.data.offset)).split('\n')
    const line = text.split('\n')[before.length - 1] ?? ''
    const place = around(line, before.at(-1)?.length)
    throw new ConfigError(`${file}, line ${before.length}: ${place} - ${error.message}`)
  }
}

/** Characters of a file that a sentence quotes: all of it may stand on one line. */
const MOST_QUOTED = 80

/** @returns what stands on both sides of a place */
function around(text: string, at = 0): string {
  const from = Math.max(0, at - MOST_QUOTED / 2)
  const to = from + MOST_QUOTED
  return `${from > 0 ? '…' : ''}${text.slice(from, to).trim()}${to < text.length ? '…' : ''}`
}

function assemble(fields: Record<string, unknown>, file: string): NodeConfig {
  const { genesisTimestamp, port, host, allowedHosts, halfLife, ...rest } = fields as unknown as NodeConfig & ChainRules
  const { blockTime } = rest
  if (blockTime === 0 && halfLife !== 0)
    throw new ConfigError(`${file}: halfLife must be 0 where blockTime is 0, since the target is constant then.`)
  if (blockTime === 1)
    throw new ConfigError(
      `${file}: blockTime must be 0 or at least 2: no block counts as quicker than 1 second, so with 1 the difficulty would never rise.`,
    )
  if (halfLife !== 0 && halfLife < blockTime)
    throw new ConfigError(
      `${file}: halfLife must be 0 or at least ${blockTime}, as blockTime is: with less each quick block would at least double the difficulty.`,
    )
  const rules = { ...rest, halfLife: blockTime > 0 && halfLife === 0 ? HALF_LIFE_BLOCKS * blockTime : halfLife }
  try {
    genesisOf(rules, genesisTimestamp)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ConfigError(`${file}: allocations: ${error.message}.`)
  }
  return { rules, genesisTimestamp, port, host, allowedHosts }
}

function whole(least: number, most: number): Check {
  return (value) =>
    Number.isSafeInteger(value) && !Object.is(value, -0) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`
}

/** Of a name the resolver is to judge; many a machine has one with an underscore. @returns what is wrong with it */
export function checkHost(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9A-Za-z._:-]{1,253}$/.test(value)
    ? undefined
    : 'must be a host name or an IP address'
}

const HOST_NAME = /^[0-9A-Za-z._-]{1,253}$/

function checkHosts(value: unknown): string | undefined {
  return Array.isArray(value) && value.every((host) => typeof host === 'string' && HOST_NAME.test(host))
    ? undefined
    : 'must be a list of host names, without ports'
}

function checkAllocations(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'must be an object of addresses and coins'
  for (const [address, amount] of Object.entries(value as Record<Address, Amount>)) {
    if (!isAddress(address, bestVerifier())) return `must name valid addresses, and "${address}" is none`
    const fault = whole(0, MAX_AMOUNT)(amount)
    if (fault) return `of ${address} ${fault}`
  }
  return undefined
}
