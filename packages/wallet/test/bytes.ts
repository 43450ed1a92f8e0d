/** Numbers and bytes, apart from the code under test. The curve's numbers are retyped from SEC 2 v2, section 2.4.1. */
export const P = 2n ** 256n - 2n ** 32n - 977n
export const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
export const HALF_N = N >> 1n

/** @returns 32 bytes, big-endian */
export function bytes32(number: bigint): Uint8Array {
  return fromHex(number.toString(16).padStart(64, '0'))
}

export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`)
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

export function compactSignature(r: bigint, s: bigint): Uint8Array {
  return concat(bytes32(r), bytes32(s))
}

/** The same point, spelled 33 bytes long. */
export function compressed(uncompressed: Uint8Array): Uint8Array {
  const odd = (uncompressed.at(-1) ?? 0) & 1
  return concat(Uint8Array.of(0x02 | odd), uncompressed.slice(1, 33))
}
