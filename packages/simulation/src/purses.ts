/** Those who pay each other. */
import type { Address } from '@bc/core'
import { addressOf, type Secret, secretFromEntropy } from '@bc/wallet'

export interface Purse {
  readonly secret: Secret
  readonly address: Address
}

const purses = new Map<string, Purse>()

/** @param name the same name is the same secret, in every run: its arithmetic is done once */
export function purseOf(name: string): Purse {
  const purse = purses.get(name) ?? newPurse(name)
  purses.set(name, purse)
  return purse
}

function newPurse(name: string): Purse {
  const secret = secretFromEntropy(new TextEncoder().encode(name.padEnd(48, '.')))
  return { secret, address: addressOf(secret) }
}
