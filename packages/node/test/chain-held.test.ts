/** What is held for its parent or its time stays little, whoever hands it in. */
import type { Hash, ParsedBlock } from '@bc/core'
import { expect, test } from 'vitest'
import { HeldBlocks } from '../src/chain/held-blocks.ts'

const MB = 1_000_000

function block(index: number, bytes: number): ParsedBlock {
  return { block: { index }, hash: `hash ${index}` as Hash, canonical: 'x'.repeat(bytes) } as unknown as ParsedBlock
}

function holding(sizes: readonly number[]): number[] {
  const held = new HeldBlocks()
  for (const [i, bytes] of sizes.entries()) held.add(block(i, bytes))
  return held.take(() => true).map(({ block: { index } }) => index)
}

test('a hundred blocks, the newest ones', () => {
  expect(holding(Array.from({ length: 130 }, () => 1_000))).toEqual(Array.from({ length: 100 }, (_, i) => 30 + i))
})

test('four megabytes, the newest ones', () => {
  expect(holding([MB, MB, MB, MB])).toEqual([0, 1, 2, 3])
  expect(holding([MB, MB, MB, MB, 1])).toEqual([1, 2, 3, 4])
  expect(holding([MB, MB, 3 * MB])).toEqual([1, 2])
})

test('one that is bigger than that, alone', () => {
  expect(holding([MB, 9 * MB])).toEqual([1])
  expect(holding([9 * MB, 1])).toEqual([1])
})

test('what was taken, or is held already, counts no more', () => {
  const held = new HeldBlocks()
  for (let i = 0; i < 8; i++) {
    held.add(block(i, 3 * MB))
    held.add(block(i, 3 * MB))
    expect(held.take(() => true)).toHaveLength(1)
  }
  for (let i = 0; i < 4; i++) held.add(block(i, MB))
  expect(held.take(() => true)).toHaveLength(4)
})

test('what is over is taken from the lowest up', () => {
  const held = new HeldBlocks()
  for (const index of [3, 1, 2]) held.add(block(index, 1))
  expect(held.take(({ block: { index } }) => index !== 2).map(({ block: { index } }) => index)).toEqual([1, 3])
})

test('a block is held without what its reader has left beside it', () => {
  const held = new HeldBlocks()
  const spelled = { ...block(1, 10), root: 'root', texts: ['x'.repeat(10)] } as unknown as ParsedBlock
  held.add(spelled)
  const [kept] = held.take(() => true)
  expect(Object.keys(kept ?? {}).sort()).toEqual(['block', 'canonical', 'hash', 'root'])
})
