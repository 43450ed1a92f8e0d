import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bid, FeeIndex } from '../src/eviction.ts'
import { paperAddress } from './support/paper.ts'

const bid = (order: number, fee: number, sender: number): Bid => {
  return { order, transaction: { fee, sender: paperAddress(sender) } }
}

interface Operation {
  readonly remove: number | undefined
  readonly fee: number
  readonly sender: number
}

const operations = (fees: fc.Arbitrary<number>, most: number) => {
  const remove = fc.option(fc.nat(), { nil: undefined, freq: 2 })
  return fc.array(fc.record({ remove, fee: fees, sender: fc.nat(2) }), { maxLength: most, size: 'max' })
}

function expectSameAsNaive(some: readonly Operation[]): void {
  const index = new FeeIndex<Bid>()
  const bids: Bid[] = []
  for (const [order, { remove, fee, sender }] of some.entries()) {
    if (remove === undefined || bids.length === 0) {
      bids.push(bid(order, fee, sender))
      index.add(bids.at(-1) as Bid)
    } else for (const gone of bids.splice(remove % bids.length, 1)) index.delete(gone)
    // Not after every step: the index has to be right also after many that nobody asked about.
    if (order % 3 === 0) continue
    for (const except of [0, 1, 2, 3].map(paperAddress)) {
      const [first] = bids
        .filter(({ transaction }) => transaction.sender !== except)
        .sort((a, b) => a.transaction.fee - b.transaction.fee || b.order - a.order)
      expect(index.lowest(except)).toBe(first)
    }
  }
}

describe('finds the lowest fee, of equal ones the latest arrival, passing over one sender: as a naive search does', () => {
  test('with many equal fees', () => {
    fc.assert(fc.property(operations(fc.nat(6), 50), expectSameAsNaive), { numRuns: 200 })
  })

  test('with so many fees that come and go that the queue is made anew', () => {
    // A failure is not made smaller: with so many operations that takes minutes.
    fc.assert(fc.property(operations(fc.nat(10_000), 600), expectSameAsNaive), { numRuns: 10, endOnFailure: true })
    const turnover = Array.from({ length: 1000 }, (_, i) => ({ remove: i % 4 ? 0 : undefined, fee: i, sender: i % 3 }))
    expectSameAsNaive([...turnover.map((some) => ({ ...some, remove: undefined })).slice(0, 50), ...turnover])
  })
})

test('to delete what is not there changes nothing', () => {
  const index = new FeeIndex<Bid>()
  index.delete(bid(0, 5, 1))
  const only = bid(1, 5, 1)
  index.add(only)
  index.delete(bid(0, 5, 1))
  expect(index.lowest(paperAddress(2))).toBe(only)
})

// `lowest` is not asked before the pool is full, so deleting has to clean up by itself.
test('what was taken out leaves nothing behind', () => {
  for (const feeOf of [(i: number) => i, (i: number) => 10_000 - i, (i: number) => i % 2, () => 7]) {
    const index = new FeeIndex<Bid>()
    const stays = bid(0, 5000, 1)
    index.add(stays)
    for (let i = 1; i < 5000; i++) {
      const some = bid(i, feeOf(i), 1)
      index.add(some)
      index.delete(some)
    }
    const { byFee, fees } = index as unknown as { byFee: Map<number, unknown>; fees: { length: number } }
    expect(byFee.size).toBe(1)
    expect(fees.length).toBeLessThan(100)
    expect(index.lowest(paperAddress(2))).toBe(stays)
    expect(index.lowest(paperAddress(1))).toBeUndefined()
  }
})
