/** A payment in one go: build, sign, send, and wait where that is wanted. */
import { type Amount, transactionId } from '@bc/core'
import { addressOf } from '@bc/wallet'
import { accountArgument, amountArgument, memoField } from '../arguments.ts'
import { connect } from '../client.ts'
import { type ConfirmedTransaction, confirmed } from '../confirmation.ts'
import { defaultKey } from '../default-key.ts'
import { readKey } from '../key.ts'
import type { KeySource } from '../key-source.ts'
import type { Settings } from '../options.ts'
import { note, printResult } from '../output.ts'
import { placeOf } from '../place.ts'
import { readableAccepted, rows } from '../readable.ts'
import { signedBy } from '../signing.ts'

export interface PayOptions {
  readonly from?: string
  readonly fee?: Amount
  readonly memo?: string
  /** How many confirmations; `true` for one. */
  readonly wait?: number | true
}

export type PayWords = readonly [recipient: string, amount: string]

export async function pay(words: PayWords, options: PayOptions, source: KeySource, settings: Settings): Promise<void> {
  const fields = {
    recipient: await accountArgument('RECIPIENT', words[0], source),
    amount: amountArgument(words[1]),
    fee: options.fee ?? (0 as Amount),
    ...memoField(options.memo),
  }
  const secret = await readKey(options.from ?? (await defaultKey('--from', source)), source)
  const sender = addressOf(secret)
  const { chain, nonce } = await placeOf(sender, {}, settings)
  const node = connect(settings)
  const signed = signedBy(secret, { ...fields, sender, nonce }, chain)
  const answer = await node.send({ ...signed })
  if (options.wait === undefined) return printResult(answer, settings.json, (width) => readableAccepted(answer, width))
  const id = transactionId(signed, chain)
  note(`${id} is sent; waiting for a block … Ctrl-C ends the waiting alone`)
  const found = await confirmed(node, id, Number(options.wait), settings.timeout)
  printResult(found, settings.json, (width) => readableConfirmed(found, width))
}

function readableConfirmed({ id, block }: ConfirmedTransaction, width: number): string {
  const entries: [string, string | number][] = [
    ['Id', id],
    ['Block', block.index],
    ['Hash', block.hash],
    ['Confirmations', block.confirmations],
  ]
  return `Confirmed\n\n${rows(entries, width)}`
}
