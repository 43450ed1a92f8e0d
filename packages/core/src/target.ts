/** Targets and the work that they stand for (protocol.md, "Difficulty" and "Fork choice"). */
import { asert } from './asert.ts'
import type { ChainRules } from './params.ts'
import type { Target } from './primitives.ts'

const DIGITS = 64

/** `difficulty` zeros, then f's: the tutorial's rule, spelled as a number that a seal may not exceed. */
export function easiestTarget(difficulty: number): Target {
  return '0'.repeat(difficulty).padEnd(DIGITS, 'f') as Target
}

export function targetToNumber(target: Target): bigint {
  return BigInt(`0x${target}`)
}

export function targetFromNumber(value: bigint): Target {
  return value.toString(16).padStart(DIGITS, '0') as Target
}

/** Attempts that a seal at this target takes on average: ⌊2^256 / (target + 1)⌋. */
export function workOf(target: Target): bigint {
  return 2n ** 256n / (targetToNumber(target) + 1n)
}

/**
 * The target of the block after `parent`. Anchored at the parent and not at genesis, with the parent's own solve time
 * clamped to 1 … 10 block times: a laptop that slept overnight wakes up to 64 quick blocks instead of 480.
 *
 * @param parent its target, and `solveTime`: seconds that it took after its own parent; undefined for genesis, which
 *   took none and hands its target on
 */
export function nextTarget(parent: { target: Target; solveTime: number | undefined }, rules: ChainRules): Target {
  if (rules.blockTime === 0 || parent.solveTime === undefined) return parent.target
  const solveTime = Math.min(Math.max(parent.solveTime, 1), 10 * rules.blockTime)
  const next = asert(
    targetToNumber(parent.target),
    BigInt(solveTime),
    BigInt(rules.blockTime),
    BigInt(rules.halfLife),
    targetToNumber(easiestTarget(rules.difficulty)),
  )
  return targetFromNumber(next)
}
