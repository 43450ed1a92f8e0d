/**
 * The database's key space. Keys are ASCII; numbers in them have 16 digits, so that LevelDB's order is their order.
 * Blocks stand in the order of their height: the database grows at one end instead of being shuffled.
 *
 *     meta                          {"chain", "format"}: whose chain this is
 *     journal/<number>              one for each of the newest batches: spaces, as many as it is short of 2 KB (see
 *                                   database.ts)
 *     head                          hash of the newest block of the main chain
 *     block/<index>/<hash>          the block's canonical JSON, on the main chain or beside it
 *     entry/<hash>                  BlockEntry: its header, its place in the tree, whether the ledger has refused it
 *     main/<index>                  hash of the main chain's block at this index
 *     undo/<index>                  what the block's accounts were before the main chain's block at this index, so also
 *                                   the block before it in the history of each
 *     account/<address>             balance, nonce, and the newest block that has to do with it: there its history begins
 *     tx/<id>                       index and position of a confirmed transaction
 *     pool/<arrival>                a waiting transaction
 *     returning/<index>-<position>  a transaction of an abandoned block, until the pool has looked at it
 */
import type { Address, Hash } from '@bc/core'

const DIGITS = 16

export function number(value: number): string {
  return String(value).padStart(DIGITS, '0')
}

/** Where in a history a transaction stands; also the cursor of its pages. */
export function place(index: number, position: number): string {
  return `${number(index)}-${String(position).padStart(6, '0')}`
}

/** What {@link place} gives: the texts of it that there can be. */
export const PLACE = /^[0-9]{16}-[0-9]{6}$/

export const key = {
  meta: 'meta',
  head: 'head',
  journal: (sequence: number) => `journal/${number(sequence)}`,
  block: (index: number, hash: Hash) => `block/${number(index)}/${hash}`,
  entry: (hash: Hash) => `entry/${hash}`,
  main: (index: number) => `main/${number(index)}`,
  undo: (index: number) => `undo/${number(index)}`,
  account: (address: Address) => `account/${address}`,
  transaction: (id: Hash) => `tx/${id}`,
  pool: (arrival: number) => `pool/${number(arrival)}`,
  returning: (at: string) => `returning/${at}`,
} as const

/** All keys that start with `prefix`, which ends with a slash: the character after "/" is "0". */
export function within(prefix: `${string}/`): { gt: string; lt: string } {
  return { gt: prefix, lt: `${prefix.slice(0, -1)}0` }
}

/** The last part of a key. */
export function lastPart(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1)
}
