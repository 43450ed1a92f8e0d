/** A signature over a transaction. No node is asked where `--nonce` and `--chain` say what it would know. */
import { readKey } from '../keys/key.ts'
import { placeOf } from '../payment/place.ts'
import { signedBy } from '../payment/signing.ts'
import { type TransactionOptions, transactionFields } from '../payment/transaction-fields.ts'
import type { KeySource } from '../settings/key-source.ts'
import type { Settings } from '../settings/options.ts'
import { printWord } from '../terminal/output.ts'

export type SignWords = readonly [sender: string, recipient: string, amount: string, key: string]

export async function sign(
  words: SignWords,
  options: TransactionOptions,
  source: KeySource,
  settings: Settings,
): Promise<void> {
  const [sender, recipient, amount, key] = words
  const fields = await transactionFields([sender, recipient, amount], options, source)
  const secret = await readKey(key, source)
  const { chain, nonce } = await placeOf(fields.sender, options, settings)
  const signed = signedBy(secret, { ...fields, nonce }, chain)
  printWord(signed.signature, signed, settings.jsonFlag)
}
