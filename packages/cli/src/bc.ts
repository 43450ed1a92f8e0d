/**
 * The command `bc`. Each command's work is loaded when it is called, so that `bc sign` starts without an HTTP client
 * and `bc status` without a curve.
 */
import { Argument, Command } from 'commander'
import { chainOption, labNodesOption, wholeOption } from './arguments.ts'
import type { LabFlags } from './commands/lab.ts'
import type { SendOptions } from './commands/send-tx.ts'
import type { SignOptions, SignWords } from './commands/sign.ts'
import type { ScenarioName } from './lab/scenarios.ts'
import { addNodeOptions, seconds, settingsOf, timeoutOf, wantsJson } from './options.ts'
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
  bc.commandsGroup('Its neighbours:')
  addNeighbourCommands(bc)
  bc.commandsGroup('Transactions:')
  addSign(bc)
  addSendTx(bc)
  addKeyCommands(bc)
  addLab(bc)
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

function addNeighbourCommands(bc: Command): void {
  bc.command('nodes')
    .description('Lists the neighbours: the nodes that were registered.')
    .addHelpText('after', examples('bc nodes', "bc nodes | jq -r '.nodes[]'"))
    .action(async function (this: Command) {
      const { nodes } = await import('./commands/neighbours.ts')
      await nodes(settingsOf(this))
    })
  bc.command('register')
    .description('Has the node meet other nodes and keep them as neighbours: all of them or none.')
    .argument('<NODE...>', "host:port, http://host:port, or a multiaddress of a node's status")
    .addHelpText(
      'after',
      examples(
        'bc register localhost:5002',
        'bc register http://10.0.0.7:5001 10.0.0.8:5001',
        'bc register /ip4/10.0.0.7/tcp/4001/p2p/12D3KooW…',
      ),
    )
    .action(async function (this: Command, addresses: readonly string[]) {
      const { register } = await import('./commands/neighbours.ts')
      await register(addresses, settingsOf(this))
    })
  bc.command('resolve')
    .description('Has the node catch up with everybody now, and says whether its chain was replaced.')
    .addHelpText('after', examples('bc resolve', 'bc resolve | jq -r .message'))
    .action(async function (this: Command) {
      const { resolve } = await import('./commands/neighbours.ts')
      await resolve(settingsOf(this))
    })
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

function addLab(bc: Command): void {
  const lab = bc.command('lab').helpGroup('Experiments:')
  // Its nodes are its own: of the options for a node it has two, and they mean a little more.
  lab.configureHelp({ ...lab.configureHelp(), showGlobalOptions: false })
  lab
    .description('Starts a network of nodes on this machine, has something happen to it, and checks that all agree.')
    .addArgument(
      new Argument('<SCENARIO>', 'what happens').choices(['mine', 'partition', 'double-spend', '51', 'churn']),
    )
    .option('--nodes <n>', 'how many nodes, each a process of its own', labNodesOption, 5)
    .option('--seed <n>', 'of all that is left to chance', wholeOption, 1 as ReturnType<typeof wholeOption>)
    .option('--timeout <seconds>', 'give up where something takes longer than this (default: 60)', seconds)
    .option('--save <file>', 'write the chain that they agree on, as GET /chain answers it')
    .option('--logs <dir>', 'keep what the nodes log there')
    .option('--json', 'print events as JSON, one a line, on a terminal too')
    .addHelpText(
      'after',
      `${LAB_SCENARIOS}\n${examples('bc lab partition', 'bc lab 51 --nodes 3 --seed 7', 'bc lab churn | jq .event')}`,
    )
    .action(async function (this: Command, scenario: ScenarioName) {
      const { lab } = await import('./commands/lab.ts')
      await lab(scenario, this.opts<LabFlags>(), { json: wantsJson(this), timeout: timeoutOf(this) })
    })
}

const LAB_SCENARIOS = `
Scenarios:
  mine          every node mines in turn, and all follow
  partition     a split in two, blocks on both sides, and the split heals
  double-spend  the same coins are spent on both sides of a split
  51            a private chain of one node overtakes the public one
  churn         nodes are killed and restarted while others mine

In the end all nodes must have one newest block, the same balances and the right
supply, and scripts/audit.sh must accept the chain: exit code 0, otherwise 1.`
