/** Signing as a command does it: a secret that isn't the sender's is the user's mistake. */
import type { Hash, Transaction, UnsignedTransaction } from '@bc/core'
import { type Secret, signTransaction, WrongSecretError } from '@bc/wallet'
import { usage } from '../failure.ts'

export function signedBy(secret: Secret, unsigned: UnsignedTransaction, chain: Hash): Transaction {
  try {
    return signTransaction(unsigned, chain, secret)
  } catch (error) {
    if (error instanceof WrongSecretError)
      throw usage(`KEY is ${error.data.signer}'s secret and not SENDER's: nothing was signed.`)
    throw error
  }
}
