/** Every kernel finds what a naive loop finds, with `node:crypto` as the hash. */
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sha256Hex } from '../src/hash.ts'
import { isRight } from '../src/kernel/fastest.ts'
import { simdKernels } from '../src/kernel/simd.ts'
import type { Hash, Target } from '../src/primitives.ts'
import { plainKernel, type SealJob, type SealKernel } from '../src/proof-of-work.ts'
import { hex, job, naiveSeal, naiveSearch } from './support/seal-jobs.ts'

const MOST = 2n ** 64n - 1n
const LANES = 8

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

/** Of a seal the first 32 bits alone, or with ones behind them: what tells only at the second word whether it is met. */
const nearTarget = fc.tuple(starts, fc.bigInt({ min: 0n, max: 20n }), fc.constantFrom('0', '7', '8', 'f'))

const numbered = (seal: string, add: bigint) => (BigInt(`0x${seal}`) + add).toString(16).padStart(64, '0') as Target

test('this machine has them all', () => {
  expect(simdKernels().map(({ name }) => name)).toEqual(['simd-8', 'simd-4'])
})

describe.each([plainKernel, ...simdKernels()])('the $name search', (kernel: SealKernel) => {
  const searchNonce = kernel.searchNonce

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

  test('finds the first of several, and each of them from the one before', () => {
    fc.assert(
      fc.property(job, hex(64), starts, (some, digits, from) => {
        // One of two nonces meets it, or seven of eight: an unsigned number in any case.
        for (const first of ['7', 'd']) {
          const easy = { ...some, target: (first + digits.slice(1)) as Target }
          for (let next = from; next < from + 50n; ) {
            const nonce = naiveSearch(easy, next, 50)
            expect(searchNonce(easy, next, 50)).toBe(nonce)
            next = (nonce ?? from + 50n) + 1n
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  test('finds the one nonce that meets the target, in whichever lane it is, wherever the range begins and ends', () => {
    fc.assert(
      fc.property(job, fc.bigInt({ min: 64n, max: MOST - 100_000n }), (some, somewhere) => {
        for (let lane = 0n; lane < LANES; lane++) {
          const only = lowestIn(some, somewhere - (somewhere % 8n) + lane)
          for (const before of [0n, 1n, 7n, 8n, 9n]) {
            const from = only.nonce - before
            expect(searchNonce(only.job, from, Number(before) + 1)).toBe(only.nonce)
            expect(searchNonce(only.job, from, Number(before) + 9)).toBe(only.nonce)
            expect(searchNonce(only.job, from, Number(before))).toBeUndefined()
          }
          expect(searchNonce(only.job, only.nonce + 1n, 9)).toBeUndefined()
        }
      }),
      { numRuns: 10 },
    )
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

  test('is not misled by a seal whose first word alone is low enough', () => {
    fc.assert(
      fc.property(job, nearTarget, (some, [from, after, digit]) => {
        const near = naiveSeal(some, from + after).slice(0, 8) + digit.repeat(56)
        const exact = { ...some, target: near as Target }
        expect(searchNonce(exact, from, 60)).toBe(naiveSearch(exact, from, 60))
      }),
    )
  })

  test('meets a target of eight zeros, and none of nine', () => {
    const text = (name: string) => sha256Hex(name)
    const zeros = {
      previousProof: (text('a') + text('b').slice(0, 16)) as SealJob['previousProof'],
      commitment: text('c'),
      previousHash: text('d'),
      target: `${'0'.repeat(8)}${'f'.repeat(56)}` as Target,
    }
    const nonce = 0x78369d9n
    expect(naiveSeal(zeros, nonce).startsWith('00000000')).toBe(true)
    expect(searchNonce(zeros, nonce - 30_000n, 40_000)).toBe(nonce)
    expect(searchNonce(zeros, nonce - 30_000n, 30_000)).toBeUndefined()
    const seal = naiveSeal(zeros, nonce)
    expect(searchNonce({ ...zeros, target: seal as Target }, nonce - 100n, 200)).toBe(nonce)
    expect(searchNonce({ ...zeros, target: numbered(seal, -1n) }, nonce - 100n, 200)).toBeUndefined()
    expect(searchNonce({ ...zeros, target: '0'.repeat(64) as Target }, nonce - 100n, 200)).toBeUndefined()
  })

  test('meets any target of ones at once', () => {
    const [some] = fc.sample(job, 1) as [SealJob]
    for (const from of [0n, 5n, 0xfffen, 0xffffn, 0xffff_ffffn, MOST])
      expect(searchNonce({ ...some, target: 'f'.repeat(64) as Target }, from, 3)).toBe(from)
  })

  test('reaches 2^64 - 1', () => {
    fc.assert(
      fc.property(job, fc.integer({ min: 1, max: 40 }), (some, before) => {
        const from = MOST - BigInt(before) + 1n
        const exact = { ...some, target: naiveSeal(some, MOST) as Target }
        expect(searchNonce(exact, from, before)).toBe(naiveSearch(exact, from, before))
        expect(searchNonce(exact, MOST, 1)).toBe(MOST)
        expect(searchNonce(exact, MOST, Number.POSITIVE_INFINITY)).toBe(MOST)
      }),
      { numRuns: 30 },
    )
  })

  // After it the digits would start again at zero, and 2^64 has no proof of 80 digits.
  test('ends at 2^64 - 1', () => {
    fc.assert(
      fc.property(job, (some) => {
        // Met by the nonce 0, and not by those before the end.
        const exact = { ...some, target: naiveSeal(some, 0n) as Target }
        fc.pre(naiveSearch(exact, MOST - 1n, 2) === undefined)
        expect(searchNonce(exact, 0n, 1)).toBe(0n)
        for (const from of [MOST - 1n, MOST, MOST + 1n, MOST + 2n])
          expect(searchNonce(exact, from, 500)).toBeUndefined()
      }),
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
        const seal = naiveSeal(some, nonce) as Hash
        expect(searchNonce({ ...some, target: seal as unknown as Target }, nonce, 1)).toBe(nonce)
        expect(searchNonce({ ...some, target: numbered(seal, -1n) }, nonce, 1)).toBeUndefined()
      }),
    )
  })

  test('does not mind what it searched before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(job, starts), { minLength: 2, maxLength: 4 }), (searches) => {
        const once = searches.map(([some, from]) => searchNonce(some, from, 100))
        const twice = searches.map(([some, from]) => searchNonce(some, from, 100))
        expect(twice).toEqual(once)
      }),
      { numRuns: 30 },
    )
  })

  // What runs often is compiled anew by then.
  test('is still right after a million attempts', () => {
    const [some] = fc.sample(job, 1) as [SealJob]
    const never = { ...some, target: '0'.repeat(64) as Target }
    const turns = kernel === plainKernel ? 8 : 64
    for (let i = 0; i < turns; i++) expect(searchNonce(never, BigInt(i) * 16_384n, 16_384)).toBeUndefined()
    expect(isRight(kernel, 'afterwards')).toBe(true)
  })
})

test('a job whose texts have another length is refused, not searched wrongly', () => {
  const [some] = fc.sample(job, 1) as [SealJob]
  for (const { searchNonce } of simdKernels()) {
    expect(() => searchNonce({ ...some, previousHash: '1' as Hash }, 0n, 1)).toThrow(RangeError)
    expect(() => searchNonce({ ...some, previousHash: `é${'0'.repeat(63)}` as Hash }, 0n, 1)).toThrow(RangeError)
  }
})

describe('where the engine is another', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  test('there is none without vectors', () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    expect(simdKernels()).toEqual([])
  })

  test('there is none without WebAssembly', () => {
    vi.stubGlobal('WebAssembly', undefined)
    expect(simdKernels()).toEqual([])
  })

  test('there is none where a page may not compile', () => {
    vi.spyOn(WebAssembly, 'Module').mockImplementation(function forbidden() {
      throw new WebAssembly.CompileError('violates the following Content Security policy directive')
    })
    expect(simdKernels()).toEqual([])
  })

  // As a miscompiled one might: the answer lies before the range, or behind it.
  test.each([-2, -1, 1_000])(
    'one that answers wrongly, %i from the start, comes to an end and is not taken',
    (wrong) => {
      const { Instance } = WebAssembly
      vi.stubGlobal('WebAssembly', {
        validate: WebAssembly.validate,
        Module: WebAssembly.Module,
        Instance: class {
          readonly exports: WebAssembly.Exports
          constructor(module: WebAssembly.Module) {
            this.exports = { ...new Instance(module).exports, search8: (first: number) => first + wrong }
          }
        },
      })
      const [eight, four] = simdKernels() as [SealKernel, SealKernel]
      expect([isRight(eight, 'job'), isRight(four, 'job')]).toEqual([false, true])
    },
  )
})

/** A job that only one nonce of those around the given one meets: the one with the lowest seal of some, in its lane. */
function lowestIn(some: SealJob, lane: bigint): { job: SealJob; nonce: bigint } {
  for (let nonce = lane; ; nonce += 8n) {
    const exact = { ...some, target: naiveSeal(some, nonce) as Target }
    if (naiveSearch(exact, nonce - 9n, 9) === undefined && naiveSearch(exact, nonce + 1n, 9) === undefined)
      return { job: exact, nonce }
  }
}
