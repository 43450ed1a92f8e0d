/** Those who send and receive, the same for every run, and what they sign. */
import { createRequire } from 'node:module'
import {
  type Address,
  type Amount,
  addressOfPublicKey,
  type Hash,
  payloadOf,
  publicKeyOf,
  sha256Hex,
  type Transaction,
  type UnsignedTransaction,
} from '@bc/core'

export interface Holder {
  readonly secret: Uint8Array
  readonly address: Address
  nonce: number
}

export interface Payment {
  readonly transaction: Transaction
  /** What there is to verify of it: the bytes of its digest, its signature and its sender's key. */
  readonly check: Uint8Array
}

export function makeHolders(count: number): Holder[] {
  return Array.from({ length: count }, (_, i) => {
    const secret = Buffer.from(sha256Hex(`bc bench ${i}`), 'hex')
    const address = addressOfPublicKey(Buffer.from(curve().publicKeyCreate(secret, true)).toString('hex'))
    return { secret, address, nonce: 0 }
  })
}

/** Coins for each of them: more than they spend. */
export function allocationsOf(holders: readonly Holder[]): Record<Address, Amount> {
  return Object.fromEntries(holders.map(({ address }) => [address, 1_000_000 as Amount]))
}

/** The sender's next transaction. */
export function pay(sender: Holder, recipient: Address, chain: Hash): Payment {
  const unsigned = {
    amount: 1,
    fee: 1,
    nonce: sender.nonce++,
    recipient,
    sender: sender.address,
  } as UnsignedTransaction
  const digest = Buffer.from(sha256Hex(payloadOf(unsigned, chain)), 'hex')
  const { signature } = curve().ecdsaSign(digest, sender.secret)
  const transaction = { ...unsigned, signature: Buffer.from(signature).toString('hex') } as Transaction
  return { transaction, check: Buffer.concat([digest, signature, publicKeyOf(sender.address)]) }
}

interface SigningCurve {
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { signature: Uint8Array; recid: number }
}

/**
 * libsecp256k1 signs as well, thirty times as fast as noble: what isn't measured shouldn't take long.
 * @throws Error where there is no binary for this platform
 */
export function curve(): SigningCurve {
  return createRequire(import.meta.url)('secp256k1/bindings.js')
}
