/** Looking things up: one block, one transaction, an account and what it has done. */
import { type Address, type Block, canonicalJson, type Hash, hashOf } from '@bc/core'
import type { AnyBlockAnswer, HistoryAnswer } from '@bc/node'
import { connect, type NodeClient } from '../client/client.ts'
import { HeldItems } from '../client/pages.ts'
import { CliError } from '../failure.ts'
import { readableAccount, readableBlock, readableHistory, readableTransaction } from '../readable/ledger.ts'
import type { Settings } from '../settings/options.ts'
import { listForm, note, printLines, printResult, terminalWidth } from '../terminal/output.ts'

/** An index from 1, a hash or the newest one. */
export type BlockName = number | Hash | 'latest'

/**
 * A program gets exactly what the node has sent, without a line's end: its SHA-256 is the block's hash, and
 * `bc block 2 | sha256sum` shows it.
 */
export async function block(name: BlockName, settings: Settings): Promise<void> {
  const node = connect(settings)
  const found = await node.block(name)
  const hash = hashOf(found as unknown as Block)
  checkName(name, found, hash)
  if (process.stdout.isTTY) {
    const confirmations = settings.json ? undefined : await confirmationsOf(found.index, hash, node)
    printResult(found, settings.json, (width) => readableBlock(found, confirmations, width))
  } else process.stdout.write(canonicalJson(found as never))
}

/** A block says itself whether it is the one that was asked for. */
function checkName(name: BlockName, { index }: AnyBlockAnswer, hash: Hash): void {
  const asked = typeof name === 'number' ? index === name : name === 'latest' || hash === name
  if (!asked) throw new CliError('cli.answer', `the node answers with another block than ${name}: is that a node?`)
}

/** @returns undefined for a block that the main chain has left */
async function confirmationsOf(index: number, hash: Hash, node: NodeClient): Promise<number | undefined> {
  const [{ headers }, { height }] = await Promise.all([node.headers(index, 1), node.status()])
  return headers[0]?.hash === hash ? Math.max(1, height - index + 1) : undefined
}

export async function transaction(id: Hash, settings: Settings): Promise<void> {
  const found = await connect(settings).transaction(id)
  printResult(found, settings.json, (width) => readableTransaction(found, width))
}

export async function account(address: Address, settings: Settings): Promise<void> {
  const found = await connect(settings).account(address)
  printResult(found, settings.json, (width) => readableAccount(found, width))
}

/** As many as a screen or two holds. */
const USUAL_LIMIT = 50
/** What a node sends at most at once. */
const PAGE = 1000

export interface HistoryFlags {
  readonly limit?: number
  readonly all?: true
  /** A page's `next`. */
  readonly before?: string
}

export async function history(address: Address, flags: HistoryFlags, settings: Settings): Promise<void> {
  const form = listForm(settings)
  const more = `${settings.node.origin} has more of them than can be held: --ndjson prints them as they come.`
  const found = new HeldItems<HistoryAnswer['transactions'][number]>(more)
  let next: string | null = null
  for await (const page of historyPages(address, flags, connect(settings))) {
    if (form === 'lines') await printLines(page.transactions)
    else found.add(page.transactions)
    next = page.next
  }
  if (form === 'document') printResult({ transactions: found.items, next }, true, () => '')
  if (form === 'table') process.stdout.write(`${readableHistory(address, found.items, terminalWidth())}\n`)
  if (next !== null) note(`there are more: --limit N or --all shows them, or go on with --before ${next}`)
}

/** Newest first, page by page, no more than are wanted. */
async function* historyPages(
  address: Address,
  { limit = USUAL_LIMIT, all, before }: HistoryFlags,
  node: NodeClient,
): AsyncGenerator<HistoryAnswer> {
  let left = all ? Number.POSITIVE_INFINITY : limit
  let from = before
  do {
    const page = await node.history(address, Math.min(left, PAGE), from)
    yield page
    left -= page.transactions.length
    if (page.next === null) return
    from = page.next
  } while (left > 0)
}
