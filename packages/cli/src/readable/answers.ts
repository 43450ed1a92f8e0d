/** Results as people read them on a terminal. Nothing here is meant to be parsed. */
import { type Block, hashOf, REWARD_SENDER } from '@bc/core'
import type {
  AcceptedAnswer,
  MinedAnswer,
  NodesAnswer,
  RegisteredAnswer,
  ResolvedAnswer,
  StatusAnswer,
  WaitingAnswer,
} from '@bc/node'
import { printable } from '../terminal/printable.ts'
import { counted, type Entry, rows, utc, wrapped } from '../terminal/text.ts'

export type Listed = WaitingAnswer['transactions'][number] | MinedAnswer['transactions'][number]

export function isReward(transaction: Listed): boolean {
  return transaction.sender === REWARD_SENDER
}

export function readableStatus(status: StatusAnswer, width: number): string {
  const entries: Entry[] = [
    ['Height', status.height],
    ['Newest block', utc(status.timestamp)],
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
  return rows(entries, width)
}

/** A node of an older version says nothing of others. */
function networkOf({ peers, p2p, sync }: Partial<StatusAnswer>): Entry[] {
  const entries: Entry[] = []
  if (typeof peers === 'number') entries.push(['Peers', counted(peers, 'connected node')])
  if (sync) entries.push(['Syncing', `block ${printable(sync.from)} to ${printable(sync.to)}`])
  if (Array.isArray(p2p)) for (const address of p2p) entries.push(['Peer address', address])
  return entries
}

export function readableMined(block: MinedAnswer, width: number): string {
  const reward = block.transactions.find(isReward)
  const others = block.transactions.length - (reward ? 1 : 0)
  const entries: Entry[] = [
    ['Block', block.index],
    ['Hash', block.hash],
    ['Transactions', others],
  ]
  if (reward) entries.push(['Reward', reward.amount], ['Miner', reward.recipient])
  return `Mined a new block\n\n${rows(entries, width)}`
}

export function readableNodes({ nodes }: NodesAnswer, width: number): string {
  if (nodes.length === 0) return wrapped('No neighbours yet: bc register HOST:PORT adds one.', width)
  return `${nodes.map(printable).join('\n')}\n\n${counted(nodes.length, 'neighbour')}`
}

export function readableRegistered({ message, total_nodes }: RegisteredAnswer, width: number): string {
  return `${printable(message)}\n\n${readableNodes({ nodes: total_nodes, length: total_nodes.length }, width)}`
}

export function readableResolved(answer: ResolvedAnswer, width: number): string {
  const { message, ...of } = answer
  const newest = ('new_chain' in of ? of.new_chain : of.chain).at(-1)
  if (newest === undefined) return printable(message)
  const entries: Entry[] = [
    ['Height', newest.index],
    ['Tip', hashOf(newest as unknown as Block)],
  ]
  return `${printable(message)}\n\n${rows(entries, width)}`
}

export function readableAccepted(answer: AcceptedAnswer, width: number): string {
  return `${printable(answer.message)}\n\n${rows([['Id', answer.id]], width)}`
}
