/** Blocks, transactions and accounts as people read them on a terminal. Nothing here is meant to be parsed. */
import { type Block, canonicalJson, hashOf } from '@bc/core'
import type { AccountAnswer, AnyBlockAnswer, FoundTransactionAnswer, HistoryAnswer, WaitingAnswer } from '@bc/node'
import { printable } from '../terminal/printable.ts'
import { type Column, footnote, table } from '../terminal/table.ts'
import { counted, type Entry, rows, shortAddress, shortHash, time, utc } from '../terminal/text.ts'
import { isReward, type Listed } from './answers.ts'

function memoOf(transaction: Listed): string {
  return 'memo' in transaction && typeof transaction.memo === 'string' ? printable(transaction.memo) : ''
}

function payerOf(transaction: Listed, width: number): string {
  return isReward(transaction) ? 'reward' : shortAddress(transaction.sender, width)
}

function feeOf(transaction: Listed): string {
  return 'fee' in transaction ? String(transaction.fee) : ''
}

export const CHAIN_COLUMNS: readonly Column[] = [
  { name: 'Block', align: 'right' },
  { name: 'Txs', align: 'right', expendable: 1 },
  { name: 'Reward', align: 'right', expendable: 2 },
  { name: 'Time (UTC)', expendable: 3 },
  { name: 'Hash' },
  { name: 'Miner', expendable: 4 },
]

export function chainLine(block: AnyBlockAnswer, hash: string, width: number): readonly string[] {
  const reward = block.transactions.find(isReward)
  return [
    String(block.index),
    String(block.transactions.length - (reward ? 1 : 0)),
    reward ? String(reward.amount) : '',
    time(block.timestamp),
    shortHash(hash, width),
    reward ? shortAddress(reward.recipient, width) : '',
  ]
}

const POOL_COLUMNS: readonly Column[] = [
  { name: 'Nonce', align: 'right', expendable: 1 },
  { name: 'Amount', align: 'right' },
  { name: 'Fee', align: 'right', expendable: 2 },
  { name: 'Sender' },
  { name: 'Recipient' },
  { name: 'Memo', cut: true, expendable: 3 },
]

export function readablePool({ transactions }: WaitingAnswer, width: number): string {
  if (transactions.length === 0) return 'No transactions are waiting.'
  const lines = transactions.map((transaction) => [
    ...[transaction.nonce, transaction.amount, transaction.fee].map(String),
    shortAddress(transaction.sender, width),
    shortAddress(transaction.recipient, width),
    memoOf(transaction),
  ])
  return listed(POOL_COLUMNS, lines, 'transaction', width)
}

function listed(
  columns: readonly Column[],
  lines: readonly (readonly string[])[],
  noun: string,
  width: number,
): string {
  const { text, omitted } = table(columns, lines, width)
  return `${text}\n\n${footnote(counted(lines.length, noun), omitted, width)}`
}

const BLOCK_COLUMNS: readonly Column[] = [
  { name: '#', align: 'right', expendable: 3 },
  { name: 'Amount', align: 'right' },
  { name: 'Fee', align: 'right', expendable: 1 },
  { name: 'Nonce', align: 'right', expendable: 4 },
  { name: 'Sender' },
  { name: 'Recipient' },
  { name: 'Memo', cut: true, expendable: 2 },
]

/** @param confirmations undefined for a block that is not on the main chain */
export function readableBlock(block: AnyBlockAnswer, confirmations: number | undefined, width: number): string {
  const entries: readonly Entry[] = [
    ['Block', block.index],
    ['Confirmations', confirmations ?? 'none: not on the main chain'],
    ['Time', utc(block.timestamp)],
    ['Size', counted(canonicalJson(block).length, 'byte')],
    ['Hash', hashOf(block as unknown as Block)],
    ['Previous hash', block.previous_hash],
    ['Merkle root', block.merkle_root],
    ['Target', block.target],
    ['Proof', block.proof],
    ...rulesOf(block),
  ]
  return `${rows(entries, width)}\n\n${transactionsOf(block, width)}`
}

