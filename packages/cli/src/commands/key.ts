/** Keys, without a node; those of the command line alone need no file either. */
import { randomBytes } from 'node:crypto'
import type { Address } from '@bc/core'
import { addressOf, type Secret, secretFromEntropy } from '@bc/wallet'
import { readKey } from '../keys/key.ts'
import { isKeyName } from '../keys/key-name.ts'
import type { KeySource } from '../settings/key-source.ts'
import { note, printResult, printWord } from '../terminal/output.ts'
import { rows, wrapped } from '../terminal/text.ts'

const ENTROPY_BYTES = 32

export interface NewKeyFlags {
  readonly json: boolean
  /** Show the 24 words to a program as well. */
  readonly phrase: boolean
}

export function freshSecret(): Secret {
  return secretFromEntropy(randomBytes(ENTROPY_BYTES))
}

/** It is stored nowhere. */
export async function newKey({ json, phrase }: NewKeyFlags): Promise<void> {
  const secret = freshSecret()
  const address = addressOf(secret)
  const words = phrase ? await phraseOf(secret) : undefined
  const entries = [
    ['Address', address],
    ['Secret', secret],
  ] as const
  printResult({ address, secret, ...(words && { phrase: words }) }, json, (width) =>
    withPhrase(rows(entries, width), words, width),
  )
  if (process.stdout.isTTY)
    note('this secret is stored nowhere else: who has it has the coins, and who loses it has lost them.')
}

/** A stored key's address stands in clear: no passphrase is asked for. */
export async function keyAddress(argument: string, json: boolean, source: KeySource): Promise<void> {
  const address = isKeyName(argument)
    ? await addressOfStored(argument, source)
    : addressOf(await readKey(argument, source))
  printWord(address, { address }, json)
}

async function addressOfStored(name: string, { folder }: KeySource): Promise<Address> {
  const { openKeystore } = await import('../keys/keystore.ts')
  return openKeystore(folder).get(name).address
}

/** Loads the list of words when it is needed. */
export async function phraseOf(secret: Secret): Promise<string> {
  const wallet = await import('@bc/wallet/phrase')
  return wallet.phraseOf(secret)
}

/** For people: the words last, broken between two of them, to be written down. */
export function withPhrase(readable: string, phrase: string | undefined, width: number): string {
  return phrase === undefined ? readable : `${readable}\n\nPhrase\n${wrapped(phrase, width, 2)}`
}
