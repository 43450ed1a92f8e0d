import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Hash } from './primitives.ts'

/** The hex SHA-256 of the text's UTF-8 bytes: `sha256(text)` of protocol.md. */
export function sha256Hex(text: string): Hash {
  return bytesToHex(sha256(utf8ToBytes(text))) as Hash
}
