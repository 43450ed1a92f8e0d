/**
 * The command `bc`. Each command's work is loaded when it is called, so that `bc sign` starts without an HTTP client
 * and `bc status` without a curve.
 */
import { Command } from 'commander'
import { withHeadings } from './command-line/heading.ts'
import { configured, examples, run, version } from './command-line/run.ts'
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
import { addNodeOptions } from './settings/options.ts'

export function bc(args: readonly string[]): Promise<void> {
  return run(bcProgram(args[0]), args)
}

/** One of the commands as the tutorial knows it, by a name of its own and with its heading. */
export function client(name: string, args: readonly string[]): Promise<void> {
  return run(withHeadings(bcProgram(name)), [name, ...args])
}

interface Group {
  readonly title: string
  /** Those that need no other group: a command that is missing here only starts later. */
  readonly commands: readonly string[]
  add(bc: Command): void
}

/** In the order of the help. */
const GROUPS: readonly Group[] = [
  { title: 'The node:', commands: ['mine', 'chain', 'transactions', 'status', 'secret'], add: addNodeCommands },
  { title: 'The node:', commands: ['watch', 'wait'], add: addWatchCommands },
  { title: 'The ledger:', commands: ['block', 'tx', 'account', 'history'], add: addExploreCommands },
  { title: 'Its neighbours:', commands: ['nodes', 'register', 'resolve'], add: addNeighbourCommands },
  { title: 'Transactions:', commands: ['sign', 'send-tx'], add: addTransactionCommands },
  { title: 'Transactions:', commands: ['draft', 'pay'], add: addPaymentCommands },
  { title: 'The chain:', commands: ['verify', 'export', 'import', 'prove', 'verify-proof'], add: addChainCommands },
  { title: 'Keys:', commands: ['key'], add: addKeyCommands },
  { title: 'A node in dev mode:', commands: ['snapshot', 'revert', 'time', 'fund'], add: addDevCommands },
  { title: 'Experiments:', commands: ['lab'], add: addLab },
  // The completions and the help know all others.
  { title: 'Help:', commands: [], add: addSelfCommands },
]

/**
 * All commands, declared: the completions and a test of every command walk through it.
 * @param asked where it is the name of a command, the others that it doesn't need are left out: forty take 3 ms
 */
export function bcProgram(asked?: string): Command {
  const bc = configured(new Command('bc'))
    .description('Drives a node of a small proof-of-work ledger: mine, sign, send, look.')
    .version(version(), '-V, --version', 'show the version')
  addNodeOptions(bc)
  const only = GROUPS.find(({ commands }) => asked !== undefined && commands.includes(asked))
  for (const { title, add } of only ? [only] : GROUPS) add(bc.commandsGroup(title))
  return bc.addHelpText('after', OVERVIEW)
}

const OVERVIEW = `${examples(
  'bc mine                                   mine a block',
  'bc key new alice                          make a key and keep it, encrypted',
  'bc pay $TO 5 --from alice                 make a transaction, sign and send it',
  'bc chain | jq .length                     in a pipe: JSON, or one word',
  'bc --node http://10.0.0.7:5001 status     ask another node',
)}

Exit codes: 0 done, 2 usage, 3 no node, 4 signature refused, 5 refused by a
rule, 1 anything else. KEY is the name of a stored key, 64 hex digits, - for
standard input, or @FILE.`
