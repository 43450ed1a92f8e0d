/** The reference: pure JavaScript, audited, there on every platform. */
import type { SignatureVerifier } from '@bc/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { areLengths, isKeyLength } from './lengths.ts'

// Consensus: every default of noble's that decides is spelled out. The digest is a hash already, so no second one.
const VERIFYING = { prehash: false, lowS: true, format: 'compact' } as const

export const nobleVerifier: SignatureVerifier = {
  name: 'noble',
  isPublicKey(publicKey) {
    return isKeyLength(publicKey) && secp256k1.utils.isValidPublicKey(publicKey, true)
  },
  verify(digest, signature, publicKey) {
    // Of the right lengths, what noble can't read (r or s out of range, no point on the curve) is false to it.
    return areLengths(digest, signature, publicKey) && secp256k1.verify(signature, digest, publicKey, VERIFYING)
  },
}
