/** The commands about keys. */
import type { Command } from 'commander'
import { wantsJson } from '../options.ts'
import { examples } from '../run.ts'

export function addKeyCommands(bc: Command): void {
  const key = bc.command('key').helpGroup('Keys:').description('Makes keys and reads them.')
  key.configureHelp({ ...key.configureHelp(), showGlobalOptions: false })
  key
    .command('new')
    .description('Makes a key and prints it; it is stored nowhere.')
    .option('--json', 'print {"address", "secret"} on a terminal too')
    .addHelpText('after', examples('bc key new', '(umask 077; bc key new --json > alice.json)'))
    .action(async function (this: Command) {
      const { newKey } = await import('../commands/key.ts')
      newKey(wantsJson(this))
    })
  key
    .command('address')
    .description('Prints the address that a secret is for.')
    .argument('<KEY>', 'secret: 64 hex digits, - for standard input or @FILE')
    .option('--json', 'print {"address"}')
    .addHelpText('after', examples('bc key address @alice.json', 'jq -r .secret alice.json | bc key address -'))
    .action(async function (this: Command, argument: string) {
      const { keyAddress } = await import('../commands/key.ts')
      await keyAddress(argument, wantsJson(this))
    })
}