/** The genesis block holds the chain's rules. */
function rulesOf(block: AnyBlockAnswer): readonly Entry[] {
  if (!('rules' in block)) return []
  const { allocations, ...rules } = block.rules
  return [
    ...Object.entries(rules),
    ...Object.entries(allocations).map(([address, coins]): Entry => [`Allocation of ${printable(coins)}`, address]),
  ]
}

function transactionsOf({ transactions }: AnyBlockAnswer, width: number): string {
  if (transactions.length === 0) return 'No transactions.'
  const lines = transactions.map((transaction: Listed, position) => [
    String(position),
    String(transaction.amount),
    feeOf(transaction),
    String(transaction.nonce),
    payerOf(transaction, width),
    shortAddress(transaction.recipient, width),
    memoOf(transaction),
  ])
  return listed(BLOCK_COLUMNS, lines, 'transaction', width)
}

export function readableTransaction(found: FoundTransactionAnswer, width: number): string {
  return rows([['Id', found.id], ...placeOf(found), ...fieldsOf(found.transaction)], width)
}

function placeOf(found: FoundTransactionAnswer): readonly Entry[] {
  if (found.status === 'pending') return [['Status', 'waits for a block']]
  const { index, hash, timestamp, position, confirmations } = found.block
  return [
    ['Status', 'confirmed'],
    ['Confirmations', confirmations],
    ['Block', index],
    ['Position', position],
    ['Time', utc(timestamp)],
    ['Block hash', hash],
  ]
}

function fieldsOf(transaction: Listed): readonly Entry[] {
  const { sender, recipient, amount, nonce } = transaction
  const entries: Entry[] = [['Amount', amount]]
  if ('fee' in transaction) entries.push(['Fee', transaction.fee])
  entries.push(
    ['Nonce', nonce],
    ['Sender', isReward(transaction) ? 'none: a reward' : sender],
    ['Recipient', recipient],
  )
  if ('memo' in transaction && transaction.memo !== undefined) entries.push(['Memo', transaction.memo])
  if ('signature' in transaction) entries.push(['Signature', transaction.signature])
  return entries
}

export function readableAccount({ address, balance, nonce, pendingNonce }: AccountAnswer, width: number): string {
  const entries: readonly Entry[] = [
    ['Address', address],
    ['Balance', counted(balance, 'coin')],
    ['Sent', counted(nonce, 'confirmed transaction')],
    ['Waiting', counted(Math.max(0, pendingNonce - nonce), 'transaction')],
    ['Next nonce', pendingNonce],
  ]
  return rows(entries, width)
}

const HISTORY_COLUMNS: readonly Column[] = [
  { name: 'Block', align: 'right' },
  { name: 'Conf.', align: 'right', expendable: 1 },
  { name: 'Time (UTC)', expendable: 4 },
  { name: 'Coins', align: 'right' },
  { name: 'Fee', align: 'right', expendable: 2 },
  { name: 'From or to' },
  { name: 'Memo', cut: true, expendable: 3 },
]

/** What came in stands with a plus, what went out with a minus; the fee goes out as well. */
export function readableHistory(address: string, transactions: HistoryAnswer['transactions'], width: number): string {
  if (transactions.length === 0) return 'This address has no confirmed transactions.'
  const lines = transactions.map(({ transaction, block }) => [
    String(block.index),
    String(block.confirmations),
    time(block.timestamp),
    signed(transaction, address),
    feeOf(transaction),
    otherOf(transaction, address, width),
    memoOf(transaction),
  ])
  return listed(HISTORY_COLUMNS, lines, 'transaction', width)
}

function signed({ sender, recipient, amount }: Listed, address: string): string {
  if (sender === recipient) return String(amount)
  return sender === address ? `-${amount}` : `+${amount}`
}

function otherOf(transaction: Listed, address: string, width: number): string {
  const { sender, recipient } = transaction
  if (sender === recipient) return 'itself'
  return sender === address ? shortAddress(recipient, width) : payerOf(transaction, width)
}
