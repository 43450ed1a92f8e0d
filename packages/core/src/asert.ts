/**
 * ASERT, the aserti3-2d integer formula, in full 256 bits:
 *
 *     next = target · 2^((elapsed − ideal) / halfLife)
 *
 * 2^x for the fraction x is a cubic polynomial in 16.16 fixed point, with an error below 0.013 %. The divisions
 * truncate and the shifts floor, exactly as in the specification's C++: floored division fails most of its vectors.
 */

const RADIX = 65536n

/**
 * @param anchor target at the anchor
 * @param elapsed seconds since the anchor (its parent's time, as in the specification)
 * @param ideal seconds that should have passed
 * @param halfLife seconds late that double the target
 * @param easiest the target that is never exceeded
 */
export function asert(anchor: bigint, elapsed: bigint, ideal: bigint, halfLife: bigint, easiest: bigint): bigint {
  const exponent = ((elapsed - ideal) * RADIX) / halfLife
  const shifts = exponent >> 16n
  const fraction = exponent - shifts * RADIX
  const scaled = shift(anchor * powerOfTwo(fraction), shifts - 16n)
  if (scaled === 0n) return 1n
  return scaled > easiest ? easiest : scaled
}

/** 65536 · 2^(x / 65536) for 0 ≤ x < 65536. */
function powerOfTwo(x: bigint): bigint {
  return RADIX + ((195766423245049n * x + 971821376n * x ** 2n + 5127n * x ** 3n + 2n ** 47n) >> 48n)
}

function shift(value: bigint, left: bigint): bigint {
  // Far enough to the left is above every target, and a shift by 2^40 would be a denial of service.
  if (left > 512n) return value << 512n
  return left < 0n ? value >> -left : value << left
}
