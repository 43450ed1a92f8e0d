/** The commands that make and send transactions. */
import type { Command } from 'commander'
import { chainOption, wholeOption } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import type { SendOptions } from '../commands/send-tx.ts'
import { usage } from '../failure.ts'
import type { TransactionOptions } from '../payment/transaction-fields.ts'
import { keySourceOf, settingsOf, withKeys, withPassphrase } from '../settings/options.ts'
import { KEY_FORMS } from './keys.ts'

export function addTransactionCommands(bc: Command): void {
  addSign(bc)
  addSendTx(bc)
}

function addSign(bc: Command): void {
  withPassphrase(withFields(bc.command('sign')))
    .description("Prints SENDER's signature, or with --json or of a draft the signed transaction.")
    .usage('[options] SENDER RECIPIENT AMOUNT KEY | FILE')
    .argument('<SENDER|FILE>', 'address or key name that pays, or a draft: a file, or - for standard input')
    .argument('[RECIPIENT]', 'address or key name that is paid')
    .argument('[AMOUNT]', 'coins, a whole number')
    .argument('[KEY]', `SENDER's: ${KEY_FORMS}`)
    .option('--key <KEY>', 'the same, for a draft (default: BC_KEY, or the only stored key)')
    .option('--chain <id>', 'the chain it is for; with --nonce no node is asked', chainOption)
    .addHelpText(
      'after',
      examples(
        'bc sign $FROM $TO 5 @alice.json',
        'bc sign alice bob 5 alice --fee 1 --memo lunch --json | bc send-tx',
        'bc sign $FROM $TO 5 - --nonce 0 --chain $CHAIN < secret    (offline)',
        'bc draft alice $TO 5 > tx.json; bc sign tx.json --key alice > signed.json',
      ),
    )
    .action(async function (this: Command) {
      const words = this.args
      const { key, ...fields } = this.opts<TransactionOptions & { key?: string }>()
      if (words.length === 1) return signFile(this, words[0] as string, key, fields)
      const [sender = '', recipient = '', amount, last = key] = words
      if (amount === undefined) missing(this, 'AMOUNT')
      if (last === undefined) missing(this, 'KEY')
      if (words.length > 3 && key !== undefined) throw usage('KEY and --key are the same thing: give one of them.')
      const { sign } = await import('../commands/sign.ts')
      await sign([sender, recipient, amount, last], fields, keySourceOf(this), settingsOf(this))
    })
}

/** What a draft says is not said again. */
async function signFile(
  command: Command,
  file: string,
  key: string | undefined,
  fields: TransactionOptions,
): Promise<void> {
  const given = (['nonce', 'fee', 'memo', 'chain'] as const).find((field) => fields[field] !== undefined)
  if (given) throw usage(`a draft has its own ${given}: sign takes it as it is, or SENDER RECIPIENT AMOUNT KEY.`)
  const [{ signDraft }, { defaultKey }] = await Promise.all([
    import('../commands/draft.ts'),
    import('../keys/default-key.ts'),
  ])
  const source = keySourceOf(command)
  await signDraft(file, key ?? (await defaultKey('--key', source)), source)
}

/** As commander says it where an argument is never left out. */
function missing(command: Command, argument: string): never {
  command.error(`error: missing required argument '${argument}'`, { code: 'commander.missingArgument' })
}

function addSendTx(bc: Command): void {
  withKeys(withFields(bc.command('send-tx')))
    .description('Sends a signed transaction: of four words, from standard input, or asked for.')
    .usage('[options] [SENDER RECIPIENT AMOUNT SIGNATURE]')
    .argument('[SENDER]', 'address or key name that pays')
    .argument('[RECIPIENT]', 'address or key name that is paid')
    .argument('[AMOUNT]', 'coins, a whole number')
    .argument('[SIGNATURE]', 'what bc sign prints')
    .addHelpText(
      'after',
      `
Of many on standard input each has a line of result, in their order: what was
accepted with {"id", "index", "status"}, what was refused or can't be read with
{"code", "message", "status"}. All else is sent, whatever becomes of one. Exit
code: 0 where all were accepted, otherwise the worst that happened: 4 a
signature refused, 5 refused by another rule; 1 or 3 where the node or the way
to it broke.
${examples(
  'bc send-tx $FROM $TO 5 $SIGNATURE',
  'bc send-tx < signed.json              one transaction, or one on each line',
  "bc send-tx < thousands.ndjson | jq -c 'select(.code)'",
  'bc send-tx                            asks, on a terminal',
)}`,
    )
    .action(async function (this: Command) {
      const { sendTx } = await import('../commands/send-tx.ts')
      await sendTx(this.args, this.opts<SendOptions>(), keySourceOf(this), settingsOf(this))
    })
}

export function withFields(command: Command): Command {
  return command
    .option('--nonce <n>', "the sender's transactions before this one (default: the next)", wholeOption)
    .option('--fee <n>', 'coins for the miner (default: 0)', wholeOption)
    .option('--memo <text>', 'a note, at most 256 bytes')
}
