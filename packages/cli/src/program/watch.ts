/** The commands that listen to a node. */
import { Argument, type Command } from 'commander'
import { countOption, idArgument } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import type { WaitOptions } from '../commands/wait.ts'
import { seconds, settingsOf } from '../settings/options.ts'

export function addWatchCommands(bc: Command): void {
  bc.command('watch')
    .description('Shows what happens as it happens: no block is left out, none comes twice.')
    .addArgument(
      new Argument('[WHAT]', 'blocks, or transactions: waiting, confirmed and dropped (default: everything)').choices([
        'blocks',
        'transactions',
      ]),
    )
    .option('--from <n>', 'begin with block N of the chain (default: with the next new one)', countOption)
    .addHelpText(
      'after',
      `${WATCH_NOTES}\n${examples(
        'bc watch',
        'bc watch blocks --from 1 | jq -r .hash',
        'bc watch transactions | jq \'select(.status == "confirmed")\'',
      )}`,
    )
    .action(async function (this: Command, what: 'blocks' | 'transactions' | undefined) {
      const { watch } = await import('../commands/watch.ts')
      await watch(what ?? 'everything', this.opts<{ from?: number }>().from, settingsOf(this))
    })
  addWait(bc)
}

function addWait(bc: Command): void {
  const wait = bc.command('wait')
  // Its own --timeout is of the whole waiting, and not of an answer.
  const visibleGlobalOptions = () => bc.options.filter(({ hidden, long }) => !hidden && long !== '--timeout')
  wait.configureHelp({ ...wait.configureHelp(), visibleGlobalOptions })
  wait
    .description('Waits until something is so, and shows the status or the transaction then.')
    .option('--height <n>', 'the chain has this height', countOption)
    .option('--tx <id>', 'the transaction is in a block', idArgument)
    .option('--confirmations <n>', 'with --tx: blocks from its own on (default: 1)', countOption)
    .option('--ready', 'the node answers; it need not be there yet')
    .option('--timeout <seconds>', 'give up after this long (default: never)', seconds)
    .addHelpText(
      'after',
      `${WAIT_NOTES}\n${examples(
        'bc wait --ready --timeout 10',
        'bc wait --height 100 | jq -r .tip',
        'bc wait --tx $ID --confirmations 6 --timeout 600',
      )}`,
    )
    .action(async function (this: Command) {
      const { wait } = await import('../commands/wait.ts')
      await wait(this.opts<WaitOptions>(), settingsOf(this))
    })
}

const WATCH_NOTES = `
In a pipe each line is JSON, and "event" says what it is: block, transaction,
reorganisation (with the abandoned blocks; the adopted ones follow), peer, or
missed: the connection was lost for so long that transactions came and went
unseen. A lost connection is made again, and what was missed is made up for.
It goes on until it is ended, which --timeout doesn't do: timeout 60 bc watch.`

const WAIT_NOTES = `
The exit code is 0 once it is so; 1 when the time is up, or the node has the
transaction no more; 3 where no node is there, but for --ready.`
