/** What a sender wants, from the words of a command line: all of a transaction but its place on the chain. */
import type { Amount, Hash, UnsignedTransaction } from '@bc/core'
import { accountArgument, amountArgument, memoField } from '../command-line/arguments.ts'
import type { KeySource } from '../settings/key-source.ts'

export interface TransactionOptions {
  readonly chain?: Hash
  readonly nonce?: Amount
  readonly fee?: Amount
  readonly memo?: string
}

export type PaymentWords = readonly [recipient: string, amount: string]
export type TransactionWords = readonly [sender: string, ...PaymentWords]

/** Without who sends it. */
export type Payment = Omit<UnsignedTransaction, 'sender' | 'nonce'>

/** @param source where the names of stored keys, which are taken for addresses too, are looked up */
export async function transactionFields(
  [sender, ...payment]: TransactionWords,
  options: TransactionOptions,
  source: KeySource,
): Promise<Omit<UnsignedTransaction, 'nonce'>> {
  return {
    sender: await accountArgument('SENDER', sender, source),
    ...(await paymentFields(payment, options, source)),
  }
}

export async function paymentFields(
  [recipient, amount]: PaymentWords,
  { fee, memo }: Pick<TransactionOptions, 'fee' | 'memo'>,
  source: KeySource,
): Promise<Payment> {
  return {
    recipient: await accountArgument('RECIPIENT', recipient, source),
    amount: amountArgument(amount),
    fee: fee ?? (0 as Amount),
    ...memoField(memo),
  }
}
