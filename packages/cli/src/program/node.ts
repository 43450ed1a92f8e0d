/** The commands that the tutorial knows of one node. */
import type { Command } from 'commander'
import { examples } from '../command-line/run.ts'
import { settingsOf, withNdjson } from '../settings/options.ts'

type NodeCommand = 'mine' | 'transactions' | 'status' | 'secret'

export function addNodeCommands(bc: Command): void {
  const add = (name: NodeCommand, description: string, ...lines: string[]) =>
    bc
      .command(name)
      .description(description)
      .addHelpText('after', examples(...lines))
      .action(async function (this: Command) {
        const commands = await import('../commands/ask-node.ts')
        await commands[name](settingsOf(this))
      })
  add(
    'mine',
    'Mines a block with the transactions that wait, and waits for it.',
    'bc mine',
    'bc mine | jq .index',
    'bc mine --node https://node.example --token @operator-token',
  )
  addChain(bc)
  withNdjson(
    add(
      'transactions',
      'Shows the transactions that wait for a block.',
      'bc transactions',
      'bc transactions | jq .length',
      'bc transactions --ndjson | head -3',
    ),
  )
  add('status', "Shows the chain's id, its height, and the node's address.", 'bc status', 'bc status | jq -r .address')
  add('secret', "Has the node show its secret on its own terminal; it isn't sent here.", 'bc secret')
}

function addChain(bc: Command): void {
  withNdjson(bc.command('chain'))
    .description('Shows every block.')
    .addHelpText(
      'after',
      examples(
        'bc chain',
        "bc chain | jq '.chain[-1].transactions'",
        'bc chain --ndjson > blocks.ndjson      a long chain, block by block',
      ),
    )
    .action(async function (this: Command) {
      const { chain } = await import('../commands/chain.ts')
      await chain(settingsOf(this))
    })
}
