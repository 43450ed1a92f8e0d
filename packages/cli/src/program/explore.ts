/** The commands that look things up. */
import { type Command, Option } from 'commander'
import { accountArgument, blockArgument, countOption, cursorOption, hashArgument } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import type { HistoryFlags } from '../commands/explore.ts'
import { keySourceOf, settingsOf, withKeys, withNdjson } from '../settings/options.ts'

export function addExploreCommands(bc: Command): void {
  bc.command('block')
    .description('Shows a block. In a pipe it is exactly what its hash is the SHA-256 of.')
    .argument('<BLOCK>', 'its index from 1, its hash, or latest')
    .addHelpText(
      'after',
      examples('bc block 2', 'bc block latest | sha256sum', "bc block latest | jq '.transactions | length'"),
    )
    .action(async function (this: Command, name: string) {
      const { block } = await import('../commands/explore.ts')
      await block(blockArgument(name), settingsOf(this))
    })
  bc.command('tx')
    .description('Shows a transaction, waiting or confirmed.')
    .argument('<ID>', 'its id: 64 hex digits, as bc send-tx prints it')
    .addHelpText('after', examples('bc tx $ID', 'bc tx $ID | jq .block.confirmations'))
    .action(async function (this: Command, id: string) {
      const { transaction } = await import('../commands/explore.ts')
      await transaction(hashArgument(id), settingsOf(this))
    })
  withKeys(bc.command('account'))
    .description("Shows an address's balance and its next nonce.")
    .argument('<ADDRESS>', 'an address, or the name of a stored key')
    .addHelpText('after', examples('bc account $ADDRESS', 'bc account alice | jq .balance'))
    .action(async function (this: Command, address: string) {
      const { account } = await import('../commands/explore.ts')
      await account(await accountArgument('ADDRESS', address, keySourceOf(this)), settingsOf(this))
    })
  addHistory(bc)
}

function addHistory(bc: Command): void {
  withKeys(withNdjson(bc.command('history')))
    .description("Shows an address's confirmed transactions, newest first.")
    .argument('<ADDRESS>', 'an address, or the name of a stored key')
    .option('--limit <n>', 'at most this many (default: 50)', countOption)
    .addOption(new Option('--all', 'all of them').conflicts('limit'))
    .option('--before <cursor>', 'go on where the last answer ended: its .next', cursorOption)
    .addHelpText(
      'after',
      examples('bc history alice', 'bc history $ADDRESS --all --ndjson | jq -r .id', 'bc history $ADDRESS --limit 5'),
    )
    .action(async function (this: Command, address: string) {
      const { history } = await import('../commands/explore.ts')
      const owner = await accountArgument('ADDRESS', address, keySourceOf(this))
      await history(owner, this.opts<HistoryFlags>(), settingsOf(this))
    })
}
