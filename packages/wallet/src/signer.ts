/** The arithmetic that only the owner of a secret does. */
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
