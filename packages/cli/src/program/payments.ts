/** The commands that make a transaction without the secret at hand. */
import type { Command } from 'commander'
import { chainOption } from '../arguments.ts'
import type { SignOptions } from '../commands/sign.ts'
import { keySourceOf, settingsOf, withKeys } from '../options.ts'
import { examples } from '../run.ts'
import { withFields } from './transactions.ts'

export function addPaymentCommands(bc: Command): void {
  addDraft(bc)
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
      await draft([sender, recipient, amount], this.opts<SignOptions>(), keySourceOf(this), settingsOf(this))
    })
}
