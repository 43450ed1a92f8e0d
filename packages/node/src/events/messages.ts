/** What happens in the node, as its events tell it. */
import type { HeadMove } from '../chain/head-change.ts'
import type { BlockEvent, KeptEvents, TransactionEvent } from '../http/event-schemas.ts'
import type { PoolChange } from '../pool/changes.ts'
import type { ConnectedBlock } from '../storage/records.ts'

const encoder = new TextEncoder()

export type KeptType = keyof KeptEvents

/** An event before it is spelled out. */
export type Message = { [Type in KeptType]: { readonly type: Type; readonly data: KeptEvents[Type] } }[KeptType]

/** The reorganisation, if it is one, and then each new block. */
export function messagesOfHead({ abandoned, adopted }: HeadMove): Message[] {
  const blocks = adopted.map((block) => ({ type: 'block' as const, data: blockEvent(block) }))
  if (abandoned.length === 0) return blocks
  const data = { abandoned: abandoned.map(placeOf), adopted: adopted.map(placeOf) }
  return [{ type: 'reorganisation', data }, ...blocks]
}

export function messagesOfPool(changes: readonly PoolChange[]): Message[] {
  return changes.map((change) => ({ type: 'transaction', data: transactionEvent(change) }))
}

function blockEvent({ entry, parsed, ids }: ConnectedBlock): BlockEvent {
  const { transactions: _, ...header } = parsed.block
  return { hash: entry.hash, ...header, transactions: [...ids] }
}

function placeOf({ entry: { index, hash } }: Pick<ConnectedBlock, 'entry'>) {
  return { index, hash }
}

function transactionEvent(change: PoolChange): TransactionEvent {
  const { id, transaction } = change.entry
  if (change.kind === 'pending') return { id, status: 'pending', transaction }
  return { id, status: 'dropped', reason: change.reason, transaction }
}

/**
 * In memory of its own: a small Buffer would be a slice of one of 8 KB, and whoever keeps it keeps all of that.
 * @param data strings in JSON have no line breaks, so it is one line
 */
export function eventText(type: string, data: object, id?: string): Buffer {
  const named = id === undefined ? '' : `id: ${id}\n`
  const { buffer, byteOffset, length } = encoder.encode(`${named}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
  return Buffer.from(buffer, byteOffset, length)
}
