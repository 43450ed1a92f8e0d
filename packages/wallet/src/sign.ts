/** Signing (protocol.md, "Keys, addresses, signatures" and "Transaction"). */
import {
  type Address,
  type Hash,
  payloadOf,
  type Signature,
  sha256Hex,
  type Transaction,
  type UnsignedTransaction,
} from '@bc/core'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { bestSigner } from './best-signer.ts'
import { addressBy, type Secret } from './secret.ts'

/** The user's mistake, not a bug: the message is for them, and names addresses only. */
export class WrongSecretError extends Error {
  override readonly name = 'WrongSecretError'
  readonly code = 'wallet.wrong_secret'
  readonly data: { readonly sender: Address; readonly signer: Address }

  constructor(sender: Address, signer: Address) {
    super(`This secret is ${signer}'s and can't sign for ${sender}.`)
    this.data = { sender, signer }
  }
}

/**
 * The sender's signature over exactly these fields on exactly this chain. That the fields keep the rules is the
 * caller's business: a memo, for one, is left out when empty.
 * @throws WrongSecretError where the secret isn't the sender's, since that signature could only be refused later
 * @throws TypeError for fields without a canonical JSON
 */
export function signTransaction(unsigned: UnsignedTransaction, chain: Hash, secret: Secret): Transaction {
  const signer = addressBy(bestSigner().publicKeyOf, secret)
  if (signer !== unsigned.sender) throw new WrongSecretError(unsigned.sender, signer)
  return { ...unsigned, signature: signPayload(payloadOf(unsigned, chain), secret) }
}

/**
 * ECDSA over the text's SHA-256. The nonce is RFC 6979's, so that one payload has one signature by one secret and no
 * random source can leak the secret; low-S, so that a third party has no second spelling of it.
 */
export function signPayload(payload: string, secret: Secret): Signature {
  const digest = hexToBytes(sha256Hex(payload))
  return bytesToHex(bestSigner().sign(digest, hexToBytes(secret))) as Signature
}
