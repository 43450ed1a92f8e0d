import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bid, FeeIndex } from '../src/eviction.ts'
import { paperAddress } from './support/paper.ts'

const bid = (order: number, fee: number, sender: number): Bid => {
  return { order, transaction: { fee, sender: paperAddress(sender) } }
}

test('finds the lowest fee, of equal ones the latest arrival, passing over one sender: as a naive search does', () => {
  const operation = fc.record({ remove: fc.option(fc.nat(), { nil: undefined }), fee: fc.nat(6), sender: fc.nat(2) })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50, size: 'max' }), (operations) => {
      const index = new FeeIndex<Bid>()
      const bids: Bid[] = []
      for (const [order, { remove, fee, sender }] of operations.entries()) {
        if (remove === undefined || bids.length === 0) {
          bids.push(bid(order, fee, sender))
          index.add(bids.at(-1) as Bid)
        } else for (const gone of bids.splice(remove % bids.length, 1)) index.delete(gone)
        for (const except of [0, 1, 2, 3].map(paperAddress)) {
          const [first] = bids
            .filter(({ transaction }) => transaction.sender !== except)
            .sort((a, b) => a.transaction.fee - b.transaction.fee || b.order - a.order)
          expect(index.lowest(except)).toBe(first)
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('to delete what is not there changes nothing', () => {
  const index = new FeeIndex<Bid>()
  index.delete(bid(0, 5, 1))
  const only = bid(1, 5, 1)
  index.add(only)
  index.delete(bid(0, 5, 1))
  expect(index.lowest(paperAddress(2))).toBe(only)
})

// A bucket that was emptied goes only when its fee comes up in `lowest`, which nobody calls before the pool is full:
// a node keeps two sets for every fee that it has ever seen.
test('what was taken out leaves nothing behind', () => {
  const index = new FeeIndex<Bid>()
  for (let fee = 0; fee < 1000; fee++) {
    const some = bid(fee, fee, 1)
    index.add(some)
    index.delete(some)
  }
  const { byFee } = index as unknown as { byFee: Map<number, unknown> }
  expect(byFee.size).toBeLessThan(100)
})
