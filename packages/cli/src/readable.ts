/** Results as people read them on a terminal. Nothing here is meant to be parsed. */
import { type Block, hashOf, REWARD_SENDER } from '@bc/core'
import type { AcceptedAnswer, MinedBlock, StatusAnswer, WaitingAnswer } from '@bc/node'
import type { NodesAnswer, RegisteredAnswer, ResolvedAnswer } from './client.ts'
import { printable } from './printable.ts'
import { wrappedLines } from './wrapped-lines.ts'

/** A name in front of each value; a value too long for that goes on a line of its own, whole, to be copied. */
export function rows(entries: readonly (readonly [name: string, value: string | number])[], width: number): string {
  const column = Math.max(...entries.map(([name]) => name.length)) + 2
  const row = (name: string, value: string) =>
    column + value.length <= width ? name.padEnd(column) + value : `${name}\n  ${value}`
  return entries.map(([name, value]) => row(name, String(value))).join('\n')
}

/** Below this many columns of the terminal, addresses and hashes are shortened further. */
const NARROW = 72

/** Enough of an address to know it again: its first digits and its checksum. */
export function shortAddress(address: unknown, width: number): string {
  const digits = width < NARROW ? 4 : 8
  const text = printable(address)
  if (text.length === 74) return `${text.slice(0, digits)}…${text.slice(-digits)}`
  return text.slice(0, 2 * digits + 1)
}

/** Enough of a hash to find it in a list. */
export function shortHash(hash: unknown, width: number): string {
  return printable(hash).slice(0, width < NARROW ? 8 : 16)
}

/** @param seconds Unix time */
export function time(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().slice(0, 19).replace('T', ' ')
}

/** Breaks a text between words. A word that is longer than the line stays whole, to be copied. */
export function wrapped(text: string, width: number, indent = 0): string {
  return wrappedLines(text, width - indent)
    .map((line) => ' '.repeat(indent) + line)
    .join('\n')
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
    entries.map(([name, value]) => [name, printable(value)]),
    width,
  )
}

/** A node of an older version says nothing of others. */
function networkOf({ peers, p2p, sync }: Partial<StatusAnswer>): [string, string | number][] {
  const entries: [string, string | number][] = []
  if (typeof peers === 'number') entries.push(['Peers', counted(peers, 'connected node')])
  if (sync) entries.push(['Syncing', `block ${printable(sync.from)} to ${printable(sync.to)}`])
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
  if (reward) entries.push(['Reward', reward.amount], ['Miner', printable(reward.recipient)])
  return `Mined a new block\n\n${rows(entries, width)}`
}

export function readableNodes({ nodes }: NodesAnswer, width: number): string {
  if (nodes.length === 0) return wrapped('No neighbours yet: bc register HOST:PORT adds one.', width)
  return `${nodes.map(printable).join('\n')}\n\n${counted(nodes.length, 'neighbour')}`
}

export function readableRegistered({ message, total_nodes }: RegisteredAnswer, width: number): string {
  return `${printable(message)}\n\n${readableNodes({ nodes: total_nodes, length: total_nodes.length }, width)}`
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
