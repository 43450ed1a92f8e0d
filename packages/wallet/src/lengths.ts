/**
 * The lengths that all verifiers ask for before their library sees a byte: left to themselves the libraries differ
 * (noble verifies digests of any length, all read 65-byte keys, and each throws in its own cases).
 */
const DIGEST_BYTES = 32
const SIGNATURE_BYTES = 64
const PUBLIC_KEY_BYTES = 33

/** The length of a compressed key. Its prefix and its point are for the library to judge. */
export function isKeyLength(publicKey: Uint8Array): boolean {
  return publicKey.length === PUBLIC_KEY_BYTES
}

export function areLengths(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  return digest.length === DIGEST_BYTES && signature.length === SIGNATURE_BYTES && isKeyLength(publicKey)
}
