/** The command `bc-node`: one node in the foreground. The node itself is loaded once the words are understood. */
import { fileURLToPath } from 'node:url'
import { parsePeerAddress } from '@bc/node/peer-address'
import { Command, InvalidArgumentError, Option } from 'commander'
import { wholeOption } from './command-line/arguments.ts'
import { configured, examples, run, version } from './command-line/run.ts'
import type { NodeFlags } from './commands/run-node.ts'
import { outliveReader } from './terminal/output.ts'

const SHIPPED_CONFIG = fileURLToPath(new URL('../../../config.json', import.meta.url))
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

export function bcNode(args: readonly string[]): Promise<void> {
  // Whoever read the first line of our output and left doesn't want the node to stop.
  outliveReader()
  return run(bcNodeProgram(), args)
}

/** Also what the completions are made of. */
export function bcNodeProgram(): Command {
  return configured(new Command('bc-node'))
    .description('Runs a node: it keeps the chain, takes transactions and mines when asked.')
    .version(version(), '-V, --version', 'show the version')
    .option('-p, --port <n>', 'port to listen on; 0 picks a free one (default: of the config)', port)
    .option('--host <host>', 'address to listen on (default: of the config)')
    .option('--data-dir <dir>', "where it keeps its chain and key (default: the platform's data folder, by port)")
    .addOption(
      new Option('--ephemeral', 'keep everything in memory; it is gone when it stops').conflicts(['dataDir', 'repair']),
    )
    .addOption(
      new Option('--dev', 'a chain of its own for CI and classes: see below').conflicts([
        ...['dataDir', 'config', 'mine', 'peer', 'p2pPort', 'repair'],
      ]),
    )
    .option('--seed <n>', 'what all keys and hashes of a --dev node follow from (default: 1)', wholeOption)
    .option('--config <file>', 'JSON whose fields stand in for those of config.json')
    .option('--mine', 'mine on and on')
    .option('--peer <address>', 'another node to talk to, as its multiaddress; again for more', another)
    .option('--p2p-port <n>', 'port for other nodes (default: any free one)', port)
    .option('--no-discovery', "don't look for other nodes on the local network")
    .option('--repair', 'rebuild what is damaged in the data folder from the blocks that are whole')
    .option('--ready-file <file>', 'written when it listens: JSON with url, pid and chain; removed when it stops')
    .addOption(new Option('--log-level <level>', 'how much to log, to stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText(
      'after',
      examples(
        'bc-node                                  the chain of config.json on port 5000',
        'bc-node -p 5001 --mine',
        "bc-node -p 5002 --peer $(bc --node localhost:5001 status | jq -r '.p2p[0]')",
        'bc-node -p 0 --ephemeral --ready-file ready.json &',
        'bc-node -p 0 --dev --seed 7 --ready-file ready.json &',
      ),
    )
    .addHelpText('after', DEV_MODE)
    .action(async (flags: NodeFlags) => {
      const { runNode } = await import('./commands/run-node.ts')
      await runNode(flags, SHIPPED_CONFIG)
    })
}

const DEV_MODE = `
--dev: all in memory, difficulty 1, nobody else on the chain, this machine only.
Ten accounts have coins; their secrets are shown, and in the ready file. Every
transaction gets a block before it is answered, unless one with the nonce before
it is missing: then it waits for that. The clock stands still but for a second a
block; bc time moves it. The same seed and the same commands make the same
hashes. bc snapshot, revert, time and fund work with such a node alone.`

/** Whether it leads anywhere is for the network to find out. */
function another(address: string, before: readonly string[] = []): string[] {
  if (parsePeerAddress(address) === undefined)
    throw new InvalidArgumentError(
      "A peer's address is one of the p2p of its status: /ip4/10.0.0.7/tcp/4001/p2p/12D3….",
    )
  return [...before, address]
}

const PORT = /^(0|[1-9][0-9]{0,4})$/

function port(text: string): number {
  if (PORT.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}
