/** A payment in one go: build, sign, send, and wait where that is wanted. */
import { type Amount, type Hash, transactionId } from '@bc/core'
import type { AcceptedAnswer } from '@bc/node'
import { addressOf, type Secret } from '@bc/wallet'
import { connect } from '../client/client.ts'
import { within } from '../client/within.ts'
import { CliError, Refusal } from '../failure.ts'
import { defaultKey } from '../keys/default-key.ts'
import { readKey } from '../keys/key.ts'
import { confirmed } from '../payment/confirmation.ts'
import { placeOf } from '../payment/place.ts'
import { signedBy } from '../payment/signing.ts'
import { type Payment, type PaymentWords, paymentFields } from '../payment/transaction-fields.ts'
import { readableAccepted } from '../readable/answers.ts'
import { readableTransaction } from '../readable/ledger.ts'
import type { KeySource } from '../settings/key-source.ts'
import type { Settings } from '../settings/options.ts'
import { note, printResult } from '../terminal/output.ts'

export interface PayOptions {
  readonly from?: string
  readonly fee?: Amount
  readonly memo?: string
  /** How many confirmations; `true` for one. */
  readonly wait?: number | true
}

interface Sent {
  readonly answer: AcceptedAnswer
  readonly id: Hash
}

export async function pay(
  words: PaymentWords,
  options: PayOptions,
  source: KeySource,
  settings: Settings,
): Promise<void> {
  const fields = await paymentFields(words, options, source)
  const secret = await readKey(options.from ?? (await defaultKey('--from', source)), source)
  const { answer, id } = await sendNext(fields, secret, settings)
  if (options.wait === undefined) return printResult(answer, settings.json, (width) => readableAccepted(answer, width))
  note(`${id} is sent; waiting for a block … Ctrl-C ends the waiting alone`)
  const late = (seconds: number) =>
    new CliError('cli.watch', `${id} was sent, and is not confirmed after ${seconds} s.`)
  const wanted = { id, confirmations: Number(options.wait), isAccepted: true }
  const found = await within(settings, late, (endpoint, signal) => confirmed(endpoint, wanted, signal))
  printResult(found, settings.json, (width) => readableTransaction(found, width))
}

/**
 * Signs the sender's next nonce, but doesn't send it: the node then checks the signature against the next one that it
 * knows of (protocol.md, "HTTP"). Sent along, it would let the higher fee of two payments of one moment replace the
 * other, which was told that it is accepted.
 * @throws Refusal `tx.nonce` for whoever came second. It isn't signed anew: a node that lies would be paid twice.
 */
async function sendNext(fields: Payment, secret: Secret, settings: Settings): Promise<Sent> {
  const [sender, node] = [addressOf(secret), connect(settings)]
  const { chain, nonce } = await placeOf(sender, {}, settings)
  const signed = signedBy(secret, { ...fields, sender, nonce }, chain)
  const { nonce: _, ...sent } = signed
  try {
    return { answer: await node.send(sent), id: transactionId(signed, chain) }
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'tx.signature')) throw error
    const now = await placeOf(sender, { chain }, settings)
    if (now.nonce === nonce) throw error
    throw new Refusal('tx.nonce', 'Another payment of this key came first: this one was not accepted. Pay again.')
  }
}
