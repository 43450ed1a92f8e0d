import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Hash, parseProof, type Target } from '../src/primitives.ts'
import { commitmentOf, meetsTarget, proofOf, sealOf } from '../src/proof-of-work.ts'
import { hex, job, naiveSeal } from './support/seal-jobs.ts'

const MOST = 2n ** 64n - 1n

describe('proof and seal', () => {
  test('a proof is the commitment and 16 digits of nonce', () => {
    fc.assert(
      fc.property(job, fc.bigInt({ min: 0n, max: MOST }), ({ commitment }, nonce) => {
        const proof = proofOf(commitment, nonce)
        expect(proof).toBe(commitment + nonce.toString(16).padStart(16, '0'))
        expect(parseProof(proof)).toBe(proof)
        expect(commitmentOf(proof)).toBe(commitment)
      }),
    )
  })

  test("a seal is the tutorial's formula over the three texts", () => {
    fc.assert(
      fc.property(job, fc.bigInt({ min: 0n, max: MOST }), (some, nonce) => {
        const { previousProof, commitment, previousHash } = some
        expect(sealOf(previousProof, proofOf(commitment, nonce), previousHash)).toBe(naiveSeal(some, nonce))
      }),
    )
  })

  test('meets a target as a number does', () => {
    fc.assert(
      fc.property(hex(64), hex(64), (seal, limit) => {
        expect(meetsTarget(seal as Hash, limit as Target)).toBe(BigInt(`0x${seal}`) <= BigInt(`0x${limit}`))
      }),
    )
  })
})
