/** A genesis block from somebody else: whether it is one, whatever its chain (protocol.md, "Genesis"). */
import { type Genesis, genesisOf } from './block.ts'
import { sha256Hex } from './hash.ts'
import { canonicalJson, isJsonObject, type JsonValue } from './json.ts'
import { type ChainRules, MAX_BLOCK_BYTES } from './params.ts'
import { type Hash, parseAmount } from './primitives.ts'
import { RuleError } from './rules.ts'
import { isAddress, type SignatureVerifier } from './signature.ts'

export interface ParsedGenesis {
  readonly genesis: Genesis
  /** The chain's id. */
  readonly hash: Hash
}

const RULE_FIELDS = ['allocations', 'blockTime', 'difficulty', 'halfLife', 'maxBlockBytes', 'miningReward'] as const
/** With 64 zeros there is no seal but 0. */
const MAX_DIFFICULTY = 63

/**
 * All of a genesis block follows from its rules and its timestamp: so it is one where these are in order, and the block
 * that they make is the same text.
 * @throws RuleError `block.genesis`
 */
export function parseGenesis(value: JsonValue, verifier: SignatureVerifier): ParsedGenesis {
  if (!isJsonObject(value)) throw noGenesis('it is no object')
  const rules = parseRules(value.rules, verifier)
  const timestamp = parseAmount(value.timestamp)
  if (timestamp === undefined) throw noGenesis('its timestamp is no whole number of seconds')
  const genesis = madeOf(rules, timestamp)
  const canonical = canonicalJson(value)
  if (canonical !== canonicalJson(genesis))
    throw noGenesis('its fields are not exactly those that follow from its rules and its timestamp')
  return { genesis, hash: sha256Hex(canonical) }
}

function parseRules(value: JsonValue | undefined, verifier: SignatureVerifier): ChainRules {
  if (!isJsonObject(value) || Object.keys(value).length !== RULE_FIELDS.length)
    throw noGenesis('its rules are not exactly the six')
  const { allocations, ...numbers } = value
  for (const field of RULE_FIELDS)
    if (field !== 'allocations' && parseAmount(numbers[field]) === undefined)
      throw noGenesis(`the rule ${field} is no whole number`)
  if (!isJsonObject(allocations)) throw noGenesis('its allocations are no object')
  const rules = value as unknown as ChainRules
  if (rules.difficulty > MAX_DIFFICULTY) throw noGenesis(`its difficulty is above ${MAX_DIFFICULTY}`)
  if (rules.maxBlockBytes > MAX_BLOCK_BYTES) throw noGenesis(`its maxBlockBytes is above ${MAX_BLOCK_BYTES}`)
  if ((rules.blockTime === 0) !== (rules.halfLife === 0))
    throw noGenesis('blockTime and halfLife are both 0, for a constant target, or neither is')
  for (const [address, amount] of Object.entries(allocations)) {
    if (parseAmount(amount) === undefined) throw noGenesis('an allocation is no whole number')
    if (!isAddress(address, verifier)) throw noGenesis('an allocation is not to an address')
  }
  return rules
}

function madeOf(rules: ChainRules, timestamp: number): Genesis {
  try {
    return genesisOf(rules, timestamp)
  } catch (error) {
    if (error instanceof RangeError) throw noGenesis(error.message)
    throw error
  }
}

function noGenesis(fault: string): RuleError {
  return new RuleError('block.genesis', `This is no genesis block: ${fault}.`)
}
