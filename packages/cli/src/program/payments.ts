/** The commands that make a transaction without the secret at hand, or that do all of it at once. */
import type { Command } from 'commander'
import { chainOption, countOption, wholeOption } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import type { PayOptions } from '../commands/pay.ts'
import type { TransactionOptions } from '../payment/transaction-fields.ts'
import { keySourceOf, settingsOf, withKeys, withPassphrase } from '../settings/options.ts'
import { KEY_FORMS } from './keys.ts'
import { withFields } from './transactions.ts'

export function addPaymentCommands(bc: Command): void {
  addPay(bc)
  addDraft(bc)
}

function addPay(bc: Command): void {
  withPassphrase(bc.command('pay'))
    .description('Pays: makes a transaction, signs it and sends it.')
    .argument('<RECIPIENT>', 'address or key name that is paid')
    .argument('<AMOUNT>', 'coins, a whole number')
    .option('--from <KEY>', `${KEY_FORMS} (default: BC_KEY, or the only stored key)`)
    .option('--fee <n>', 'coins for the miner (default: 0)', wholeOption)
    .option('--memo <text>', 'a note, at most 256 bytes')
    .option('--wait [confirmations]', 'wait until it is in a block, or under so many; --timeout ends it', countOption)
    .addHelpText(
      'after',
      examples('bc pay $TO 5', 'bc pay bob 5 --from alice --memo lunch', 'bc pay $TO 5 --wait 3 --timeout 600'),
    )
    .action(async function (this: Command, recipient: string, amount: string) {
      const { pay } = await import('../commands/pay.ts')
      await pay([recipient, amount], this.opts<PayOptions>(), keySourceOf(this), settingsOf(this))
    })
}

function addDraft(bc: Command): void {
  withKeys(withFields(bc.command('draft')))
    .description('Prints a transaction that is still to be signed, maybe on a machine without a network.')
    .argument('<SENDER>', 'address or key name that pays')
    .argument('<RECIPIENT>', 'address or key name that is paid')
    .argument('<AMOUNT>', 'coins, a whole number')
    .option('--chain <id>', 'the chain it is for; with --nonce no node is asked', chainOption)
    .addHelpText(
      'after',
      examples(
        'bc draft $FROM $TO 5 > tx.json                   where the node is',
        'bc sign tx.json --key alice > signed.json        where the key is',
        'bc send-tx < signed.json                         where the node is',
      ),
    )
    .action(async function (this: Command, sender: string, recipient: string, amount: string) {
      const { draft } = await import('../commands/draft.ts')
      await draft([sender, recipient, amount], this.opts<TransactionOptions>(), keySourceOf(this), settingsOf(this))
    })
}
