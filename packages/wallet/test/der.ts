import { compactSignature, toNumber } from './bytes.ts'

/**
 * Strict DER (X.690, section 10) of an ECDSA signature, SEQUENCE { r INTEGER, s INTEGER }, as r‖s.
 * @returns undefined for whatever is no strict DER of two numbers from 0 to 2^256-1; of those the verifiers judge
 */
export function compactOfDer(der: Uint8Array): Uint8Array | undefined {
  const sequence = element(der, 0x30)
  if (sequence === undefined || sequence.rest.length > 0) return undefined
  const r = element(sequence.content, 0x02)
  if (r === undefined || !isScalar(r.content)) return undefined
  const s = element(r.rest, 0x02)
  if (s === undefined || s.rest.length > 0 || !isScalar(s.content)) return undefined
  return compactSignature(toNumber(r.content), toNumber(s.content))
}

/** Two scalars of 32 bytes need 70 bytes at most, so a length of more than one byte is none of theirs. */
function element(bytes: Uint8Array, tag: number): { content: Uint8Array; rest: Uint8Array } | undefined {
  const [found, length] = bytes
  if (found !== tag || length === undefined || length > 0x7f || bytes.length < 2 + length) return undefined
  return { content: bytes.subarray(2, 2 + length), rest: bytes.subarray(2 + length) }
}

/** Not negative, no needless leading zero, below 2^256. */
function isScalar(integer: Uint8Array): boolean {
  const [first, second = 0x80] = integer
  if (first === undefined || first > 0x7f) return false
  if (first === 0 && second < 0x80) return false
  return integer.length <= 32 || (integer.length === 33 && first === 0)
}
