/** Signing in three steps, of which the middle one needs no network: draft, sign, send. */
import { payloadOf } from '@bc/core'
import { usage } from '../failure.ts'
import { readKey } from '../keys/key.ts'
import { type Draft, parseDraft } from '../payment/draft.ts'
import { placeOf } from '../payment/place.ts'
import { signedBy } from '../payment/signing.ts'
import { type TransactionOptions, type TransactionWords, transactionFields } from '../payment/transaction-fields.ts'
import type { KeySource } from '../settings/key-source.ts'
import type { Settings } from '../settings/options.ts'
import { readInput, readSmallBytes } from '../terminal/input.ts'
import { print, printResult, terminalWidth } from '../terminal/output.ts'
import { type Entry, rows } from '../terminal/text.ts'

export async function draft(
  words: TransactionWords,
  options: TransactionOptions,
  source: KeySource,
  settings: Settings,
): Promise<void> {
  const fields = await transactionFields(words, options, source)
  const { chain, nonce } = await placeOf(fields.sender, options, settings)
  print(payloadOf({ ...fields, nonce }, chain))
}

/**
 * Prints the signed transaction. What it is stands on stderr before the passphrase is asked for, so that a person can
 * still say no.
 * @param key the KEY argument
 */
export async function signDraft(file: string, key: string, source: KeySource): Promise<void> {
  if (file === '-' && key === '-') throw usage('FILE and KEY are both standard input: one of them has to be a file.')
  const draft = parseDraft(file === '-' ? await readInput() : readSmallBytes(file, 'FILE'))
  process.stderr.write(`${shown(draft, terminalWidth(process.stderr))}\n`)
  printResult(signedBy(await readKey(key, source), draft.unsigned, draft.chain), true, () => '')
}

function shown({ unsigned, chain, id }: Draft, width: number): string {
  const { sender, recipient, amount, fee, memo, nonce } = unsigned
  const entries: Entry[] = [
    ['Sender', sender],
    ['Recipient', recipient],
    ['Amount', amount],
    ['Fee', fee],
    ...(memo === undefined ? [] : [['Memo', memo] as const]),
    ['Nonce', nonce],
    ['Chain', chain],
    ['Id', id],
  ]
  return `To be signed:\n\n${rows(entries, width)}\n`
}
