/**
 * Keys for tests, straight from @noble/curves: core's tests need no other package of this house.
 *
 * Curve arithmetic is the slowest thing in these tests by far, so signatures and verdicts are remembered. Nothing is lost:
 * RFC 6979 signatures and verdicts depend on their arguments alone.
 */
import {
  type Address,
  addressOfPublicKey,
  type Hash,
  payloadOf,
  type Signature,
  type SignatureVerifier,
  sha256Hex,
  type Transaction,
  type UnsignedTransaction,
} from '@bc/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

export interface Key {
  readonly secret: string
  readonly address: Address
}

/** The digest is the message (prehash off), and s is always the lower of its two values. */
const ECDSA = { prehash: false, lowS: true } as const

/** @param secret 64 hex digits */
export function keyOf(secret: string): Key {
  return { secret, address: addressOfPublicKey(bytesToHex(secp256k1.getPublicKey(hexToBytes(secret), true))) }
}

/** The key of the secret n. */
export function numberedKey(n: number): Key {
  return keyOf(n.toString(16).padStart(64, '0'))
}

const signatures = new Map<string, Signature>()

/** @param digest 64 hex digits */
export function signDigest(digest: string, { secret }: Key): Signature {
  return remembered(signatures, digest + secret, () => {
    return bytesToHex(secp256k1.sign(hexToBytes(digest), hexToBytes(secret), ECDSA)) as Signature
  })
}

export function signTransaction(unsigned: UnsignedTransaction, chain: Hash, key: Key): Transaction {
  return { ...unsigned, signature: signDigest(sha256Hex(payloadOf(unsigned, chain)), key) }
}

const points = new Map<string, boolean>()
const verdicts = new Map<string, boolean>()

export const verifier: SignatureVerifier = {
  name: 'noble, remembered',
  isPublicKey(publicKey) {
    return remembered(points, bytesToHex(publicKey), () => secp256k1.utils.isValidPublicKey(publicKey, true))
  },
  verify(digest, signature, publicKey) {
    return remembered(verdicts, [digest, signature, publicKey].map(bytesToHex).join(' '), () => {
      return secp256k1.verify(signature, digest, publicKey, ECDSA)
    })
  },
}

/** For tests of everything but signatures: says yes to all. */
export const credulous: SignatureVerifier = { name: 'credulous', isPublicKey: () => true, verify: () => true }

function remembered<T>(memory: Map<string, T>, question: string, answer: () => T): T {
  const known = memory.get(question)
  if (known !== undefined) return known
  const found = answer()
  memory.set(question, found)
  return found
}
