/** What the rules ask of the curve. The curve itself is handed in: core knows none. */
import { hexToBytes } from '@noble/hashes/utils.js'
import { type Hash, parseAddress, parseSignature, publicKeyOf } from './primitives.ts'

/** ECDSA over secp256k1. `@bc/wallet` has two that agree on every input. */
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

export function askCurve(check: SignatureCheck, verifier: SignatureVerifier): SignatureVerdict {
  if (!isAddress(check.recipient, verifier)) return 'recipient'
  const sender = parseAddress(check.sender)
  if (sender === undefined) return 'sender'
  const key = publicKeyOf(sender)
  const signature = parseSignature(check.signature)
  // Nothing verifies by a key that is no point on the curve, so only of what doesn't that has to be asked.
  if (signature && verifier.verify(hexToBytes(check.digest), hexToBytes(signature), key)) return 'valid'
  return verifier.isPublicKey(key) ? 'signature' : 'sender'
}

/** Form, checksum and curve: all that `tx.address` asks. */
export function isAddress(value: string, verifier: SignatureVerifier): boolean {
  const address = parseAddress(value)
  return address !== undefined && verifier.isPublicKey(publicKeyOf(address))
}
