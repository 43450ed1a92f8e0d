import type { Signer } from './signer.ts'
import { nativeSigner } from './signer-native.ts'
import { nobleSigner } from './signer-noble.ts'
import { wasmSigner } from './signer-wasm.ts'

let best: Signer | undefined

/**
 * The fastest signer that this machine has. Whoever signs once waits for what there is before the first signature:
 * libsecp256k1 is loaded and has signed in 9 ms, in WebAssembly in 15, where noble takes 60, most of it for a table of
 * multiples. Looked for at the first call, and once, as {@link bestVerifier} is.
 */
export function bestSigner(): Signer {
  best ??= nativeSigner() ?? wasmSigner() ?? nobleSigner
  return best
}
