/** A signature over a transaction. No node is asked where `--nonce` and `--chain` say what it would know. */
import { type Hash, parseHash, type Transaction, type UnsignedTransaction } from '@bc/core'
import { signTransaction, WrongSecretError } from '@bc/wallet'
import { addressArgument, amountArgument, memoField } from '../arguments.ts'
import { usage } from '../failure.ts'
import { readKey } from '../key.ts'
import type { Settings } from '../options.ts'
import { print, printResult } from '../output.ts'

export interface SignOptions {
  readonly chain?: Hash
  readonly nonce?: UnsignedTransaction['amount']
  readonly fee?: UnsignedTransaction['fee']
  readonly memo?: string
}

export type SignWords = readonly [sender: string, recipient: string, amount: string, key: string]

export async function sign(words: SignWords, options: SignOptions, settings: Settings): Promise<void> {
  const fields = {
    sender: addressArgument('SENDER', words[0]),
    recipient: addressArgument('RECIPIENT', words[1]),
    amount: amountArgument(words[2]),
    fee: options.fee ?? (0 as UnsignedTransaction['fee']),
    ...memoField(options.memo),
  }
  const secret = await readKey(words[3])
  const { chain, nonce } = await placeOf(fields.sender, options, settings)
  const signed = signedBy(() => signTransaction({ ...fields, nonce }, chain, secret))
  if (settings.json) printResult(signed, true, () => signed.signature)
  else print(signed.signature)
}

interface Place {
  readonly chain: Hash
  readonly nonce: number
}

/** Asks for what wasn't given, and for nothing else. */
async function placeOf(sender: string, { chain, nonce }: SignOptions, settings: Settings): Promise<Place> {
  if (chain !== undefined && nonce !== undefined) return { chain, nonce }
  const { connect } = await import('../client.ts')
  const node = connect(settings)
  const [status, account] = await Promise.all([
    chain === undefined ? node.status() : undefined,
    nonce === undefined ? node.account(sender) : undefined,
  ])
  return { chain: chain ?? (parseHash(status?.chain) as Hash), nonce: nonce ?? (account?.pendingNonce as number) }
}

function signedBy(make: () => Transaction): Transaction {
  try {
    return make()
  } catch (error) {
    if (error instanceof WrongSecretError)
      throw usage(`KEY is ${error.data.signer}'s secret and not SENDER's: nothing was signed.`)
    throw error
  }
}
