import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asert } from '../src/asert.ts'
import type { ChainRules } from '../src/params.ts'
import type { Target } from '../src/primitives.ts'
import { easiestTarget, nextTarget, targetFromNumber, targetToNumber, workOf } from '../src/target.ts'
import { describeWith, hasVectors, readVectors } from './support/where.ts'

/** Bitcoin's compact form: a byte of length and the three highest bytes. */
function fromCompact(compact: number): bigint {
  const [size, word] = [compact >>> 24, BigInt(compact & 0x7fffff)]
  return size <= 3 ? word >> BigInt(8 * (3 - size)) : word << BigInt(8 * (size - 3))
}

function toCompact(target: bigint): number {
  const size = Math.ceil(target.toString(16).length / 2)
  const word = Number(size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)))
  // The highest bit would be a sign.
  return word & 0x800000 ? (word >> 8) + (size + 1) * 2 ** 24 : word + size * 2 ** 24
}

const [IDEAL, HALF_LIFE] = [600n, 2n * 24n * 3600n]

describe.each(['run01', 'run02', 'run03', 'run04', 'run05', 'run06'])('aserti3-2d', (run) => {
  describeWith(hasVectors(`asert/${run}`), 'no ../shared/vectors here', run, () => {
    test('every line', () => {
      const text = readVectors(`asert/${run}`)
      const said = (name: string) => new RegExp(`^## +${name}: (\\S+)$`, 'm').exec(text)?.[1] as string
      const anchor = fromCompact(Number(said('anchor nBits')))
      const [anchorHeight, anchorTime] = [said('anchor height'), said('anchor ancestor time')].map(BigInt) as [
        bigint,
        bigint,
      ]
      const easiest = fromCompact(0x1d00ffff)
      const lines = text.split('\n').filter((line) => /^\d/.test(line))
      expect(lines.length).toBe(Number(said('iterations')))
      for (const line of lines) {
        const [, height, time, expected] = line.split(' ') as [string, string, string, string]
        const elapsed = BigInt(time) - anchorTime
        const ideal = IDEAL * (BigInt(height) - anchorHeight + 1n)
        const target = asert(anchor, elapsed, ideal, HALF_LIFE, easiest)
        expect(toCompact(target).toString(16), line).toBe(Number(expected).toString(16))
      }
    })
  })
})

test('the compact form goes there and back', () => {
  for (const compact of [0x1d00ffff, 0x1a2b3c4d, 0x01010000, 0x1802aee8, 0x0200ff00, 0x03008000, 0x207fffff])
    expect(toCompact(fromCompact(compact)).toString(16)).toBe(compact.toString(16))
})

const EASIEST = 2n ** 252n - 1n
const target = fc.oneof(fc.bigInt({ min: 1n, max: EASIEST }), fc.bigInt({ min: 1n, max: 10n }), fc.constant(EASIEST))
const seconds = fc.oneof(
  fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
)
const halfLife = fc.oneof(fc.bigInt({ min: 1n, max: 1000n }), fc.bigInt({ min: 1n, max: 2n ** 53n }))

