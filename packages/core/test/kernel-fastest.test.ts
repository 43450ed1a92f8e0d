/** Which kernel is used: the fastest of those that are right. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fastestKernel, isRight } from '../src/kernel/fastest.ts'
import { simdKernels } from '../src/kernel/simd.ts'
import type { Target } from '../src/primitives.ts'
import { plainKernel, type SealJob, type SealKernel, searchNonce } from '../src/proof-of-work.ts'
import { job } from './support/seal-jobs.ts'

/** No nonce meets it: every search is as long as it was told to be. */
const never: SealJob = { ...(fc.sample(job, 1)[0] as SealJob), target: '0'.repeat(64) as Target }

/** Time goes on by what the kernels say they need, and only then. */
function clock() {
  let time = 0
  const slow = (name: string, msPerThousand: number, search = searchNonce): SealKernel & { searches: number } => ({
    name,
    searches: 0,
    searchNonce(some, from, attempts) {
      this.searches++
      time += (attempts / 1_000) * msPerThousand
      return search(some, from, attempts)
    },
  })
  return { modules: { now: () => time, salt: 'a test' }, slow }
}

/** Enough searches for every kernel to have had its turns. */
function searchOften(kernel: SealKernel, kernels: number): void {
  for (let i = 0; i < 64 * kernels; i++) expect(kernel.searchNonce(never, BigInt(i) * 1_000n, 1_000)).toBeUndefined()
}

/** Wrong in one way: what a miscompiled lane, a signed comparison or a lost carry would look like. */
const WRONG: Readonly<Record<string, SealKernel['searchNonce']>> = {
  'misses one lane of eight': (some, from, attempts) => {
    for (let next = from; ; ) {
      const nonce = searchNonce(some, next, Number(from + BigInt(attempts) - next))
      if (nonce === undefined || nonce % 8n !== 5n) return nonce
      next = nonce + 1n
    }
  },
  'compares signed numbers': (some, from, attempts) =>
    some.target >= '8' ? undefined : searchNonce(some, from, attempts),
  'stops at a carry': (some, from, attempts) =>
    searchNonce(some, from, Math.min(attempts, 0x10000 - Number(from % 0x10000n))),
  'tries one too many': (some, from, attempts) => searchNonce(some, from, attempts + 1),
  'answers the last nonce, not the first': (some, from, attempts) => {
    let last: bigint | undefined
    for (let nonce = searchNonce(some, from, attempts); nonce !== undefined; ) {
      last = nonce
      nonce = searchNonce(some, last + 1n, Number(from + BigInt(attempts) - last) - 1)
    }
    return last
  },
  'answers what is no proof': (_some, from) => from,
  'answers what lies behind it': (some, from, attempts) => (searchNonce(some, from, attempts) ?? 0n) - 1n,
  'finds nothing': () => undefined,
}

describe('the check', () => {
  test.each([plainKernel, ...simdKernels()])('takes the $name kernel', (kernel) => {
    for (let i = 0; i < 5; i++) expect(isRight(kernel, `job ${i}`)).toBe(true)
  })

  test.each(Object.entries(WRONG))('does not take one that %s', (name, search) => {
    for (let i = 0; i < 5; i++) expect(isRight({ name, searchNonce: search }, `job ${i}`)).toBe(false)
  })
})

describe('the choice', () => {
  test('falls on the fastest', () => {
    for (const [one, other] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const { modules, slow } = clock()
      const kernel = fastestKernel([slow('one', one), slow('other', other)], modules)
      searchOften(kernel, 2)
      expect(kernel.name).toBe(one < other ? 'one' : 'other')
    }
  })

  test('searches with each of them until then, and only with that one afterwards', () => {
    const { modules, slow } = clock()
    const kernels = [slow('one', 1), slow('other', 2)]
    const kernel = fastestKernel(kernels, modules)
    const checks = kernels.map(({ searches }) => searches)
    kernel.searchNonce(never, 0n, 1_000)
    kernel.searchNonce(never, 0n, 1_000)
    expect(kernels.map(({ searches }, i) => searches - (checks[i] ?? 0))).toEqual([1, 1])
    searchOften(kernel, 2)
    const settled = kernels.map(({ searches }) => searches)
    kernel.searchNonce(never, 0n, 1_000)
    expect(kernels.map(({ searches }, i) => searches - (settled[i] ?? 0))).toEqual([1, 0])
  })

  test('never falls on one that is wrong, however fast it is', () => {
    const { modules, slow } = clock()
    const wrong = Object.entries(WRONG).map(([name, search]) => slow(name, 0.001, search))
    const kernel = fastestKernel([...wrong, slow('right', 5)], modules)
    const checks = wrong.map(({ searches }) => searches)
    searchOften(kernel, 1)
    expect(kernel.name).toBe('right')
    expect(wrong.map(({ searches }) => searches)).toEqual(checks)
  })

  test('never falls on one that became wrong while it was measured', () => {
    const { modules, slow } = clock()
    let optimised = false
    const turning = slow('turning', 1, (...search) =>
      (optimised ? WRONG['misses one lane of eight'] : searchNonce)?.(...search),
    )
    const kernel = fastestKernel([turning, slow('right', 5)], modules)
    kernel.searchNonce(never, 0n, 1_000)
    optimised = true
    searchOften(kernel, 2)
    expect(kernel.name).toBe('right')
  })

  test('is the plain one where there is none, or none that is right', () => {
    const { modules, slow } = clock()
    expect(fastestKernel([], modules).name).toBe('plain')
    expect(fastestKernel([slow('wrong', 1, WRONG['finds nothing'])], modules).name).toBe('plain')
    let optimised = false
    const turning = slow('turning', 1, (...search) => (optimised ? undefined : searchNonce(...search)))
    const kernel = fastestKernel([turning], modules)
    optimised = true
    searchOften(kernel, 1)
    expect(kernel.name).toBe('plain')
  })

  test('does not count searches that were too short to tell anything', () => {
    const { modules, slow } = clock()
    const kernel = fastestKernel([slow('one', 1)], modules)
    for (let i = 0; i < 500; i++) kernel.searchNonce(never, 0n, 10)
    expect(kernel.name).toBe('several in turns')
  })

  test('makes no difference to what is found', () => {
    const kernel = fastestKernel(simdKernels(), { now: () => performance.now(), salt: 'another test' })
    fc.assert(
      fc.property(
        job,
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.integer({ min: 1_000, max: 2_000 }),
        (some, from, n) => {
          expect(kernel.searchNonce(some, from, n)).toBe(searchNonce(some, from, n))
        },
      ),
      { numRuns: 300 },
    )
    searchOften(kernel, 2)
    expect(['simd-8', 'simd-4']).toContain(kernel.name)
  })
})
