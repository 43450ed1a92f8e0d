import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BranchStep, EMPTY_ROOT, merkleBranch, merkleRoot, rootOfBranch } from '../src/merkle.ts'
import type { Hash } from '../src/primitives.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex') as Hash

const hash = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 64,
  maxLength: 64,
}) as fc.Arbitrary<Hash>
const lists = fc.array(hash, { minLength: 1, maxLength: 40 })
const listAndPosition = lists.chain((leaves) => fc.tuple(fc.constant(leaves), fc.nat(leaves.length - 1)))

const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(sha256) as [Hash, Hash, Hash, Hash, Hash]

/** By the definition, from the top: the left half is the largest power of two that leaves something on the right. */
function naiveRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 1) return leaves[0] as Hash
  let left = 1
  while (2 * left < leaves.length) left *= 2
  return sha256(naiveRoot(leaves.slice(0, left)) + naiveRoot(leaves.slice(left)))
}

describe('the Merkle root', () => {
  test('by hand', () => {
    expect(merkleRoot([])).toBe('0'.repeat(64))
    expect(EMPTY_ROOT).toBe('0'.repeat(64))
    expect(merkleRoot([a])).toBe(a)
    expect(merkleRoot([a, b])).toBe(sha256(a + b))
    expect(merkleRoot([a, b, c])).toBe(sha256(sha256(a + b) + c))
    expect(merkleRoot([a, b, c, d])).toBe(sha256(sha256(a + b) + sha256(c + d)))
    expect(merkleRoot([a, b, c, d, e])).toBe(sha256(sha256(sha256(a + b) + sha256(c + d)) + e))
  })

  test('is that of the definition', () => {
    fc.assert(
      fc.property(lists, (leaves) => {
        expect(merkleRoot(leaves)).toBe(naiveRoot(leaves))
      }),
    )
  })

  test('differs when the end of the list is doubled (CVE-2012-2459)', () => {
    expect(merkleRoot([a, b, c])).not.toBe(merkleRoot([a, b, c, c]))
    expect(merkleRoot([a, b, c, d, e, a])).not.toBe(merkleRoot([a, b, c, d, e, a, e, a]))
    fc.assert(
      fc.property(lists, fc.nat(), (leaves, n) => {
        const doubled = [...leaves, ...leaves.slice(-1 - (n % leaves.length))]
        expect(merkleRoot(doubled)).not.toBe(merkleRoot(leaves))
      }),
    )
  })

  test('differs when a leaf is changed, dropped, or moved to another place', () => {
    fc.assert(
      fc.property(listAndPosition, hash, fc.nat(), ([leaves, at], other, n) => {
        const root = merkleRoot(leaves)
        if (other !== leaves[at]) expect(merkleRoot(leaves.with(at, other))).not.toBe(root)
        expect(merkleRoot(leaves.toSpliced(at, 1))).not.toBe(root)
        const to = n % leaves.length
        const exchanged = leaves.with(at, leaves[to] as Hash).with(to, leaves[at] as Hash)
        if (leaves[to] !== leaves[at]) expect(merkleRoot(exchanged)).not.toBe(root)
      }),
    )
  })

  test('does not change its argument', () => {
    const leaves = Object.freeze([a, b, c])
    merkleRoot(leaves)
    merkleBranch(leaves, 1)
    expect(leaves).toEqual([a, b, c])
  })
})

describe('a branch', () => {
  test('by hand', () => {
    expect(merkleBranch([a], 0)).toEqual([])
    expect(merkleBranch([a, b, c], 2)).toEqual([{ side: 'left', hash: sha256(a + b) }])
    expect(merkleBranch([a, b, c], 0)).toEqual([
      { side: 'right', hash: b },
      { side: 'right', hash: c },
    ])
  })

  test('leads from every leaf to the root, in at most ⌈log2 n⌉ steps', () => {
    fc.assert(
      fc.property(lists, (leaves) => {
        for (const [position, leaf] of leaves.entries()) {
          const branch = merkleBranch(leaves, position)
          expect(rootOfBranch(leaf, branch)).toBe(merkleRoot(leaves))
          expect(branch.length).toBeLessThanOrEqual(Math.ceil(Math.log2(leaves.length)))
        }
      }),
    )
  })

  test('leads elsewhere from another leaf, or with one step changed', () => {
    fc.assert(
      fc.property(listAndPosition, hash, fc.nat(), ([leaves, position], other, n) => {
        const leaf = leaves[position] as Hash
        const branch = merkleBranch(leaves, position)
        const root = merkleRoot(leaves)
        if (other !== leaf) expect(rootOfBranch(other, branch)).not.toBe(root)
        const step = branch[n % Math.max(1, branch.length)]
        if (step === undefined) return
        const at = branch.indexOf(step)
        const turned: BranchStep = { ...step, side: step.side === 'left' ? 'right' : 'left' }
        expect(rootOfBranch(leaf, branch.with(at, turned))).not.toBe(root)
        if (other !== step.hash) expect(rootOfBranch(leaf, branch.with(at, { ...step, hash: other }))).not.toBe(root)
        expect(rootOfBranch(leaf, branch.toSpliced(at, 1))).not.toBe(root)
      }),
    )
  })

  test('of a leaf that is not there is a bug of the caller', () => {
    expect(() => merkleBranch([], 0)).toThrow(RangeError)
    expect(() => merkleBranch([a, b], 2)).toThrow(RangeError)
    expect(() => merkleBranch([a, b], -1)).toThrow(RangeError)
    expect(() => merkleBranch([a, b], 0.5)).toThrow(RangeError)
  })
})
