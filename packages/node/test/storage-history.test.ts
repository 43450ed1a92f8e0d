/** An address's transactions, found from block to block: the same as in a look through the whole main chain. */
import { type Address, type Genesis, genesisOf } from '@bc/core'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { alice, bob, carol, miner } from '../../core/test/support/site.ts'
import { DamageError } from '../src/errors.ts'
import { FARTHEST_WALK } from '../src/storage/history.ts'
import { key, place } from '../src/storage/layout.ts'
import { partiesOf } from '../src/storage/records.ts'
import {
  type BlockRecipe,
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  nothing,
  PEOPLE,
  type Site,
} from './support/ledger-blocks.ts'
import { freshImport, type MemoryLedger, placesOf } from './support/ledger-node.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)

const person = fc.nat(PEOPLE.length - 1)
const payment = fc.record({ from: person, to: person, amount: fc.constant(3), fee: fc.nat(1) })
const recipe: fc.Arbitrary<BlockRecipe> = fc.record({
  payments: fc.array(payment, { maxLength: 4 }),
  after: fc.constant(10),
  rewardTo: fc.constantFrom(300, 301, 302),
})
const blocks = (least: number) => fc.array(recipe, { minLength: least, maxLength: 12 })

/** A chain that has left a branch behind. */
interface Forked {
  readonly trunk: readonly BlockRecipe[]
  readonly old: readonly BlockRecipe[]
  readonly young: readonly BlockRecipe[]
}

const forked: fc.Arbitrary<Forked> = fc
  .record({ trunk: blocks(0), old: blocks(0), young: blocks(1) })
  .filter(({ old, young }) => young.length > old.length)

function built(base: Site, recipes: readonly BlockRecipe[]): Site {
  return grown(base, recipes.length, (i) => recipes[i] as BlockRecipe)
}

async function ledgerOf({ trunk, old, young }: Forked, genesis: Genesis = GENESIS): Promise<MemoryLedger> {
  const base = built(genesisSite(genesis.rules), trunk)
  const other = built(base, old)
  const main = built(base, young)
  return freshImport(genesis, [...other.texts.slice(1), ...main.texts.slice(base.texts.length)])
}

/** What an index would hold. */
async function lookedUp({ store, chain }: MemoryLedger, address: Address): Promise<string[]> {
  const found: string[] = []
  await store.reading(async (snapshot) => {
    for (let index = 2; index <= chain.head.index; index++) {
      const { block } = await store.mainBlock(index, snapshot)
      for (const position of block.transactions.keys())
        if (partiesOf(block, position).includes(address)) found.unshift(place(index, position))
    }
  })
  return found
}

describe('a history', () => {
  test('is what the main chain has of an address, after any reorganisation and before any place', async () => {
    let shown = 0
    const cursor = fc.record({ index: fc.nat(30), position: fc.nat(6) })
    await fc.assert(
      fc.asyncProperty(forked, fc.array(cursor, { minLength: 5, maxLength: 5 }), async (chain, cursors) => {
        const ledger = await ledgerOf(chain)
        for (const { address } of PEOPLE) {
          const all = await lookedUp(ledger, address)
          shown += all.length
          expect(await placesOf(ledger, address)).toEqual(all)
          for (const before of cursors) {
            const older = all.filter((at) => at < place(before.index, before.position))
            expect(await placesOf(ledger, address, before)).toEqual(older)
          }
        }
      }),
      { numRuns: 60 },
    )
    expect(shown).toBeGreaterThan(1_000)
  }, 120_000)

  test('has the reward of a chain that gives none', async () => {
    const genesis = genesisOf(easyRules({ miningReward: 0 }), GENESIS_TIME)
    const ledger = await ledgerOf({ trunk: [nothing, nothing], old: [], young: [nothing] }, genesis)
    expect(await placesOf(ledger, miner.address)).toEqual([place(4, 0), place(3, 0), place(2, 0)])
  })

  test('of an address that nobody has heard of is empty', async () => {
    const ledger = await ledgerOf({ trunk: [nothing], old: [], young: [nothing] })
    for (const before of [undefined, { index: 3, position: 0 }, { index: Number('9'.repeat(16)), position: 999_999 }])
      expect(await placesOf(ledger, carol.address, before)).toEqual([])
  })

  test('goes on at any of its own blocks, and elsewhere where that is near its end', async () => {
    const once: BlockRecipe = { payments: [{ from: 0, to: 1, amount: 1, fee: 0 }], after: 10 }
    const far = FARTHEST_WALK.blocks
    const main = grown(genesisSite(RULES), far + 3, (i) => (i === 0 || i === 2 ? once : nothing))
    const ledger = await freshImport(GENESIS, main.texts.slice(1))
    // The miner has a part in all blocks; so that 3 is none of his, nothing is: Alice has one in 2 and in 4.
    expect(await placesOf(ledger, miner.address, { index: 2, position: 1 })).toEqual([place(2, 0)])
    expect(await placesOf(ledger, alice.address, { index: 3, position: 0 })).toEqual([place(2, 1)])
    // Genesis is before everything, and too far from the miner's newest block to be walked to.
    expect(await placesOf(ledger, alice.address, { index: 1, position: 0 })).toEqual([])
    expect(await placesOf(ledger, miner.address, { index: 1, position: 0 })).toBeUndefined()
  }, 60_000)

  test('of big blocks is not walked through as far', async () => {
    const ledger = await ledgerOf({ trunk: Array(10).fill(nothing), old: [], young: [nothing] })
    const connectedBlock = ledger.store.connectedBlock.bind(ledger.store)
    const read = vi.spyOn(ledger.store, 'connectedBlock').mockImplementation(async (...asked) => ({
      ...(await connectedBlock(...asked)),
      bytes: 1_000_000,
    }))
    expect(await placesOf(ledger, miner.address, { index: 1, position: 0 })).toBeUndefined()
    // Genesis, the newest one, and eight from there.
    expect(read).toHaveBeenCalledTimes(10)
    expect(await placesOf(ledger, miner.address, { index: 2, position: 1 })).toEqual([place(2, 0)])
  })

  test('that leads to where nothing is of its address, or in a circle, is damage', async () => {
    const paid: BlockRecipe = { payments: [{ from: 0, to: 1, amount: 1, fee: 0 }], after: 10 }
    for (const previous of [3, 4, 5]) {
      const ledger = await ledgerOf({ trunk: [paid, nothing, paid], old: [], young: [paid] })
      const { block, before } = JSON.parse(((await ledger.level.get(key.undo(4))) as Buffer).subarray(4).toString())
      const led = before.map((parts: number[] | null) => parts && [parts[0], parts[1], previous])
      await ledger.store.writeRecords(new Map([[key.undo(4), JSON.stringify({ block, before: led })]]))
      for (const { address } of [alice, bob]) await expect(placesOf(ledger, address)).rejects.toThrow(DamageError)
    }
  })
})
