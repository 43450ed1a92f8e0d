import type { SignatureVerifier } from '@bc/core'
import { nativeVerifier } from './verifier-native.ts'
import { nobleVerifier } from './verifier-noble.ts'
import { wasmVerifier } from './verifier-wasm.ts'

let best: SignatureVerifier | undefined

/**
 * The fastest verifier that this machine has. They agree on every input, so which it is shows in nothing but time;
 * its `name` tells. Looked for at the first call, since loading a binary is no business of an import, and once, since
 * a machine without one would search its disk at every call.
 */
export function bestVerifier(): SignatureVerifier {
  best ??= nativeVerifier() ?? wasmVerifier() ?? nobleVerifier
  return best
}
