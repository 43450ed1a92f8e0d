/** Those who have coins in a lab from the beginning, and keys that follow from its seed. */
import { type Address, sha256Hex } from '@bc/core'
import { addressOf, parseSecret, type Secret } from '@bc/wallet'
import type { AccountName } from './events.ts'

export interface LabAccount {
  readonly address: Address
  readonly secret: Secret
}

export type LabAccounts = Readonly<Record<AccountName, LabAccount>>

/** What each of them has in the genesis block. */
export const ALLOCATION = 1000

export function accountsOf(seed: number): LabAccounts {
  const account = (name: AccountName): LabAccount => {
    // Below the order of the curve for all but one seed in 2^127.
    const secret = parseSecret(sha256Hex(`bc lab ${seed} ${name}`)) as Secret
    return { secret, address: addressOf(secret) }
  }
  return { Alice: account('Alice'), Bob: account('Bob'), Carol: account('Carol') }
}
