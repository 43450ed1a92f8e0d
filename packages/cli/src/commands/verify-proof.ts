/** What a receipt shows, without a node; with one, whether that one agrees. */
import { DEFAULT_JSON_LIMITS, type Hash, type JsonObject, parseJson, RuleError } from '@bc/core'
import { bestVerifier } from '@bc/wallet'
import { connect } from '../client/client.ts'
import { wholeOf } from '../client/http-stream.ts'
import { MOST_HELD_BYTES } from '../client/pages.ts'
import { Refusal, usage } from '../failure.ts'
import { checkReceipt, type ReceiptReport } from '../receipt/receipt.ts'
import { shellCheck } from '../receipt/shell.ts'
import type { Settings } from '../settings/options.ts'
import { described } from '../terminal/described.ts'
import { longInput } from '../terminal/input.ts'
import { print, printResult } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { counted, rows, utc } from '../terminal/text.ts'

export interface VerifyProofOptions {
  /** The chain that it must be of. */
  readonly chain?: Hash
  readonly shell?: true
  /** Whether a node was named on the command line. */
  readonly askNode: boolean
}

export async function verifyProof(file: string, options: VerifyProofOptions, settings: Settings): Promise<void> {
  if (options.shell) return print(shellFor(file, options.chain))
  const text = await wholeOf(longInput(file), MOST_HELD_BYTES + 1)
  const report = checkReceipt(parseJson(text, { ...DEFAULT_JSON_LIMITS, maxBytes: MOST_HELD_BYTES }), bestVerifier())
  if (options.chain !== undefined && report.chain !== options.chain)
    throw new RuleError('block.genesis', `The receipt is of the chain ${report.chain}.`)
  const node = options.askNode ? await compareWith(settings, report) : undefined
  const result = { valid: true, ...report, ...(node && { node }) }
  printResult(result, settings.json, (width) => readableReport(report, node, settings, width))
}

function shellFor(file: string, chain: Hash | undefined): string {
  // Run by `bc … | bash` it would read itself.
  if (file === '-') throw usage('--shell needs the name of a FILE: standard input may be the script itself.')
  return shellCheck(file, chain)
}

interface NodeAgrees {
  /** Blocks from the receipt's to the node's newest, both counted. */
  readonly confirmations: number
  /** Attempts that its whole chain stands for. */
  readonly work: string
}

/** @throws Refusal where the node is on another chain, or has another block in that place */
async function compareWith(settings: Settings, { chain, index, proof }: ReceiptReport): Promise<NodeAgrees> {
  const status = await connect(settings).status()
  if (status.chain !== chain)
    throw new Refusal('block.genesis', `${settings.node.origin} is on the chain ${status.chain}, not on the receipt's.`)
  const [header] = (await connect(settings).headers(index, 1)).headers
  if (header === undefined || header.proof !== proof) {
    const there = header === undefined ? 'has no block in that place yet' : 'has another block in that place'
    throw new Refusal('block.previous_hash', `${settings.node.origin} ${there}: the receipt is not of its chain.`)
  }
  return { confirmations: status.height - index + 1, work: status.work }
}

function readableReport(report: ReceiptReport, node: NodeAgrees | undefined, { node: url }: Settings, width: number) {
  const { transaction, index, confirmations, work, steps, full, chain } = report
  const reward = transaction.sender === '0'
  const shows: [string, string][] = [
    [
      'Transaction',
      reward ? `a reward of ${amountOf(transaction)}` : `${amountOf(transaction)}, signed by its sender for this chain`,
    ],
    ['In block', `${index}: ${steps === 1 ? '1 hash leads' : `${steps} hashes lead`} to its Merkle root`],
    ['Since', `${utc(report.timestamp)}, by its miner's clock`],
    ['Work on it', `${work} attempts in ${counted(confirmations, 'block')}, its own included`],
  ]
  if (full) shows.push(['Chain', "its headers start with the genesis block, and every target is the rules'"])
  if (node) shows.push(['Node', `${url.origin} has this block: ${counted(node.confirmations, 'confirmation')}`])
  const open: [string, string][] = []
  if (!node) open.push(['Best chain', 'whether another has more work: --node URL asks one'])
  if (!full)
    open.push(['Genesis', "whether it stands on that genesis block, and its targets are the rules': bc prove --full"])
  const due = reward ? 'this amount was due' : 'this nonce was the next one and the balance covered it'
  open.push(['The rest', `whether ${due}, and the rest of the block keeps the rules: bc verify`])
  const ids: [string, string][] = [
    ['Id', report.id],
    ['Chain', chain],
    ['Sender', printable(transaction.sender)],
    ['Recipient', printable(transaction.recipient)],
  ]
  if (transaction.memo !== undefined) ids.push(['Memo', printable(transaction.memo)])
  return `${rows(ids, width)}\n\nIt shows:\n\n${described(shows, width)}\n\nIt can't show:\n\n${described(open, width)}\n\nvalid`
}

function amountOf({ amount, fee }: JsonObject): string {
  return fee === undefined ? String(amount) : `${amount} and a fee of ${fee}`
}
