/** Random block trees: whatever the order in which blocks arrive, the node ends as one that heard of the best branch only. */
import { supplyAt } from '@bc/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { easyRules, GENESIS_TIME } from './support/ledger-blocks.ts'
import {
  freshImport,
  ledgerOver,
  MAIN_STATE,
  type MemoryLedger,
  mainTexts,
  memoryLedger,
  records,
  totalBalance,
} from './support/ledger-node.ts'
import { blocksOf, type TreeRecipe, treeRecipe } from './support/ledger-tree.ts'

const CONSTANT = easyRules()
/** Branches differ in work, so that the best one need not be the longest. */
const MOVING = easyRules({ blockTime: 10, halfLife: 100 })

/** No more than are held as orphans: any order at all must lead to the best branch. */
const MOST_BLOCKS = 90

interface Delivery {
  readonly tree: TreeRecipe
  /** Sort keys: the order in which blocks arrive. */
  readonly order: readonly number[]
  /** Places of the order at which a block that has arrived before arrives again. */
  readonly again: readonly number[]
}

const delivery: fc.Arbitrary<Delivery> = fc.record({
  tree: treeRecipe(MOST_BLOCKS),
  order: fc.oneof(
    fc.array(fc.nat(10_000), { minLength: MOST_BLOCKS, maxLength: MOST_BLOCKS }),
    fc.constantFrom(
      Array.from({ length: MOST_BLOCKS }, (_, i) => i),
      Array.from({ length: MOST_BLOCKS }, (_, i) => MOST_BLOCKS - i),
    ),
  ),
  again: fc.array(fc.nat(MOST_BLOCKS - 1), { maxLength: 10 }),
})

function arrivals(texts: readonly string[], { order, again }: Delivery): string[] {
  const sorted = texts.map((text, i) => ({ text, at: order[i] ?? 0 })).sort((a, b) => a.at - b.at)
  return sorted.flatMap(({ text }, i) => {
    const earlier = sorted[Math.floor(i / 2)]
    return again.includes(i) && earlier ? [text, earlier.text] : [text]
  })
}

async function expectStateOfBestBranch(ledger: MemoryLedger): Promise<void> {
  const fresh = await freshImport(ledger.chain.genesis, await mainTexts(ledger))
  expect(ledger.chain.head).toEqual(fresh.chain.head)
  expect(await records(ledger.level, MAIN_STATE)).toEqual(await records(fresh.level, MAIN_STATE))
}

async function expectSupply(ledger: MemoryLedger): Promise<void> {
  const { chain } = ledger
  expect(await totalBalance(ledger)).toBe(supplyAt(chain.head.index, chain.rules))
}

/** Mines all that waits: the pool promises that it can be confirmed in the order in which it is handed out. */
async function expectConfirmable({ admission, store }: MemoryLedger): Promise<void> {
  const chosen = admission.pool.select(Number.MAX_SAFE_INTEGER)
  const [nonces, balances] = [new Map<string, number>(), new Map<string, number>()]
  for (const { transaction } of chosen) {
    const { sender, nonce, amount, fee } = transaction
    const account = await store.account(sender)
    expect(nonce).toBe(nonces.get(sender) ?? account.nonce)
    nonces.set(sender, nonce + 1)
    const left = (balances.get(sender) ?? account.balance) - amount - fee
    expect(left).toBeGreaterThanOrEqual(0)
    balances.set(sender, left)
  }
}

for (const [name, rules, runs] of [
  ['constant', CONSTANT, 60],
  ['moving', MOVING, 30],
] as const) {
  describe(`a tree of blocks, ${name} target`, () => {
    test(
      'ends in the state of its best branch, in whatever order it arrives',
      () =>
        fc.assert(
          fc.asyncProperty(delivery, async (delivered) => {
            const { texts, mostWork } = blocksOf(delivered.tree, rules)
            const ledger = await memoryLedger(rules, GENESIS_TIME)
            for (const text of arrivals(texts, delivered)) await ledger.import(text)
            expect(ledger.heldRefused).toEqual([])
            expect(ledger.chain.head.totalWork).toBe(mostWork)
            await expectStateOfBestBranch(ledger)
            await expectSupply(ledger)
            await expectConfirmable(ledger)
          }),
          { numRuns: runs },
        ),
      300_000,
    )

    test(
      'holds its supply after every block, and a restart changes nothing',
      () =>
        fc.assert(
          fc.asyncProperty(treeRecipe(MOST_BLOCKS), async (tree) => {
            const ledger = await memoryLedger(rules, GENESIS_TIME)
            for (const text of blocksOf(tree, rules).texts) {
              await ledger.import(text)
              await expectSupply(ledger)
            }
            const again = await ledgerOver(ledger.level, ledger.chain.genesis)
            expect(again.chain.head).toEqual(ledger.chain.head)
            expect(again.waiting).toEqual(ledger.waiting)
            await expectStateOfBestBranch(again)
          }),
          { numRuns: runs / 2 },
        ),
      300_000,
    )
  })
}

test('the trees have deep reorganisations, orphans, and transactions on both branches', async () => {
  const seen = { deepest: 0, orphans: 0, shared: 0, conflicting: 0, returned: 0 }
  for (const delivered of fc.sample(delivery, { numRuns: 20, seed: 7 })) {
    const { texts } = blocksOf(delivered.tree, CONSTANT)
    const ledger: MemoryLedger = await memoryLedger(CONSTANT, GENESIS_TIME, {
      onHead: async (change) => {
        // Whoever hears of a head finds it on the disk.
        expect([await ledger.store.head(), ledger.chain.head.hash]).toEqual([change.head.hash, change.head.hash])
        const [old, young] = [change.abandoned, change.adopted].map((blocks) =>
          blocks.flatMap(({ ids }) => ids.slice(1)),
        )
        seen.deepest = Math.max(seen.deepest, change.abandoned.length)
        seen.shared += old?.filter((id) => young?.includes(id)).length ?? 0
        seen.conflicting += old?.filter((id) => !young?.includes(id)).length ?? 0
        await ledger.admission.follow(change)
        seen.returned += old?.filter((id) => ledger.admission.pool.get(id)).length ?? 0
      },
    })
    for (const text of arrivals(texts, delivered)) if ((await ledger.import(text)).kind === 'orphan') seen.orphans++
  }
  expect(seen.deepest).toBeGreaterThanOrEqual(24)
  for (const count of [seen.orphans, seen.shared, seen.conflicting, seen.returned]) expect(count).toBeGreaterThan(50)
})
