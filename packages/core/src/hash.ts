import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { hash } from '#platform-hash'
import type { Hash } from './primitives.ts'

/** The hex SHA-256 of bytes, or of a text's UTF-8 bytes: `sha256(text)` of protocol.md. */
export const sha256Hex: (data: string | Uint8Array) => Hash = fastest(hash)

function fastest(native: typeof hash) {
  if (native === undefined) return portableSha256Hex
  return (data: string | Uint8Array) => native('sha256', data, 'hex') as Hash
}

/** The same in plain JavaScript: where the platform has nothing faster. */
export function portableSha256Hex(data: string | Uint8Array): Hash {
  return bytesToHex(sha256(typeof data === 'string' ? utf8ToBytes(data) : data)) as Hash
}
