/**
 * Lists that a node sends in pages. A page holds no more than was asked for and leads on to another place: otherwise a
 * node that lies would have us read for ever.
 */
import { canonicalJson, type JsonValue } from '@bc/core'
import type { HistoryAnswer } from '@bc/node'
import { place } from '@bc/node/layout'
import { CliError } from '../failure.ts'
import { isCursor } from './answer.ts'

/** Of what is held as a whole. Objects take a few times that. */
export const MOST_HELD_BYTES = 256 << 20

/** The items of all pages so far, for what can't be printed before the last of them. */
export class HeldItems<T> {
  readonly items: T[] = []
  private readonly tooMuch: string
  private readonly maxBytes: number
  private bytes = 0

  /** @param tooMuch what to say of more than are held */
  constructor(tooMuch: string, maxBytes: number = MOST_HELD_BYTES) {
    this.tooMuch = tooMuch
    this.maxBytes = maxBytes
  }

  /** @throws CliError `cli.answer` */
  add(items: readonly T[]): void {
    for (const item of items) {
      this.bytes += canonicalJson(item as JsonValue).length
      if (this.bytes > this.maxBytes) throw new CliError('cli.answer', this.tooMuch)
      this.items.push(item)
    }
  }
}

/**
 * A history goes back in time, so it has an end: each place is older than the one before.
 * @param before the place that was asked from
 * @returns the field that isn't as it has to be
 */
export function wrongOfHistory(
  { transactions, next }: HistoryAnswer,
  limit: number,
  before: string | undefined,
): 'transactions' | 'next' | undefined {
  const places = transactions.map(({ block: { index, position } }) => place(index, position))
  const older = places.every((at, i) => isCursor(at) && isOlder(at, i === 0 ? before : places[i - 1]))
  if (transactions.length > limit || !older) return 'transactions'
  return next === null || next === places.at(-1) ? undefined : 'next'
}

/** Cursors are texts in the order of what they stand for. */
function isOlder(at: string, than: string | undefined): boolean {
  return than === undefined || at < than
}
