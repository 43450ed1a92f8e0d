/** The import door against the block generator's whole table. */
import { genesisOf, type Hash, hashOf, RuleError } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { type BadCase, badCases, type GoodCase, goodCases } from '../../core/test/support/generator.ts'
import {
  freshImport,
  hashOfText,
  ledgerOver,
  type MemoryLedger,
  memoryLevel,
  parsed,
  records,
} from './support/ledger-node.ts'

const bads = [...badCases()]
const goods = [...goodCases()]

/** What a node has stored after a chain, by the hash of its newest block. */
const stored = new Map<string, Map<string, string>>()

async function recordsAfter(chain: Pick<BadCase, 'rules' | 'timestamp'>, texts: readonly string[]) {
  const newest = texts.at(-1) as string
  const known = stored.get(newest)
  if (known) return known
  const { level } = await freshImport(genesisOf(chain.rules, chain.timestamp), texts.slice(1))
  const found = await records(level)
  stored.set(newest, found)
  return found
}

/** A node of its own for each case: all start from the same records. */
async function nodeAt(place: BadCase | GoodCase): Promise<MemoryLedger> {
  const level = await memoryLevel()
  for (const [at, value] of await recordsAfter(place, place.parentChain))
    await level.put(at, Buffer.from(value, 'latin1'))
  return ledgerOver(level, genesisOf(place.rules, place.timestamp))
}

/** What the door makes of a message: the code of its refusal, or the kind of its outcome. */
async function answerTo(ledger: MemoryLedger, message: string): Promise<string> {
  try {
    return (await ledger.import(message)).kind
  } catch (error) {
    if (error instanceof RuleError) return error.code
    throw error
  }
}

/** The same of a message that comes after others in one turn, as blocks do that a node catches up with. */
async function answerToLast(ledger: MemoryLedger, before: readonly string[], message: string): Promise<string> {
  const { chain } = ledger
  try {
    const blocks = [...(await chain.read(before)), ...(await chain.read([message]))]
    return (await chain.importAll(blocks)).at(-1)?.kind ?? 'nothing'
  } catch (error) {
    if (error instanceof RuleError) return error.code
    throw error
  }
}

/** All but how many batches it took. */
function lasting(records: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...records].filter(([at]) => !at.startsWith('journal/')))
}

/**
 * The door finds a parent by the hash that the block names, so for it a wrong `previous_hash` is another place: unknown,
 * or known and then of another index.
 */
function expectedOf({ bad, code, parentChain }: BadCase): string {
  const named = placeNamedBy(bad, parentChain)
  if (named === 'unknown') return 'orphan'
  return named === 'another' ? 'block.index' : code
}

function placeNamedBy(message: string, parentChain: readonly string[]): 'parent' | 'another' | 'unknown' {
  const previous = previousHashIn(message)
  const hashes = parentChain.map((text) => hashOf(JSON.parse(text)))
  const at = hashes.indexOf(previous as Hash)
  if (previous === undefined || at === hashes.length - 1) return 'parent'
  return at < 0 ? 'unknown' : 'another'
}

/** undefined where the parser in front of the door refuses the message. */
function previousHashIn(message: string): string | undefined {
  try {
    return parsed(message).block.previous_hash
  } catch {
    return undefined
  }
}

describe('the door refuses every bad block by its rule, changes nothing, and takes the good one', () => {
  for (const bad of bads) {
    test(bad.name, async () => {
      const ledger = await nodeAt(bad)
      const before = await records(ledger.level)
      const { head } = ledger.chain
      expect(await answerTo(ledger, bad.bad)).toBe(expectedOf(bad))
      expect(await records(ledger.level)).toEqual(before)
      expect(ledger.chain.head).toBe(head)
      if (bad.good === undefined) return
      expect(await answerTo(ledger, bad.good)).toBe('head')
      expect(await answerTo(ledger, bad.good)).toBe('known')
      expect(await records(ledger.level)).toEqual(await recordsAfter(bad, [...bad.parentChain, bad.good]))
    })
  }
})

describe('among blocks that come together, the door refuses every bad one by its rule, and keeps those before it', () => {
  for (const bad of bads) {
    test(bad.name, async () => {
      const genesis = genesisOf(bad.rules, bad.timestamp)
      const ledger = await ledgerOver(await memoryLevel(), genesis)
      const parents = bad.parentChain.slice(1)
      const answer = await answerToLast(ledger, parents, bad.bad)
      expect(answer).toBe(expectedOf(bad))
      if (previousHashIn(bad.bad) === undefined) {
        // What is no block at all is found out before any of them has its turn.
        expect(ledger.chain.head.index).toBe(1)
        await ledger.chain.importAll(await ledger.chain.read(parents))
      }
      expect(lasting(await records(ledger.level))).toEqual(lasting(await recordsAfter(bad, bad.parentChain)))
      if (bad.good === undefined) return
      expect(await answerToLast(ledger, parents, bad.good)).toBe('head')
      expect(lasting(await records(ledger.level))).toEqual(
        lasting(await recordsAfter(bad, [...bad.parentChain, bad.good])),
      )
    })
  }
})

describe('the door takes every block at the edge of what is allowed', () => {
  for (const good of goods) {
    test(good.name, async () => {
      const expected = good.fromTheFuture ? 'early' : 'head'
      for (const answer of [answerTo, (ledger: MemoryLedger, text: string) => answerToLast(ledger, [], text)]) {
        const ledger = await nodeAt(good)
        expect(await answer(ledger, good.good)).toBe(expected)
        ledger.clock.now = Number.MAX_SAFE_INTEGER
        await ledger.chain.importDue()
        expect(ledger.chain.head.hash).toBe(hashOfText(good.good))
      }
    })
  }
})

/** Judged by the accounts, which a block beside the main chain has none of: it is found out when it would be the best. */
const LEDGER = ['tx.nonce', 'tx.balance']

describe('beside the main chain, the door refuses all that can be seen without the accounts', () => {
  for (const bad of badCases({ pairs: false })) {
    if (bad.good === undefined) continue
    test(bad.name, async () => {
      const ledger = await nodeAt(bad)
      await ledger.import(bad.good as string)
      const before = await records(ledger.level)
      const { head } = ledger.chain
      const answer = await answerTo(ledger, bad.bad)
      // With what the accounts would say first unsaid, a reward that counts its fees may be the first fault.
      const expected = LEDGER.includes(bad.code) ? [bad.code, 'beside', 'block.reward'] : [expectedOf(bad)]
      expect(expected).toContain(answer)
      expect(ledger.chain.head).toBe(head)
      if (answer === 'beside')
        expect(await ledger.store.entry(hashOfText(bad.bad))).toMatchObject({ refused: undefined })
      else expect(await records(ledger.level)).toEqual(before)
    })
  }
})

test('the table was there', () => {
  expect(bads.length).toBeGreaterThan(400)
  expect(goods.length).toBeGreaterThan(40)
})
