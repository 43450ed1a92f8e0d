import type { SignatureVerifier } from '@bc/core'
import { nativeVerifier, nobleVerifier } from '@bc/wallet'

/** Undefined only where secp256k1 5.0.2 has no prebuilt binary; `verifier.test.ts` holds which platforms have one. */
export const native: SignatureVerifier | undefined = nativeVerifier()

/** Both verifiers where there are two. */
export const verifiers: readonly SignatureVerifier[] = native ? [nobleVerifier, native] : [nobleVerifier]
