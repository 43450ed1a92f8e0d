/**
 * An address's transactions. They have no index: an account knows the newest block that it has to do with, and that
 * block's undo record what the account was before, so each block leads to the one before it.
 */
import type { Address } from '@bc/core'
import { DamageError } from '../errors.ts'
import type { ChainStore, MeasuredBlock } from './chain-store.ts'
import type { Snapshot } from './database.ts'
import { partiesOf, type TransactionPlace } from './records.ts'

/** What a history has in one block. */
export interface HistoryBlock {
  readonly index: number
  readonly read: MeasuredBlock
  /** Of the address's transactions in it, the last one first. */
  readonly positions: readonly number[]
  /** Index of the block before it in the history; 0 where there is none. */
  readonly previous: number
}

/**
 * What is walked through to find where a history goes on, if it isn't at the place itself: more blocks than most
 * reorganisations are deep, and no more bytes than two pages have.
 */
export const FARTHEST_WALK = { blocks: 1_000, bytes: 8_000_000 }

/**
 * Newest first, each block read when its turn comes.
 * @param before only what is older than this place: one in a block that has to do with the address, however old, or no
 *     farther behind the newest than {@link FARTHEST_WALK}, as after a reorganisation
 * @returns undefined where it is neither
 * @throws DamageError where a block leads to one that has nothing to do with the address
 */
export async function historyOf(
  store: ChainStore,
  address: Address,
  before: TransactionPlace | undefined,
  snapshot: Snapshot,
): Promise<AsyncGenerator<HistoryBlock> | undefined> {
  const walk = new Walk(store, address, snapshot)
  const newest = (await store.accounts([address], snapshot)).get(address)?.latest ?? 0
  if (before === undefined) return walk.from(await walk.stop(newest))
  const first = await walk.find(before.index, newest)
  return first === 'too far' ? undefined : walk.from(first, before)
}

/** Goes from block to block. */
class Walk {
  private readonly store: ChainStore
  private readonly address: Address
  private readonly snapshot: Snapshot

  constructor(store: ChainStore, address: Address, snapshot: Snapshot) {
    this.store = store
    this.address = address
    this.snapshot = snapshot
  }

  /** The history from one of its blocks on: of that, what is older than a place in it. */
  async *from(first: HistoryBlock | undefined, before?: TransactionPlace): AsyncGenerator<HistoryBlock> {
    for (let block = first; block; block = await this.stop(block.previous)) {
      const { index, positions } = block
      const older = index === before?.index ? positions.filter((position) => position < before.position) : positions
      if (older.length > 0) yield { ...block, positions: older }
    }
  }

  /**
   * The newest block of the history that isn't above a height.
   * @param newest of all its blocks
   */
  async find(height: number, newest: number): Promise<HistoryBlock | undefined | 'too far'> {
    if (height >= newest) return this.stop(newest)
    if (height < 1) return undefined
    const there = await this.at(height)
    if (there.positions.length > 0) return there
    let block = await this.stop(newest)
    let bytes = 0
    for (let walked = 0; block && block.index > height; walked++) {
      if (walked === FARTHEST_WALK.blocks || bytes >= FARTHEST_WALK.bytes) return 'too far'
      bytes += block.read.bytes
      block = await this.stop(block.previous)
    }
    return block
  }

  /**
   * A block of the history.
   * @param index 0 for none
   * @throws DamageError where the block at the index has nothing to do with the address
   */
  async stop(index: number): Promise<HistoryBlock | undefined> {
    if (index === 0) return undefined
    const block = await this.at(index)
    if (block.positions.length > 0 && block.previous < index) return block
    throw new DamageError(`the history of ${this.address} is broken at block ${index}`)
  }

  private async at(index: number): Promise<HistoryBlock> {
    const { undo, ...read } = await this.store.connectedBlock(index, this.snapshot)
    const positions = [...read.block.transactions.keys()].filter((at) =>
      partiesOf(read.block, at).includes(this.address),
    )
    return { index, read, positions: positions.reverse(), previous: undo.get(this.address)?.latest ?? 0 }
  }
}
