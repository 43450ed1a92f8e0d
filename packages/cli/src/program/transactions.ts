/** The commands that make and send transactions. */
import type { Command } from 'commander'
import { chainOption, wholeOption } from '../arguments.ts'
import type { SendOptions } from '../commands/send-tx.ts'
import type { SignOptions, SignWords } from '../commands/sign.ts'
import { settingsOf } from '../options.ts'
import { examples } from '../run.ts'

export function addTransactionCommands(bc: Command): void {
  addSign(bc)
  addSendTx(bc)
}

function addSign(bc: Command): void {
  withFields(bc.command('sign'))
    .description("Prints SENDER's signature, or with --json the signed transaction.")
    .argument('<SENDER>', 'address that pays')
    .argument('<RECIPIENT>', 'address that is paid')
    .argument('<AMOUNT>', 'coins, a whole number')
    .argument('<KEY>', "SENDER's secret: 64 hex digits, - for standard input or @FILE")
    .option('--chain <id>', 'the chain it is for; with --nonce no node is asked', chainOption)
    .addHelpText(
      'after',
      examples(
        'bc sign $FROM $TO 5 @alice.json',
        'bc sign $FROM $TO 5 @alice.json --fee 1 --memo lunch --json | bc send-tx',
        'bc sign $FROM $TO 5 - --nonce 0 --chain $CHAIN < secret    (offline)',
      ),
    )
    .action(async function (this: Command, ...[sender, recipient, amount, key]: SignWords) {
      const { sign } = await import('../commands/sign.ts')
      await sign([sender, recipient, amount, key], this.opts<SignOptions>(), settingsOf(this))
    })
}

function addSendTx(bc: Command): void {
  withFields(bc.command('send-tx'))
    .description('Sends a signed transaction: of four words, from standard input, or asked for.')
    .usage('[options] [SENDER RECIPIENT AMOUNT SIGNATURE]')
    .argument('[SENDER]', 'address that pays')
    .argument('[RECIPIENT]', 'address that is paid')
    .argument('[AMOUNT]', 'coins, a whole number')
    .argument('[SIGNATURE]', 'what bc sign prints')
    .addHelpText(
      'after',
      examples(
        'bc send-tx $FROM $TO 5 $SIGNATURE',
        'bc send-tx < signed.json              one transaction, or one on each line',
        'bc send-tx                            asks, on a terminal',
      ),
    )
    .action(async function (this: Command) {
      const { sendTx } = await import('../commands/send-tx.ts')
      await sendTx(this.args, this.opts<SendOptions>(), settingsOf(this))
    })
}

function withFields(command: Command): Command {
  return command
    .option('--nonce <n>', "the sender's transactions before this one (default: the next)", wholeOption)
    .option('--fee <n>', 'coins for the miner (default: 0)', wholeOption)
    .option('--memo <text>', 'a note, at most 256 bytes')
}
