/** The keys of a dev node. They follow from its seed, so they are no secrets. */
import type { Address, Amount } from '@bc/core'
import { addressOf, type Secret, secretFromEntropy } from '@bc/wallet'

export interface DevAccount {
  readonly address: Address
  readonly secret: Secret
}

/** One that has coins from the start. */
export interface FundedAccount extends DevAccount {
  readonly amount: Amount
}

/**
 * With `sha512sum` and a calculator anybody can derive them (see {@link secretFromEntropy}).
 * @param name whose key it is: each has one of its own
 */
export function devAccount(seed: number, name: string): DevAccount {
  const secret = secretFromEntropy(new TextEncoder().encode(`bc dev mode, seed ${seed}, key of ${name}`))
  return { secret, address: addressOf(secret) }
}
