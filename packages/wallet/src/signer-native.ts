/** Signatures by libsecp256k1. */
import { randomBytes } from 'node:crypto'
import { CURVE_ORDER } from '@bc/core'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { loadBinding } from './native-binding.ts'
import type { Signer } from './signer.ts'

const SEED_BYTES = 32

/** @returns undefined where libsecp256k1 can't be loaded */
export function nativeSigner(): Signer | undefined {
  const binding = loadBinding()
  if (binding === undefined) return undefined
  // As noble does it by itself: a secret is never multiplied as it is.
  binding.contextRandomize(randomBytes(SEED_BYTES))
  return {
    name: 'libsecp256k1',
    publicKeyOf(secret) {
      return binding.publicKeyCreate(secret, true)
    },
    sign(digest, secret) {
      return binding.ecdsaSign(reduced(digest), secret).signature
    },
  }
}

/**
 * RFC 6979 (section 3.2, d) makes the nonce of the digest mod n, this libsecp256k1 (of 2019) of its bytes as they are:
 * these differ for one digest of 2^128.
 */
function reduced(digest: Uint8Array): Uint8Array {
  const text = bytesToHex(digest)
  if (text < CURVE_ORDER) return digest
  return hexToBytes((BigInt(`0x${text}`) - BigInt(`0x${CURVE_ORDER}`)).toString(16).padStart(64, '0'))
}
