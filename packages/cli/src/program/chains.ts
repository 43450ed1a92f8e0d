/** The commands about whole chains and what can be shown of them: checked, carried about, proven. */
import type { Hash } from '@bc/core'
import type { Command } from 'commander'
import { chainOption, countOption, idArgument } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import type { ExportOptions } from '../commands/export.ts'
import type { VerifyProofOptions } from '../commands/verify-proof.ts'
import type { ProveOptions } from '../receipt/fetch.ts'
import { settingsOf } from '../settings/options.ts'

export function addChainCommands(bc: Command): void {
  addVerify(bc)
  addExport(bc)
  addImport(bc)
  addProve(bc)
  addVerifyProof(bc)
}

function addVerify(bc: Command): void {
  bc.command('verify')
    .description('Checks every rule of a whole chain and names the first that it breaks, with the block.')
    .argument('[FILE|URL]', "a node's URL, a file, or - for standard input (default: the node)")
    .addHelpText(
      'after',
      `
A file holds what GET /chain answers, a list of blocks, or a block on each line
as bc export writes them. What is checked, and in which order, is what
scripts/audit.sh checks. Exit code: 0 valid, 5 a rule is broken, or 4 where that
is tx.signature.
${examples('bc verify', 'bc verify http://10.0.0.7:5000', 'bc export | bc verify -', 'bc verify chain.json | jq .tip')}`,
    )
    .action(async function (this: Command, source: string | undefined) {
      const { verify } = await import('../commands/verify.ts')
      await verify(source, settingsOf(this))
    })
}

function addExport(bc: Command): void {
  bc.command('export')
    .description('Writes the blocks of the chain, one on each line, exactly as they are hashed.')
    .option('--from <n>', 'index of the first block (default: 1)', countOption)
    .option('--to <n>', 'index of the last block (default: the newest)', countOption)
    .addHelpText(
      'after',
      examples(
        'bc export > chain.ndjson',
        'bc export --from 100 --to 200 | bc --node localhost:5002 import',
        "bc export --from 7 --to 7 | tr -d '\\n' | sha256sum",
      ),
    )
    .action(async function (this: Command) {
      const { exportChain } = await import('../commands/export.ts')
      await exportChain(this.opts<ExportOptions>(), settingsOf(this))
    })
}

function addImport(bc: Command): void {
  bc.command('import')
    .description('Hands blocks to the node, which checks each as any other; the first bad one ends it.')
    .argument('[FILE]', 'a block on each line, as bc export writes them; - for standard input', '-')
    .addHelpText(
      'after',
      `
It is the operator's: from this machine, or with --token.
${examples('bc import chain.ndjson', 'bc --node localhost:5001 export | bc import')}`,
    )
    .action(async function (this: Command, file: string) {
      const { importChain } = await import('../commands/import.ts')
      await importChain(file, settingsOf(this))
    })
}

function addProve(bc: Command): void {
  bc.command('prove')
    .description('Writes a receipt: the transaction, its way to its block, and the headers since.')
    .argument('<ID>', "the transaction's id", idArgument)
    .option('--confirmations <n>', "so many headers, its block's included (default: all)", countOption)
    .option('--full', 'all headers from genesis on, so that it shows its chain as well')
    .addHelpText(
      'after',
      examples(
        'bc prove $ID > receipt.json',
        'bc prove $ID --confirmations 6 > receipt.json',
        'bc prove $ID --full > receipt.json',
      ),
    )
    .action(async function (this: Command, id: Hash) {
      const { prove } = await import('../commands/prove.ts')
      await prove(id, this.opts<ProveOptions>(), settingsOf(this))
    })
}

function addVerifyProof(bc: Command): void {
  bc.command('verify-proof')
    .description('Checks a receipt without a node, and says what it shows and what it does not.')
    .argument('<FILE>', 'as bc prove writes it; - for standard input')
    .option('--chain <id>', 'refuse the receipt of another chain', chainOption)
    .option('--shell', 'print a script that checks it with jq, sha256sum and openssl')
    .addHelpText(
      'after',
      `
Checked are the signature, the branch to the block's Merkle root, and of every
header its order, its commitment and its seal; and of all headers (bc prove
--full) that they stand on the chain's genesis block, and the target of each:
without those a target is its miner's own word. Whether another chain has more
work no file can tell: with --node on the command line that node is asked.
${examples(
  'bc verify-proof receipt.json --chain $CHAIN',
  'bc verify-proof receipt.json --node http://10.0.0.7:5000',
  'bc verify-proof receipt.json --shell > check.sh && bash check.sh',
)}`,
    )
    .action(async function (this: Command, file: string) {
      const { verifyProof } = await import('../commands/verify-proof.ts')
      // The one of the environment is for other commands: a receipt is for people without a node.
      const askNode = this.getOptionValueSourceWithGlobals('node') === 'cli'
      await verifyProof(
        file,
        { ...this.opts<Pick<VerifyProofOptions, 'chain' | 'shell'>>(), askNode },
        settingsOf(this),
      )
    })
}
