/** Verification by libsecp256k1 in WebAssembly. */
import type { SignatureVerifier } from '@bc/core'
import { areLengths, isKeyLength } from './lengths.ts'
import { loadWasm, type WasmBinding } from './wasm-binding.ts'

/** @returns undefined where there is no WebAssembly */
export function wasmVerifier(): SignatureVerifier | undefined {
  const binding = loadWasm()
  return binding && verifierOver(binding)
}

/**
 * Nothing may throw inside WebAssembly: it would keep the stack of that call for good, and some thousand bad keys later
 * have none left (2.2.4, pinned). So it is asked for no point that {@link WasmBinding.isPointCompressed}, which answers,
 * hasn't found on the curve; r and s not below n are found before it is called.
 */
function verifierOver(binding: WasmBinding): SignatureVerifier {
  return {
    name: 'libsecp256k1 in WebAssembly',
    isPublicKey,
    verify(digest, signature, publicKey) {
      return (
        areLengths(digest, signature, publicKey) && isPublicKey(publicKey) && verifies(digest, signature, publicKey)
      )
    },
    prepare(publicKey) {
      if (!isPublicKey(publicKey)) throw new TypeError('only a compressed public key can be prepared')
      const point = binding.pointCompress(publicKey, false)
      return {
        verify: (digest, signature) => areLengths(digest, signature, publicKey) && verifies(digest, signature, point),
      }
    },
  }

  function isPublicKey(publicKey: Uint8Array): boolean {
    return isKeyLength(publicKey) && binding.isPointCompressed(publicKey)
  }

  /** @param point on the curve */
  function verifies(digest: Uint8Array, signature: Uint8Array, point: Uint8Array): boolean {
    try {
      return binding.verify(digest, point, signature, true)
    } catch (error) {
      if (isUnreadable(error)) return false
      throw error
    }
  }
}

/** What `verify` says of r or s not below n. It has no code, only this sentence. Anything else is a bug, and shows as one. */
function isUnreadable(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'Expected Signature'
}
