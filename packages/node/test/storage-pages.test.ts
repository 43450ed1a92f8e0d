/** The main chain is read some blocks at a time: as many as are little work, however long they are. */
import { expect, test, vi } from 'vitest'
import { easyRules, GENESIS_TIME } from './support/ledger-blocks.ts'
import { memoryLedger } from './support/ledger-node.ts'

test('a page has twice as many blocks as the one before, up to 16, and a single one after 500,000 bytes', async () => {
  const { store } = await memoryLedger(easyRules(), GENESIS_TIME)
  const lengths = [1, 250_000, 250_000, 499_999]
  vi.spyOn(store, 'mainBlockTexts').mockImplementation(async (from, to) =>
    Array.from({ length: to - from + 1 }, (_, i) => Buffer.alloc(lengths[from - 1 + i] ?? 1)),
  )
  const pages: number[] = []
  await store.reading(async (snapshot) => {
    for await (const { length } of store.mainBlockPages(1, 60, snapshot)) pages.push(length)
  })
  expect(pages).toEqual([1, 2, 1, 2, 4, 8, 16, 16, 10])
})
