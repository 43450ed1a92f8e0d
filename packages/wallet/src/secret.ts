/** Secrets: secp256k1 scalars as text, and the address that each stands for (protocol.md, "Keys, addresses, signatures"). */
import { createHash } from 'node:crypto'
import { type Address, addressOfPublicKey, CURVE_ORDER } from '@bc/core'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { publicKeyFor } from './public-key.ts'

/** 64 lower-case hex digits: a scalar from 1 to n-1, where n is the order of secp256k1. */
export type Secret = string & { readonly __brand: 'Secret' }

/** Fewer bytes than this hold less than the 256 bits that a key is worth. */
const MIN_ENTROPY_BYTES = 32

const HEX_64 = /^[0-9a-f]{64}$/
const ZERO = '0'.repeat(64)

/** Hex digits of equal length and case sort as the numbers they spell, so the range is a comparison of strings. */
export function parseSecret(text: string): Secret | undefined {
  return HEX_64.test(text) && text > ZERO && text < CURVE_ORDER ? (text as Secret) : undefined
}

/**
 * FIPS 186-5, A.2.1 ("extra random bits"): the secret is c mod (n-1) + 1, where c is the 512-bit number
 * SHA-512(entropy). Every entropy gives a valid secret, without a loop; c is 256 bits longer than n, so no secret is
 * likelier than another by more than 2^-256; and a person checks it with `sha512sum` and any calculator. The hash is
 * there to stretch 32 bytes to the 512 bits, and to let each of the bytes count where there are more.
 *
 * @param entropy at least 32 bytes from a cryptographic random source; never a password, which needs a slow hash
 * @throws RangeError for less, which is a bug of the caller
 */
export function secretFromEntropy(entropy: Uint8Array): Secret {
  if (entropy.length < MIN_ENTROPY_BYTES)
    throw new RangeError(`a secret needs at least ${MIN_ENTROPY_BYTES} bytes of entropy, not ${entropy.length}`)
  const c = BigInt(`0x${createHash('sha512').update(entropy).digest('hex')}`)
  const secret = (c % (BigInt(`0x${CURVE_ORDER}`) - 1n)) + 1n
  return secret.toString(16).padStart(64, '0') as Secret
}

/** The sender of whatever this secret signs. */
export function addressOf(secret: Secret): Address {
  return addressBy(publicKeyFor, secret)
}

/** For whoever has a signer at hand. @param publicKeyOf the signer's */
export function addressBy(publicKeyOf: (secret: Uint8Array) => Uint8Array, secret: Secret): Address {
  return addressOfPublicKey(bytesToHex(publicKeyOf(hexToBytes(secret))))
}
