import type { SignatureVerifier } from '@bc/core'
import { nativeVerifier, nobleVerifier } from '@bc/wallet'

/** Undefined only where secp256k1 5.0.2 has no prebuilt binary; `verifier.test.ts` holds which platforms have one. */
export const native: SignatureVerifier | undefined = nativeVerifier()

/** The same by way of keys that were prepared: it has to give the same answers. */
export const prepared: SignatureVerifier | undefined = native && {
  name: `${native.name}, keys prepared`,
  isPublicKey: (publicKey) => native.isPublicKey(publicKey),
  verify(digest, signature, publicKey) {
    if (!native.isPublicKey(publicKey)) return false
    const key = native.prepare?.(publicKey)
    if (key === undefined) throw new TypeError('this verifier prepares keys')
    return key.verify(digest, signature)
  },
}

/** All that there are here. */
export const verifiers: readonly SignatureVerifier[] = [nobleVerifier, native, prepared].filter(
  (verifier) => verifier !== undefined,
)
