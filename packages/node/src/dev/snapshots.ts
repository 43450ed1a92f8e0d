import {
  type Block,
  type BlockEntry,
  judgeTransaction,
  planReorganisation,
  RuleError,
  readTransactions,
} from '@bc/core'
import type { Chain } from '../chain/chain.ts'
import type { Miner } from '../mining/miner.ts'
import type { Admission } from '../pool/admission.ts'
import { changesByRevert, type Reverted, type Waiting } from '../pool/changes.ts'
import type { Serial } from '../serial.ts'
import type { Snapshot } from '../storage/database.ts'
import type { ConnectedBlock } from '../storage/records.ts'
import type { DevClock } from './clock.ts'
import type { RewindStore } from './rewind-store.ts'
import type { SnapshotAnswer } from './schemas.ts'

/** A suite may take one before each of its tests and never go back: the oldest leaves first. */
const MOST = 10_000
/** Abandoned blocks whose transactions are told of, the newest: so many events are kept for those who are behind. */
const MOST_TOLD = 10_000

export interface SnapshotModules {
  readonly chain: Chain
  readonly admission: Admission
  readonly miner: Miner
  readonly door: Serial
  /** Called within the door, once everything is as it was. */
  readonly onReverted?: (reverted: Reverted) => void
}

interface Taken {
  readonly records: Snapshot
  /** Of the dev clock. */
  readonly time: number
}

/**
 * What the chain, the pool, the accounts and the clock were, to come back to.
 *
 * No rule of the chain leads back, and none is bent for it: beneath chain and pool the store is put back, and both read
 * it as they do when a node starts. While that goes on no block is mined and nothing comes in.
 */
export class Snapshots {
  private readonly rewindable: RewindStore
  private readonly clock: DevClock
  private readonly modules: SnapshotModules
  private readonly taken = new Map<number, Taken>()
  private last = 0

  constructor(rewindable: RewindStore, clock: DevClock, modules: SnapshotModules) {
    this.rewindable = rewindable
    this.clock = clock
    this.modules = modules
  }

  /** @returns what it holds, and the snapshot's number, which no other gets */
  take(): Promise<SnapshotAnswer> {
    return this.modules.door.run(async () => {
      if (this.taken.size >= MOST) await this.forget(this.taken.keys().next().value as number)
      this.taken.set(++this.last, { records: this.rewindable.snapshot(), time: this.clock.now() })
      return this.stateOf(this.last)
    })
  }

  /**
   * Puts all back. Snapshots that were taken since are gone; this one stays, for the next revert.
   * @returns what is there again
   * @throws RuleError `request.not_found`
   */
  revert(id: number): Promise<SnapshotAnswer> {
    const { miner, door } = this.modules
    // A block that is being mined would be built on what is about to be left, and bring that back with it.
    return miner.inTurn(() =>
      door.run(async () => {
        await this.putBack(id)
        return this.stateOf(id)
      }),
    )
  }

  /** Within the door: outside of it all may have moved on before it is told. */
  private stateOf(id: number): SnapshotAnswer {
    const { head } = this.modules.chain
    return { id, height: head.index, tip: head.hash, time: this.clock.now() }
  }

  private async putBack(id: number): Promise<void> {
    const { chain, admission } = this.modules
    const taken = this.taken.get(id)
    if (taken === undefined)
      throw new RuleError(
        'request.not_found',
        `There is no snapshot ${id}, or a revert to an earlier one has ended it.`,
      )
    const before = chain.head
    const waiting = [...admission.pool.list()]
    await chain.move(async () => {
      await this.rewindable.rewind(taken.records)
      this.clock.putBack(taken.time)
      await chain.reload()
      await admission.reload()
    })
    for (const later of [...this.taken.keys()].filter((other) => other > id)) await this.forget(later)
    const { abandon, adopt } = await planReorganisation(before, chain.head, (hash) =>
      this.rewindable.store.knownEntry(hash),
    )
    const unconfirmed = await this.unconfirmedOf([...(await this.transactionsOf(abandon)), ...waiting])
    const pool = changesByRevert(unconfirmed, waiting, [...admission.pool.list()])
    const adopted: ConnectedBlock[] = []
    for (const entry of adopt) adopted.push(await chain.storedBlock(entry))
    this.modules.onReverted?.({ head: chain.head, abandoned: abandon.map((entry) => ({ entry })), adopted, pool })
  }

  /** @param blocks newest first */
  private async transactionsOf(blocks: readonly BlockEntry[]): Promise<Waiting[]> {
    const { store } = this.rewindable
    const found: Waiting[] = []
    for (const { index, hash } of blocks.slice(0, MOST_TOLD).reverse()) {
      const { transactions } = JSON.parse((await store.blockText(index, hash)).toString()) as Block
      for (const one of readTransactions(transactions, this.modules.chain.id).parsed)
        found.push({ id: one.id, transaction: judgeTransaction(one, 'valid') })
    }
    return found
  }

  private async unconfirmedOf(transactions: readonly Waiting[]): Promise<Waiting[]> {
    const places = await this.rewindable.store.transactionPlaces(transactions.map(({ id }) => id))
    return transactions.filter((_, i) => places[i] === undefined)
  }

  private async forget(id: number): Promise<void> {
    await this.taken.get(id)?.records.close()
    this.taken.delete(id)
  }
}
