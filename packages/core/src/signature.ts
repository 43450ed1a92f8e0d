/** What the rules ask of the curve. The curve itself is handed in: core knows none. */
import { parseAddress, publicKeyOf } from './address.ts'
import { bytesOfHex } from './hex.ts'
import type { Hash } from './primitives.ts'

/** ECDSA over secp256k1. All that `@bc/wallet` has agree on every input. */
export interface SignatureVerifier {
  readonly name: string
  /** @param publicKey 33 bytes, compressed; false for anything that is no point on the curve */
  isPublicKey(publicKey: Uint8Array): boolean
  /**
   * @param digest 32 bytes, the SHA-256 of the payload
   * @param signature 64 bytes, r‖s; false for high-S, out of range, wrong length
   * @param publicKey 33 bytes, compressed; false for anything that is no point on the curve
   */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
  /**
   * A key in the form that this verifier reads fastest, for whoever meets it again: a compressed one costs a square root.
   * @param publicKey one that {@link isPublicKey} says yes to
   */
  prepare?(publicKey: Uint8Array): PreparedKey
}

export interface PreparedKey {
  /** The same answers as {@link SignatureVerifier.verify} gives with this key. */
  verify(digest: Uint8Array, signature: Uint8Array): boolean
}

/** One transaction's worth of curve arithmetic: strings alone, so that it can be sent to another thread. */
export interface SignatureCheck {
  readonly recipient: string
  readonly sender: string
  readonly digest: Hash
  readonly signature: string
}

/** The first that is wrong, in the order of the rules: of the addresses the recipient first (protocol.md). */
export type SignatureVerdict = 'valid' | 'recipient' | 'sender' | 'signature'

/** Keys of addresses that were found valid: the same people pay each other again and again. */
export interface KnownKeys {
  get(address: string): PreparedKey | undefined
  set(address: string, key: PreparedKey): unknown
}

/** @param known what is found out about addresses is left there, and looked for first */
export function askCurve(check: SignatureCheck, verifier: SignatureVerifier, known?: KnownKeys): SignatureVerdict {
  if (keyOf(check.recipient, verifier, known) === undefined) return 'recipient'
  const sender = keyOf(check.sender, verifier, known)
  if (sender === undefined) return 'sender'
  const signature = bytesOfHex(check.signature, 128)
  if (signature === undefined) return 'signature'
  const digest = bytesOfHex(check.digest, 64) as Uint8Array
  return sender.verify(digest, signature) ? 'valid' : 'signature'
}

/** Form, checksum and curve: all that `tx.address` asks. */
export function isAddress(value: string, verifier: SignatureVerifier, known?: KnownKeys): boolean {
  return keyOf(value, verifier, known) !== undefined
}

function keyOf(value: string, verifier: SignatureVerifier, known: KnownKeys | undefined): PreparedKey | undefined {
  const before = known?.get(value)
  if (before) return before
  const address = parseAddress(value)
  if (address === undefined) return undefined
  const bytes = publicKeyOf(address)
  if (!verifier.isPublicKey(bytes)) return undefined
  // Where nobody remembers it, it would be prepared for a single use.
  const key = (known && verifier.prepare?.(bytes)) ?? {
    verify: (digest, signature) => verifier.verify(digest, signature, bytes),
  }
  known?.set(value, key)
  return key
}