describe('asert', () => {
  test('on time, the target stays', () => {
    fc.assert(fc.property(target, seconds, halfLife, (old, t, tau) => asert(old, t, t, tau, EASIEST) === old))
  })

  test('a half-life late doubles it, a half-life early halves it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: EASIEST / 2n }), seconds, halfLife, (old, t, tau) => {
        expect(asert(old, t + tau, t, tau, EASIEST)).toBe(2n * old)
        expect(asert(2n * old, t - tau, t, tau, EASIEST)).toBe(old)
      }),
    )
  })

  test('is never 0 and never above the easiest', () => {
    fc.assert(
      fc.property(target, seconds, seconds, halfLife, (old, elapsed, ideal, tau) => {
        const next = asert(old, elapsed, ideal, tau, EASIEST)
        expect(next >= 1n && next <= EASIEST).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('never falls when more time has passed', () => {
    fc.assert(
      fc.property(
        target,
        seconds,
        seconds,
        fc.bigInt({ min: 0n, max: 2n ** 40n }),
        halfLife,
        (old, t, ideal, more, tau) => {
          expect(asert(old, t + more, ideal, tau, EASIEST) >= asert(old, t, ideal, tau, EASIEST)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('never falls when the anchor is easier', () => {
    fc.assert(
      fc.property(target, target, seconds, seconds, halfLife, (a, b, elapsed, ideal, tau) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        expect(asert(low, elapsed, ideal, tau, EASIEST) <= asert(high, elapsed, ideal, tau, EASIEST)).toBe(true)
      }),
    )
  })

  test('is the power of two within 0.013 %', () => {
    const exponents = fc.integer({ min: -5000, max: 5000 })
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 200n, max: 2n ** 240n }), exponents, (old, late) => {
        const next = asert(old, BigInt(late), 0n, 1000n, EASIEST)
        const ratio = Number((next * 2n ** 64n) / old) / 2 ** 64
        expect(ratio / 2 ** (late / 1000)).toBeGreaterThan(1 - 0.00015)
        expect(ratio / 2 ** (late / 1000)).toBeLessThan(1 + 0.00015)
      }),
    )
  })

  test('goes to the ends of its range, however far', () => {
    expect(asert(1n, -(10n ** 30n), 0n, 1n, EASIEST)).toBe(1n)
    expect(asert(EASIEST, -(10n ** 30n), 0n, 1n, EASIEST)).toBe(1n)
    expect(asert(1n, 10n ** 30n, 0n, 1n, EASIEST)).toBe(EASIEST)
    expect(asert(1n, 300n, 0n, 1n, EASIEST)).toBe(EASIEST)
    expect(asert(1n, 251n, 0n, 1n, EASIEST)).toBe(2n ** 251n)
    expect(asert(2n ** 251n, 0n, 251n, 1n, EASIEST)).toBe(1n)
    expect(asert(2n ** 251n, 0n, 252n, 1n, EASIEST)).toBe(1n)
  })
})

describe('the target of the next block', () => {
  const rules = (changed: Partial<ChainRules>): ChainRules => {
    const usual = { allocations: {}, blockTime: 10, difficulty: 2, halfLife: 600, maxBlockBytes: 1_000_000 }
    return { ...usual, miningReward: 50, ...changed } as ChainRules
  }
  const parent = (solveTime: number | undefined, old = '0080'.padEnd(64, '0')) => ({ target: old as Target, solveTime })

  test('is constant without a block time', () => {
    const constant = rules({ blockTime: 0, halfLife: 0 })
    for (const solveTime of [undefined, 0, 1, 1_000_000])
      expect(nextTarget(parent(solveTime), constant)).toBe(parent(1).target)
  })

  test("after genesis is genesis' own", () => {
    expect(nextTarget(parent(undefined, easiestTarget(2)), rules({}))).toBe(easiestTarget(2))
  })

  test('stays when the parent took one block time', () => {
    expect(nextTarget(parent(10), rules({}))).toBe(parent(10).target)
  })

  test('takes a solve time of 0 for 1, and one above 10 block times for 10', () => {
    const after = (solveTime: number) => nextTarget(parent(solveTime), rules({}))
    expect(after(0)).toBe(after(1))
    expect(after(1)).not.toBe(after(2))
    expect(after(99)).not.toBe(after(100))
    expect(after(101)).toBe(after(100))
    expect(after(1_000_000_000)).toBe(after(100))
  })

  test('is the formula at the parent: 90 seconds late at a half-life of 90 doubles it', () => {
    expect(nextTarget(parent(100, '0040'.padEnd(64, '0')), rules({ halfLife: 90 }))).toBe('0080'.padEnd(64, '0'))
    expect(nextTarget(parent(1), rules({ halfLife: 9 }))).toBe('0040'.padEnd(64, '0'))
  })

  test('is never easier than the difficulty says', () => {
    expect(nextTarget(parent(100, easiestTarget(2)), rules({}))).toBe(easiestTarget(2))
    expect(nextTarget(parent(1, easiestTarget(2)), rules({})) < easiestTarget(2)).toBe(true)
  })

  test('the easiest target is as many zeros as the difficulty, then f', () => {
    expect(easiestTarget(0)).toBe('f'.repeat(64))
    expect(easiestTarget(4)).toBe(`0000${'f'.repeat(60)}`)
    expect(easiestTarget(63)).toBe(`${'0'.repeat(63)}f`)
  })

  test('a target is a number of 64 digits, there and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        expect(targetFromNumber(value)).toMatch(/^[0-9a-f]{64}$/)
        expect(targetToNumber(targetFromNumber(value))).toBe(value)
      }),
    )
  })

  test('its work is the whole part of 2^256 / (target + 1)', () => {
    expect(workOf(easiestTarget(0))).toBe(1n)
    expect(workOf(easiestTarget(1))).toBe(16n)
    expect(workOf(easiestTarget(4))).toBe(65536n)
    expect(workOf(targetFromNumber(0n))).toBe(2n ** 256n)
    expect(workOf(targetFromNumber(2n))).toBe((2n ** 256n - 1n) / 3n)
    expect(workOf('7f'.padEnd(64, 'f') as Target)).toBe(2n)
    expect(workOf('80'.padEnd(64, '0') as Target)).toBe(1n)
  })
})
