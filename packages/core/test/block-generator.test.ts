import { type BlockEntry, canonicalJson, genesisAccounts, genesisEntry, genesisOf, hashOf, RuleError } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { type BadCase, badCases, FAULTS, type GoodCase, goodCases, validateAlone } from './support/generator.ts'
import { verifier } from './support/keys.ts'
import { afterChanges, type State, stateOf, textOf, totalOf } from './support/state.ts'

/** All codes that decide whether a block is valid, except `block.genesis`: core makes genesis and never reads one. */
const CODES = [
  ...['message.malformed', 'block.shape', 'block.index', 'block.timestamp', 'block.previous_hash', 'block.target'],
  ...['block.merkle_root', 'block.commitment', 'block.seal', 'block.size', 'block.reward'],
  ...['tx.shape', 'tx.number', 'tx.memo', 'tx.address', 'tx.signature', 'tx.nonce', 'tx.balance'],
]

interface Place {
  readonly parent: BlockEntry
  readonly state: State
}

const places = new Map<readonly string[], Place>()

/** Follows the parent chain from its genesis, as anybody would who was handed it. */
function placeAfter({ parentChain, rules, timestamp, chain }: BadCase | GoodCase): Place {
  const known = places.get(parentChain)
  if (known) return known
  const genesis = genesisOf(rules, timestamp)
  expect(hashOf(genesis)).toBe(chain)
  expect(canonicalJson(JSON.parse(JSON.stringify(genesis)))).toBe(parentChain[0])
  let place: Place = { parent: genesisEntry(genesis, chain), state: stateOf(genesisAccounts(rules)) }
  for (const text of parentChain.slice(1)) place = followed(text, place, { parentChain, rules, timestamp, chain })
  places.set(parentChain, place)
  return place
}

type Chain = Pick<BadCase, 'parentChain' | 'rules' | 'timestamp' | 'chain'>

function followed(message: string | Uint8Array, { parent, state }: Place, { rules, chain }: Chain): Place {
  const { entry, applied } = validateAlone(message, parent, (address) => state.get(address), rules, chain, verifier)
  return { parent: entry, state: afterChanges(state, applied.changes) }
}

function refusalOf(message: string | Uint8Array, place: Place, chain: Chain): RuleError {
  try {
    followed(message, place, chain)
  } catch (error) {
    if (error instanceof RuleError) return error
    throw error
  }
  throw new Error('it was accepted')
}

const bads = [...badCases()]
const goods = [...goodCases()]

describe('every bad block is refused by its rule, and the good one in its place is taken', () => {
  for (const bad of bads) {
    test(bad.name, () => {
      const place = placeAfter(bad)
      const before = textOf(place.state)
      const refusal = refusalOf(bad.bad, place, bad)
      expect(refusal.code).toBe(bad.code)
      expect(refusalOf(new TextEncoder().encode(bad.bad), place, bad).message).toBe(refusal.message)
      if (bad.position !== undefined) expect(refusal.data.position).toBe(bad.position)
      if (bad.says) expect(refusal.message).toMatch(bad.says)
      expect(textOf(place.state)).toBe(before)
      if (bad.good !== undefined) expect(() => followed(bad.good as string, place, bad)).not.toThrow()
    })
  }
})

describe('every block at the edge of what is allowed is taken', () => {
  for (const good of goods) {
    test(good.name, () => {
      const place = placeAfter(good)
      const after = followed(good.good, place, good)
      expect(after.parent.index).toBe(good.parentChain.length + 1)
      expect(textOf(after.state)).not.toBe(textOf(place.state))
      expect(totalOf(after.state)).toBe(totalOf(place.state) + 50n)
    })
  }
})

test('the table names every rule of consensus, and every name once', () => {
  expect([...new Set(FAULTS.map(({ code }) => code))].sort()).toEqual([...CODES].sort())
  expect(FAULTS.length).toBeGreaterThanOrEqual(200)
  const names = [...bads, ...goods].map(({ name }) => name)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})
