/** Verification by libsecp256k1. */
import type { SignatureVerifier } from '@bc/core'
import { areLengths, isKeyLength } from './lengths.ts'
import { type Binding, loadBinding } from './native-binding.ts'

/** @returns undefined where libsecp256k1 can't be loaded */
export function nativeVerifier(): SignatureVerifier | undefined {
  const binding = loadBinding()
  return binding && verifierOver(binding)
}

function verifierOver(binding: Binding): SignatureVerifier {
  return {
    name: 'libsecp256k1',
    isPublicKey(publicKey) {
      return isKeyLength(publicKey) && binding.publicKeyVerify(publicKey)
    },
    verify(digest, signature, publicKey) {
      return areLengths(digest, signature, publicKey) && verifies(digest, signature, publicKey)
    },
    prepare(publicKey) {
      if (!isKeyLength(publicKey)) throw new TypeError('a compressed public key has 33 bytes')
      const point = binding.publicKeyConvert(publicKey, false)
      return {
        verify: (digest, signature) => areLengths(digest, signature, publicKey) && verifies(digest, signature, point),
      }
    },
  }

  function verifies(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    try {
      return binding.ecdsaVerify(signature, digest, publicKey)
    } catch (error) {
      if (isUnreadable(error)) return false
      throw error
    }
  }
}

/**
 * The two errors that `ecdsaVerify` has for bytes of the right lengths: r or s not below n, and no point on the
 * curve. They have no code, only these sentences (5.0.2, pinned). Anything else is a bug, and shows as one.
 */
const UNREADABLE: readonly string[] = ['Signature could not be parsed', 'Public Key could not be parsed']

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && UNREADABLE.includes(error.message)
}
