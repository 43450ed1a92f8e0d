/** A signature over a transaction. No node is asked where `--nonce` and `--chain` say what it would know. */
import type { Hash, UnsignedTransaction } from '@bc/core'
import { accountArgument, amountArgument, memoField } from '../arguments.ts'
import { readKey } from '../key.ts'
import type { KeySource } from '../key-source.ts'
import type { Settings } from '../options.ts'
import { print, printResult } from '../output.ts'
import { placeOf } from '../place.ts'
import { signedBy } from '../signing.ts'

export interface SignOptions {
  readonly chain?: Hash
  readonly nonce?: UnsignedTransaction['amount']
  readonly fee?: UnsignedTransaction['fee']
  readonly memo?: string
}

export type SignWords = readonly [sender: string, recipient: string, amount: string, key: string]

export async function sign(
  words: SignWords,
  options: SignOptions,
  source: KeySource,
  settings: Settings,
): Promise<void> {
  const fields = {
    sender: await accountArgument('SENDER', words[0], source),
    recipient: await accountArgument('RECIPIENT', words[1], source),
    amount: amountArgument(words[2]),
    fee: options.fee ?? (0 as UnsignedTransaction['fee']),
    ...memoField(options.memo),
  }
  const secret = await readKey(words[3], source)
  const { chain, nonce } = await placeOf(fields.sender, options, settings)
  const signed = signedBy(secret, { ...fields, nonce }, chain)
  if (settings.json) printResult(signed, true, () => signed.signature)
  else print(signed.signature)
}
