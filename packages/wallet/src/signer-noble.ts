/** The reference: pure JavaScript, audited, there on every platform. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Signer } from './signer.ts'

// Noble would hash the digest once more, and these are consensus: its other defaults are spelled out too.
const SIGNING = { prehash: false, lowS: true, format: 'compact', extraEntropy: false } as const

export const nobleSigner: Signer = {
  name: 'noble',
  publicKeyOf(secret) {
    return secp256k1.getPublicKey(secret, true)
  },
  sign(digest, secret) {
    return secp256k1.sign(digest, secret, SIGNING)
  },
}
