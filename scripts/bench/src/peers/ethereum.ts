/** A signed transfer as Ethereum takes it: EIP-155, the form with the fewest fields. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { curve } from '../chain/holders.ts'
import { ANVIL_CHAIN } from './anvil.ts'

interface Transfer {
  readonly chain: number
  readonly nonce: number
  /** 20 bytes. */
  readonly to: Uint8Array
  readonly value: number
}

const GAS_PRICE = 2_000_000_000
/** What a transfer costs. */
const GAS = 21_000

/** @returns hex, with 0x before it */
function signTransfer({ chain, nonce, to, value }: Transfer, secret: Uint8Array): string {
  const fields = [bytesOf(nonce), bytesOf(GAS_PRICE), bytesOf(GAS), to, bytesOf(value), bytesOf(0)]
  const digest = keccak_256(list([...fields, bytesOf(chain), bytesOf(0), bytesOf(0)]))
  const { signature, recid } = curve().ecdsaSign(digest, secret)
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map(withoutZeros) as [Uint8Array, Uint8Array]
  return `0x${list([...fields, bytesOf(recid + 35 + 2 * chain), r, s]).toString('hex')}`
}

/**
 * Coins from one account to the next, in turns, each account's in the order of their nonces.
 * @returns for each transfer what {@link signTransfer} does
 */
export function transfers(secrets: readonly Uint8Array[], count: number): string[] {
  const addresses = secrets.map(ethereumAddress)
  return Array.from({ length: count }, (_, i) => {
    const to = addresses[(i + 1) % secrets.length] as Uint8Array
    const nonce = Math.floor(i / secrets.length)
    return signTransfer({ chain: ANVIL_CHAIN, nonce, to, value: 1 }, secrets[i % secrets.length] as Uint8Array)
  })
}

/** 20 bytes of the public key's hash. */
function ethereumAddress(secret: Uint8Array): Uint8Array {
  return keccak_256(curve().publicKeyCreate(secret, false).subarray(1)).subarray(12)
}

/** RLP: a byte below 128 stands for itself; before anything else stands how long it is. */
function text(bytes: Uint8Array): Buffer {
  const [first = 128] = bytes
  return bytes.length === 1 && first < 128 ? Buffer.from(bytes) : Buffer.concat([lengthOf(bytes.length, 128), bytes])
}

function list(items: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(items.map(text))
  return Buffer.concat([lengthOf(body.length, 192), body])
}

function lengthOf(length: number, offset: number): Buffer {
  if (length < 56) return Buffer.from([offset + length])
  const bytes = bytesOf(length)
  return Buffer.concat([Buffer.from([offset + 55 + bytes.length]), bytes])
}

/** A whole number in as few bytes as it takes: 0 in none. */
function bytesOf(value: number): Uint8Array {
  const digits = value.toString(16)
  return value === 0 ? new Uint8Array() : Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0)
  return bytes.subarray(start)
}
