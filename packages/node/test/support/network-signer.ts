/** Signatures by the thousand: OpenSSL's, made low-S, since floods must not cost the test more than the node. */
import { createPrivateKey, sign } from 'node:crypto'
import { canonicalJson, type Hash, type JsonObject } from '@bc/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { Key } from '../../../core/test/support/keys.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** @returns the canonical JSON of the signed transaction */
export function fastSigner({ secret }: Key, chain: Hash): (fields: JsonObject) => string {
  const point = secp256k1.getPublicKey(hexToBytes(secret), false)
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), hexToBytes(secret)].map(base64) as [
    string,
    string,
    string,
  ]
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'secp256k1', x, y, d }, format: 'jwk' })
  return (fields) => {
    const raw = sign('sha256', Buffer.from(canonicalJson({ ...fields, chain })), { key, dsaEncoding: 'ieee-p1363' })
    const s = BigInt(`0x${bytesToHex(raw.subarray(32))}`)
    const low = s > ORDER / 2n ? ORDER - s : s
    const signature = bytesToHex(raw.subarray(0, 32)) + low.toString(16).padStart(64, '0')
    return canonicalJson({ ...fields, signature })
  }
}
