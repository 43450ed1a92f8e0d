/** Addresses (protocol.md, "Keys, addresses, signatures"). */
import { hexToBytes } from '@noble/hashes/utils.js'
import { sha256Hex } from './hash.ts'
import { isHex } from './hex.ts'
import type { JsonValue } from './json.ts'
import type { Brand } from './primitives.ts'

/** 74 lower-case hex digits: a compressed public key and the first 8 digits of its SHA-256, which were checked. */
export type Address = Brand<string, 'Address'>

/** Form and checksum. That the key is a point on the curve is for a {@link SignatureVerifier} to say. */
export function parseAddress(value: JsonValue | undefined): Address | undefined {
  if (!isHex(value, 74) || !(value.startsWith('02') || value.startsWith('03'))) return undefined
  const key = value.slice(0, 66)
  return value.slice(66) === checksum(key) ? (value as Address) : undefined
}

/** @param publicKey 66 hex digits of a compressed public key */
export function addressOfPublicKey(publicKey: string): Address {
  return (publicKey + checksum(publicKey)) as Address
}

/** The 33 bytes of the compressed public key that an address spells. */
export function publicKeyOf(address: Address): Uint8Array {
  return hexToBytes(address.slice(0, 66))
}

function checksum(publicKeyHex: string): string {
  return sha256Hex(hexToBytes(publicKeyHex)).slice(0, 8)
}
