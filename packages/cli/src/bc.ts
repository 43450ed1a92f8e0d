/**
 * The command `bc`. Each command's work is loaded when it is called, so that `bc sign` starts without an HTTP client
 * and `bc status` without a curve.
 */
import { Command } from 'commander'
import { withHeadings } from './heading.ts'
import { addNodeOptions } from './options.ts'
import { addChainCommands } from './program/chains.ts'
import { addDevCommands } from './program/dev.ts'
import { addExploreCommands } from './program/explore.ts'
import { addKeyCommands } from './program/keys.ts'
import { addLab } from './program/lab.ts'
import { addNeighbourCommands } from './program/neighbours.ts'
import { addNodeCommands } from './program/node.ts'
import { addPaymentCommands } from './program/payments.ts'
import { addSelfCommands } from './program/self.ts'
import { addTransactionCommands } from './program/transactions.ts'
import { addWatchCommands } from './program/watch.ts'
import { configured, examples, run, version } from './run.ts'

export function bc(args: readonly string[]): Promise<void> {
  return run(bcProgram(), args)
}

/** One of the commands as the tutorial knows it, by a name of its own and with its heading. */
export function client(name: string, args: readonly string[]): Promise<void> {
  return run(withHeadings(bcProgram()), [name, ...args])
}

/** All commands, declared: the completions and a test of every command walk through it. */
export function bcProgram(): Command {
  const bc = configured(new Command('bc'))
    .description('Drives a node of a small proof-of-work ledger: mine, sign, send, look.')
    .version(version(), '-V, --version', 'show the version')
  addNodeOptions(bc)
  bc.commandsGroup('The node:')
  addNodeCommands(bc)
  addWatchCommands(bc)
  bc.commandsGroup('The ledger:')
  addExploreCommands(bc)
  bc.commandsGroup('Its neighbours:')
  addNeighbourCommands(bc)
  bc.commandsGroup('Transactions:')
  addTransactionCommands(bc)
  addPaymentCommands(bc)
  bc.commandsGroup('The chain:')
  addChainCommands(bc)
  addKeyCommands(bc)
  bc.commandsGroup('A node in dev mode:')
  addDevCommands(bc)
  addLab(bc)
  bc.commandsGroup('Help:')
  addSelfCommands(bc)
  return bc.addHelpText('after', OVERVIEW)
}

const OVERVIEW = `${examples(
  'bc mine                                   mine a block',
  'bc key new alice                          make a key and keep it, encrypted',
  'bc pay $TO 5 --from alice                 make a transaction, sign and send it',
  'bc chain | jq .length                     in a pipe every result is JSON',
  'bc --node http://10.0.0.7:5001 status     ask another node',
)}

Exit codes: 0 done, 2 usage, 3 no node, 4 signature refused, 5 refused by a
rule, 1 anything else. KEY is the name of a stored key, 64 hex digits, - for
standard input, or @FILE.`
