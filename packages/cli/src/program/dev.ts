/** The commands for a node that was started with --dev. */
import type { Command } from 'commander'
import { accountArgument } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import { keySourceOf, settingsOf, withKeys } from '../settings/options.ts'

export function addDevCommands(bc: Command): void {
  bc.command('snapshot')
    .description('Remembers the chain, the pool and the clock, and prints a number to come back to them.')
    .addHelpText('after', examples('bc snapshot', 'ID=$(bc snapshot)'))
    .action(async function (this: Command) {
      const { snapshot } = await import('../commands/dev.ts')
      await snapshot(settingsOf(this))
    })
  bc.command('revert')
    .description('Goes back to a snapshot: later ones are gone, and this one can be used again.')
    .argument('<ID>', 'what bc snapshot has printed')
    .addHelpText('after', examples('bc revert 1', 'bc revert $ID | jq .height'))
    .action(async function (this: Command, id: string) {
      const { revert } = await import('../commands/dev.ts')
      await revert(id, settingsOf(this))
    })
  bc.command('time')
    .description('Prints what the clock shows, which is the timestamp of the next block, or moves it ahead.')
    .argument('[WHEN]', '+SECONDS, or a time in Unix seconds')
    .addHelpText(
      'after',
      examples('bc time', 'bc time +3600', 'bc time $(date +%s)        from now on as by this machine'),
    )
    .action(async function (this: Command, when: string | undefined) {
      const { time } = await import('../commands/dev.ts')
      await time(when, settingsOf(this))
    })
  withKeys(bc.command('fund'))
    .description('Has the faucet pay an address. The payment is in a block when this returns.')
    .argument('<ADDRESS>', 'an address, or the name of a stored key')
    .argument('[AMOUNT]', 'coins, a whole number (default: 1000)')
    .addHelpText('after', examples('bc fund $ADDRESS', 'bc fund alice 5 | jq -r .id'))
    .action(async function (this: Command, address: string, amount: string | undefined) {
      const { fund } = await import('../commands/dev.ts')
      await fund(await accountArgument('ADDRESS', address, keySourceOf(this)), amount, settingsOf(this))
    })
}
