/** Results as people read them on a terminal. Nothing here is meant to be parsed. */

import { type Block, hashOf, REWARD_SENDER } from '@bc/core'
import type { AcceptedAnswer, ChainAnswer, MinedBlock, StatusAnswer, WaitingAnswer } from '@bc/node'
import type { NodesAnswer, RegisteredAnswer, ResolvedAnswer } from './client.ts'

// Control characters drive a terminal, and format characters reorder what it shows. Of the latter only the joiner of
// composed emoji is harmless.
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text of a stranger's: a memo may hold escape sequences. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** A name in front of each value; a value too long for that goes on a line of its own, whole, to be copied. */
export function rows(entries: readonly (readonly [name: string, value: string | number])[], width: number): string {
  const column = Math.max(...entries.map(([name]) => name.length)) + 2
  const row = (name: string, value: string) =>
    column + value.length <= width ? name.padEnd(column) + value : `${name}\n  ${value}`
  return entries.map(([name, value]) => row(name, String(value))).join('\n')
}

/** Columns as wide as their widest cell; the first `numbers` of them to the right. */
function table(lines: readonly (readonly string[])[], numbers: number): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const cell = (text: string, i: number) => (i < numbers ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0))
  return lines.map((line) => line.map(cell).join('  ').trimEnd()).join('\n')
}

/** Below this many columns of the terminal, addresses and hashes are shortened further. */
const NARROW = 72

/** Enough of an address to know it again: its first digits and its checksum. */
export function shortAddress(address: string, width: number): string {
  const digits = width < NARROW ? 4 : 8
  if (address.length === 74) return `${address.slice(0, digits)}…${address.slice(-digits)}`
  return printable(address).slice(0, 2 * digits + 1)
}

/** Enough of a hash to find it in a list. */
export function shortHash(hash: string, width: number): string {
  return printable(hash).slice(0, width < NARROW ? 8 : 16)
}

/** @param seconds Unix time */
export function time(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().slice(0, 19).replace('T', ' ')
}

/** Breaks a text between words. A word that is longer than the line stays whole, to be copied. */
export function wrapped(text: string, width: number, indent = 0): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && indent + line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n')
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

export type Listed = WaitingAnswer['transactions'][number] | MinedBlock['transactions'][number]

export function isReward(transaction: Listed): boolean {
  return transaction.sender === REWARD_SENDER
}

export function readableStatus(status: StatusAnswer, width: number): string {
  const entries: [string, string | number][] = [
    ['Height', status.height],
    ['Newest block', `${time(status.timestamp)} UTC`],
    ['Tip', status.tip],
    ['Chain', status.chain],
    ['Target', status.target],
    ['Work', status.work],
    ['Pool', counted(status.pool, 'waiting transaction')],
    ['Mining', status.mining ? 'yes' : 'no'],
    ...networkOf(status),
    ['Version', status.version],
    ['Address', status.address],
  ]
  return rows(
    entries.map(([name, value]) => [name, printable(String(value))]),
    width,
  )
}

/** A node of an older version says nothing of others. */
function networkOf({ peers, p2p, sync }: Partial<StatusAnswer>): [string, string | number][] {
  const entries: [string, string | number][] = []
  if (typeof peers === 'number') entries.push(['Peers', counted(peers, 'connected node')])
  if (sync) entries.push(['Syncing', `block ${sync.from} to ${sync.to}`])
  if (Array.isArray(p2p)) for (const address of p2p) entries.push(['Peer address', address])
  return entries
}

export function readableMined(block: MinedBlock, width: number): string {
  const reward = block.transactions.find(isReward)
  const others = block.transactions.length - (reward ? 1 : 0)
  const entries: [string, string | number][] = [
    ['Block', block.index],
    ['Hash', block.hash],
    ['Transactions', others],
  ]
  if (reward) entries.push(['Reward', reward.amount], ['Miner', printable(String(reward.recipient))])
  return `Mined a new block\n\n${rows(entries, width)}`
}

/** A block's hash is what the next one names, so only the newest one's is worked out. */
export function readableChain({ chain }: ChainAnswer): string {
  const lines = chain.map((block, i) => {
    const hash = chain[i + 1]?.previous_hash ?? hashOf(block as unknown as Block)
    const transactions: readonly Listed[] = block.transactions
    const reward = transactions.find(isReward)
    return [
      String(block.index),
      String(transactions.length - (reward ? 1 : 0)),
      reward ? String(reward.amount) : '',
      time(block.timestamp),
      printable(hash).slice(0, 16),
      reward ? shortAddress(String(reward.recipient), 80) : '',
    ]
  })
  const head = ['Block', 'Txs', 'Reward', 'Time (UTC)', 'Hash', 'Miner']
  return `${table([head, ...lines], 3)}\n\n${counted(chain.length, 'block')}`
}

export function readablePool({ transactions }: WaitingAnswer, width: number): string {
  if (transactions.length === 0) return 'No transactions are waiting.'
  const head = ['Nonce', 'Amount', 'Fee', 'Sender', 'Recipient', 'Memo']
  const lines = transactions.map((transaction) => [
    ...[transaction.nonce, transaction.amount, transaction.fee].map(String),
    shortAddress(transaction.sender, width),
    shortAddress(transaction.recipient, width),
    typeof transaction.memo === 'string' ? printable(transaction.memo) : '',
  ])
  const listed = table([head, ...lines], 3).split('\n')
  return `${listed.map((line) => fitted(line, width)).join('\n')}\n\n${counted(lines.length, 'transaction')}`
}

/** The memo stands last and gives way. Characters of Chinese and emoji are two columns wide. */
function fitted(line: string, width: number): string {
  let room = width - 1
  let end = 0
  for (const character of line) {
    room -= (character.codePointAt(0) ?? 0) >= 0x2e80 ? 2 : 1
    if (room < 0) return `${line.slice(0, end)}…`
    end += character.length
  }
  return line
}

export function readableNodes({ nodes }: NodesAnswer): string {
  if (nodes.length === 0) return 'No neighbours yet: bc register HOST:PORT adds one.'
  return `${nodes.map(printable).join('\n')}\n\n${counted(nodes.length, 'neighbour')}`
}

export function readableRegistered({ message, total_nodes }: RegisteredAnswer): string {
  return `${printable(message)}\n\n${readableNodes({ nodes: total_nodes, length: total_nodes.length })}`
}

export function readableResolved({ message, chain = [], new_chain = chain }: ResolvedAnswer, width: number): string {
  const newest = new_chain.at(-1)
  if (newest === undefined) return printable(message)
  const entries: [string, string | number][] = [
    ['Height', newest.index],
    ['Tip', hashOf(newest as unknown as Block)],
  ]
  return `${printable(message)}\n\n${rows(entries, width)}`
}

export function readableAccepted(answer: AcceptedAnswer, width: number): string {
  return `${printable(answer.message)}\n\n${rows([['Id', answer.id]], width)}`
}
