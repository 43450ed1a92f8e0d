/** Signatures by libsecp256k1 in WebAssembly. */
import type { Signer } from './signer.ts'
import { loadWasm } from './wasm-binding.ts'

/** @returns undefined where there is no WebAssembly */
export function wasmSigner(): Signer | undefined {
  const binding = loadWasm()
  if (binding === undefined) return undefined
  return {
    name: 'libsecp256k1 in WebAssembly',
    publicKeyOf(secret) {
      const publicKey = binding.pointFromScalar(secret, true)
      if (publicKey === null) throw new TypeError('a secret is a scalar from 1 to n-1')
      return publicKey
    },
    sign(digest, secret) {
      return binding.sign(digest, secret)
    },
  }
}
