import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Hash, type Proof, parseProof, type Target } from '../src/primitives.ts'
import { commitmentOf, meetsTarget, proofOf, type SealJob, sealOf, searchNonce } from '../src/proof-of-work.ts'

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })

/** Each is met by one of 1 … 256 nonces, on average; with digits after the zeros that aren't all f. */
const target = fc
  .tuple(fc.nat(2), hex(64))
  .map(([zeros, digits]) => ('0'.repeat(zeros) + digits.slice(zeros)) as Target)

const job: fc.Arbitrary<SealJob> = fc.record({
  previousProof: hex(80) as fc.Arbitrary<Proof>,
  previousHash: hex(64) as fc.Arbitrary<Hash>,
  commitment: hex(64) as fc.Arbitrary<Hash>,
  target,
})

const naiveSeal = ({ previousProof, previousHash, commitment }: SealJob, nonce: bigint): string => {
  const digits = nonce.toString(16).padStart(16, '0')
  return createHash('sha256')
    .update(previousProof + commitment + digits + previousHash)
    .digest('hex')
}

function naiveSearch(some: SealJob, from: bigint, attempts: number): bigint | undefined {
  for (let nonce = from; nonce < from + BigInt(attempts); nonce++)
    if (BigInt(`0x${naiveSeal(some, nonce)}`) <= BigInt(`0x${some.target}`)) return nonce
  return undefined
}

const MOST = 2n ** 64n - 1n

/** Starts near a carry over some of the last digits, and anywhere. */
const starts = fc.oneof(
  fc.bigInt({ min: 0n, max: MOST - 600n }),
  fc
    .tuple(fc.integer({ min: 1, max: 15 }), fc.bigInt({ min: 1n, max: 15n }), fc.bigInt({ min: 0n, max: 40n }))
    .map(([digits, leading, before]) => {
      const carry = leading * 16n ** BigInt(digits)
      return carry > before ? carry - before : 0n
    }),
  fc.constantFrom(0n, 9n, 15n, 0xffn, 0x9ffn, 0x9999999999999999n, 0xfffffffffffffd00n),
)

describe('the search for a nonce', () => {
  test('finds what a naive loop finds: the first nonce, or none', () => {
    let found = 0
    fc.assert(
      fc.property(job, starts, fc.nat(200), (some, from, attempts) => {
        const nonce = naiveSearch(some, from, attempts)
        expect(searchNonce(some, from, attempts)).toBe(nonce)
        if (nonce !== undefined) found++
      }),
      { numRuns: 400 },
    )
    expect(found).toBeGreaterThan(50)
  })

  test('goes through the end of every digit', () => {
    const [some] = fc.sample(job, 1) as [SealJob]
    for (let digits = 1; digits < 16; digits++) {
      const carry = 16n ** BigInt(digits)
      for (const from of [carry - 20n < 0n ? 0n : carry - 20n, 10n * carry - 3n, 15n * carry - 2n]) {
        // The seal of the nonce itself as the target: only this nonce meets it.
        const last = from + 25n
        const exact = { ...some, target: naiveSeal(some, last) as Target }
        const first = naiveSearch(exact, from, 26)
        expect(searchNonce(exact, from, 26)).toBe(first)
      }
    }
  })

  test('reaches 2^64 - 1', () => {
    fc.assert(
      fc.property(job, fc.integer({ min: 1, max: 40 }), (some, before) => {
        const from = MOST - BigInt(before) + 1n
        const exact = { ...some, target: naiveSeal(some, MOST) as Target }
        expect(searchNonce(exact, from, before)).toBe(naiveSearch(exact, from, before))
        expect(searchNonce(exact, MOST, 1)).toBe(MOST)
      }),
      { numRuns: 30 },
    )
  })

  test('does not try one more than it was told', () => {
    fc.assert(
      fc.property(job, fc.integer({ min: 0, max: 50 }), (some, before) => {
        const nonce = searchNonce({ ...some, target: `0f${'f'.repeat(62)}` as Target }, 0n, 2000) ?? 0n
        const exact = { ...some, target: naiveSeal(some, nonce + BigInt(before)) as Target }
        const first = naiveSearch(exact, nonce, before + 1) as bigint
        expect(searchNonce(exact, nonce, Number(first - nonce))).toBeUndefined()
        expect(searchNonce(exact, nonce, Number(first - nonce) + 1)).toBe(first)
        expect(searchNonce(exact, nonce, 0)).toBeUndefined()
      }),
      { numRuns: 30 },
    )
  })

  test('can go on where it stopped', () => {
    fc.assert(
      fc.property(job, starts, fc.nat(100), fc.nat(100), (some, from, one, two) => {
        const inParts = searchNonce(some, from, one) ?? searchNonce(some, from + BigInt(one), two)
        expect(inParts).toBe(searchNonce(some, from, one + two))
      }),
    )
  })

  test('a seal equal to the target is enough, one above it is not', () => {
    fc.assert(
      fc.property(job, fc.bigInt({ min: 0n, max: MOST }), (some, nonce) => {
        const seal = naiveSeal(some, nonce)
        const below = (BigInt(`0x${seal}`) - 1n).toString(16).padStart(64, '0')
        expect(searchNonce({ ...some, target: seal as Target }, nonce, 1)).toBe(nonce)
        expect(searchNonce({ ...some, target: below as Target }, nonce, 1)).toBeUndefined()
        expect(meetsTarget(seal as Hash, seal as Target)).toBe(true)
        expect(meetsTarget(seal as Hash, below as Target)).toBe(false)
      }),
    )
  })
})

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

// After it the digits would start again at zero, and 2^64 has no proof of 80 digits.
test('the search ends at 2^64 - 1', () => {
  fc.assert(
    fc.property(job, (some) => {
      // Met by the nonce 0, and not by those before the end.
      const exact = { ...some, target: naiveSeal(some, 0n) as Target }
      fc.pre(naiveSearch(exact, MOST - 1n, 2) === undefined)
      expect(searchNonce(exact, 0n, 1)).toBe(0n)
      for (const from of [MOST - 1n, MOST, MOST + 1n, MOST + 2n]) expect(searchNonce(exact, from, 500)).toBeUndefined()
    }),
  )
})
