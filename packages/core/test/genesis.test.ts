import {
  canonicalJson,
  type Genesis,
  genesisOf,
  hashOf,
  type JsonObject,
  parseGenesis,
  parseJson,
  RuleError,
} from '@bc/core'
import { describe, expect, test } from 'vitest'
import { OFF_THE_CURVE } from './support/faults/fault.ts'
import { numberedKey, verifier } from './support/keys.ts'

const ADDRESS = numberedKey(7).address
const RULES = {
  allocations: { [ADDRESS]: 1000 },
  blockTime: 10,
  difficulty: 4,
  halfLife: 600,
  maxBlockBytes: 100_000,
  miningReward: 50,
}
const GENESIS: Genesis = genesisOf(RULES as Genesis['rules'], 1_700_000_000)
const TEXT = canonicalJson(GENESIS as unknown as JsonObject)

/** As it comes from outside: objects without a prototype. */
const read = (text: string) => parseGenesis(parseJson(text), verifier)

test('a genesis block is one, with its hash for the id of its chain', () => {
  const { genesis, hash } = read(TEXT)
  expect(canonicalJson(genesis as unknown as JsonObject)).toBe(TEXT)
  expect(hash).toBe(hashOf(GENESIS))
})

describe('is none', () => {
  /** With a proof that commits to the changed rules. */
  const ruled = (changed: object) =>
    canonicalJson(genesisOf({ ...RULES, ...changed } as Genesis['rules'], 1_700_000_000) as unknown as JsonObject)

  test.each<[string, string]>([
    ['null', 'null'],
    ['a list', `[${TEXT}]`],
    ['no rules', TEXT.replace(/"rules": \{.*?\}, "t/, '"rules": null, "t')],
    ['another index', TEXT.replace('"index": 1', '"index": 2')],
    ['another timestamp under the same proof', TEXT.replace('1700000000', '1700000001')],
    ['a timestamp in a string', TEXT.replace('1700000000', '"1700000000"')],
    ['a field more', TEXT.replace('{"index"', '{"extra": 1, "index"')],
    ['a transaction', TEXT.replace('"transactions": []', '"transactions": [1]')],
    ['a rule more', ruled({ version: 1 })],
    ['a rule less', TEXT.replace(', "miningReward": 50', '')],
    ['a rule in a string', ruled({ miningReward: '50' })],
    ['difficulty 64', ruled({ difficulty: 64 })],
    ['blocks of 1,000,001 bytes', ruled({ maxBlockBytes: 1_000_001 })],
    ['a block time without a half-life', ruled({ halfLife: 0 })],
    ['a half-life without a block time', ruled({ blockTime: 0 })],
    ['an allocation in a string', ruled({ allocations: { [ADDRESS]: '1' } })],
    ['an allocation to a wrong checksum', ruled({ allocations: { [ADDRESS.replace(/.$/, 'x')]: 1 } })],
    ['an allocation off the curve', ruled({ allocations: { [OFF_THE_CURVE]: 1 } })],
  ])('%s', (_name, text) => {
    expect(codeOf(() => read(text))).toMatch(/^block\.genesis$/)
  })

  test('more coins than there can be', () => {
    const text = TEXT.replace('1000', '9007199254740991').replace(
      `"${ADDRESS}"`,
      `"${numberedKey(8).address}": 1, "${ADDRESS}"`,
    )
    expect(codeOf(() => read(text))).toBe('block.genesis')
  })
})

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof RuleError) return error.code
    throw error
  }
  return undefined
}
