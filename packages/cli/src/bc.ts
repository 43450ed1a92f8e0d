/**
 * The command `bc`. Each command's work is loaded when it is called, so that `bc sign` starts without an HTTP client
 * and `bc status` without a curve.
 */
import { Command } from 'commander'
import { chainOption, wholeOption } from './arguments.ts'
import type { SendOptions } from './commands/send-tx.ts'
import type { SignOptions, SignWords } from './commands/sign.ts'
import { addNodeOptions, settingsOf, wantsJson } from './options.ts'
import { configured, examples, run, version } from './run.ts'

export function bc(args: readonly string[]): Promise<void> {
  return run(program(), args)
}

function program(): Command {
  const bc = configured(new Command('bc'))
    .description('Drives a node of a small proof-of-work ledger: mine, sign, send, look.')
    .version(version(), '-V, --version', 'show the version')
  addNodeOptions(bc)
  bc.commandsGroup('The node:')
  addNodeCommands(bc)
  bc.commandsGroup('Transactions:')
  addSign(bc)
  addSendTx(bc)
  addKeyCommands(bc)
  bc.commandsGroup('Help:').helpCommand('help [command]', 'Shows the help of a command.')
  return bc.addHelpText('after', OVERVIEW)
}

const OVERVIEW = `${examples(
  'bc mine                                   mine a block',
  'bc key new --json > alice.json            make a key',
  'bc sign $FROM $TO 5 @alice.json --json | bc send-tx',
  'bc chain | jq .length                     in a pipe every result is JSON',
  'bc --node http://10.0.0.7:5001 status     ask another node',
)}

Exit codes: 0 done, 2 usage, 3 no node, 4 signature refused, 5 refused by a
rule, 1 anything else. KEY is 64 hex digits, - for standard input or @FILE.`

type NodeCommand = 'mine' | 'chain' | 'transactions' | 'status' | 'secret'

function addNodeCommands(bc: Command): void {
  const add = (name: NodeCommand, description: string, ...lines: string[]) =>
    bc
      .command(name)
      .description(description)
      .addHelpText('after', examples(...lines))
      .action(async function (this: Command) {
        const commands = await import('./commands/ask-node.ts')
        await commands[name](settingsOf(this))
      })
  add(
    'mine',
    'Mines a block with the transactions that wait, and waits for it.',
    'bc mine',
    'bc mine | jq .index',
    'bc mine --node https://node.example --token @operator-token',
  )
  add('chain', 'Shows every block.', 'bc chain', "bc chain | jq '.chain[-1].transactions'")
  add(
    'transactions',
    'Shows the transactions that wait for a block.',
    'bc transactions',
    'bc transactions | jq .length',
  )
  add('status', "Shows the chain's id, its height, and the node's address.", 'bc status', 'bc status | jq -r .address')
  add('secret', "Has the node show its secret on its own terminal; it isn't sent here.", 'bc secret')
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
      const { sign } = await import('./commands/sign.ts')
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
      const { sendTx } = await import('./commands/send-tx.ts')
      await sendTx(this.args, this.opts<SendOptions>(), settingsOf(this))
    })
}

function withFields(command: Command): Command {
  return command
    .option('--nonce <n>', "the sender's transactions before this one (default: the next)", wholeOption)
    .option('--fee <n>', 'coins for the miner (default: 0)', wholeOption)
    .option('--memo <text>', 'a note, at most 256 bytes')
}

function addKeyCommands(bc: Command): void {
  const key = bc.command('key').helpGroup('Keys:').description('Makes keys and reads them.')
  key.configureHelp({ ...key.configureHelp(), showGlobalOptions: false })
  key
    .command('new')
    .description('Makes a key and prints it; it is stored nowhere.')
    .option('--json', 'print {"address", "secret"} on a terminal too')
    .addHelpText('after', examples('bc key new', '(umask 077; bc key new --json > alice.json)'))
    .action(async function (this: Command) {
      const { newKey } = await import('./commands/key.ts')
      newKey(wantsJson(this))
    })
  key
    .command('address')
    .description('Prints the address that a secret is for.')
    .argument('<KEY>', 'secret: 64 hex digits, - for standard input or @FILE')
    .option('--json', 'print {"address"}')
    .addHelpText('after', examples('bc key address @alice.json', 'jq -r .secret alice.json | bc key address -'))
    .action(async function (this: Command, argument: string) {
      const { keyAddress } = await import('./commands/key.ts')
      await keyAddress(argument, wantsJson(this))
    })
}
