/** The public key of a secret, for whoever signs nothing. */
import { createECDH } from 'node:crypto'
import { bestSigner } from './best-signer.ts'

/**
 * By OpenSSL, which takes 1 ms: to load libsecp256k1 takes 9, noble's table of multiples 30. Its time doesn't depend on
 * the secret: a ladder, with blinded coordinates.
 * @param secret 32 bytes, a scalar from 1 to n-1
 * @returns the compressed public key, 33 bytes
 * @throws for another number, which is a bug of the caller
 */
export function publicKeyFor(secret: Uint8Array): Uint8Array {
  return byOpenSsl(secret) ?? bestSigner().publicKeyOf(secret)
}

/** @returns undefined where this Node's OpenSSL was built without the curve, as some distributions had it */
function byOpenSsl(secret: Uint8Array): Uint8Array | undefined {
  try {
    const pair = createECDH('secp256k1')
    pair.setPrivateKey(secret)
    return pair.getPublicKey(null, 'compressed')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_CRYPTO_INVALID_CURVE') return undefined
    throw error
  }
}
