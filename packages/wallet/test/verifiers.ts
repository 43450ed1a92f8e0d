import type { SignatureVerifier } from '@bc/core'
import { nativeVerifier, nobleVerifier, wasmVerifier } from '@bc/wallet'

/** Undefined only where secp256k1 5.0.2 has no prebuilt binary; `verifier.test.ts` holds which platforms have one. */
export const native: SignatureVerifier | undefined = nativeVerifier()

/** There wherever tests run. */
export const wasm = wasmVerifier() as SignatureVerifier

/** The same by way of keys that were prepared: it has to give the same answers. */
function prepared(verifier: SignatureVerifier): SignatureVerifier {
  return {
    name: `${verifier.name}, keys prepared`,
    isPublicKey: (publicKey) => verifier.isPublicKey(publicKey),
    verify(digest, signature, publicKey) {
      if (!verifier.isPublicKey(publicKey)) return false
      const key = verifier.prepare?.(publicKey)
      if (key === undefined) throw new TypeError('this verifier prepares keys')
      return key.verify(digest, signature)
    },
  }
}

/** Those that have to agree with noble, the reference. */
export const others: readonly SignatureVerifier[] = [wasm, native]
  .filter((verifier) => verifier !== undefined)
  .flatMap((verifier) => [verifier, prepared(verifier)])

/** All that there are here. */
export const verifiers: readonly SignatureVerifier[] = [nobleVerifier, ...others]
