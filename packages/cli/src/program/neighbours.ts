/** The commands about the node's neighbours. */
import type { Command } from 'commander'
import { examples } from '../command-line/run.ts'
import { settingsOf, withNdjson } from '../settings/options.ts'

export function addNeighbourCommands(bc: Command): void {
  withNdjson(bc.command('nodes'))
    .description('Lists the neighbours: the nodes that were registered.')
    .addHelpText('after', examples('bc nodes', "bc nodes | jq -r '.nodes[]'", 'bc nodes --ndjson | head -1'))
    .action(async function (this: Command) {
      const { nodes } = await import('../commands/neighbours.ts')
      await nodes(settingsOf(this))
    })
  bc.command('register')
    .description('Has the node meet other nodes and keep them as neighbours: all of them or none.')
    .usage('[options] <NODE...>')
    .argument('[NODE...]', "host:port, http://host:port, or a multiaddress of a node's status")
    .addHelpText(
      'after',
      examples(
        'bc register localhost:5002',
        'bc register http://10.0.0.7:5001 10.0.0.8:5001',
        'bc register /ip4/10.0.0.7/tcp/4001/p2p/12D3KooW…',
        'bc register                           asks, on a terminal',
      ),
    )
    .action(async function (this: Command, addresses: readonly string[]) {
      const { register } = await import('../commands/neighbours.ts')
      await register(addresses, settingsOf(this))
    })
  bc.command('resolve')
    .description('Has the node catch up with everybody now, and says whether its chain was replaced.')
    .addHelpText('after', examples('bc resolve', 'bc resolve | jq -r .message'))
    .action(async function (this: Command) {
      const { resolve } = await import('../commands/neighbours.ts')
      await resolve(settingsOf(this))
    })
}
