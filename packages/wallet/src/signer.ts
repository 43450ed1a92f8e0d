/** The arithmetic that only the owner of a secret does. */
import { nativeSigner } from './signer-native.ts'
import { nobleSigner } from './signer-noble.ts'

export interface Signer {
  /** Of the library, for whoever wants to know. */
  readonly name: string
  /**
   * @param secret 32 bytes, a scalar from 1 to n-1
   * @returns the compressed public key, 33 bytes
   */
  publicKeyOf(secret: Uint8Array): Uint8Array
  /**
   * ECDSA as BIP 62 wants it: low-S, with the nonce of RFC 6979, so that all signers give the same bytes.
   * @param digest 32 bytes, taken mod n
   * @param secret 32 bytes, a scalar from 1 to n-1
   * @returns r and s, 64 bytes
   */
  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array
}

let best: Signer | undefined

/**
 * The fastest signer that this machine has. Whoever signs once waits for what there is before the first signature:
 * libsecp256k1 is loaded and has signed in 9 ms, where noble takes 40, most of it for a table of multiples. Looked for
 * at the first call, and once, as {@link bestVerifier} is.
 */
export function bestSigner(): Signer {
  best ??= nativeSigner() ?? nobleSigner
  return best
}
