/**
 * The door of the pool: whoever was told that a transaction is accepted finds it again after a crash.
 *
 *     submission → form → signature → account → pool → persist → answer
 *
 * Submissions that arrive together are taken together: one question to the curve, one write to the disk.
 */
import {
  type Account,
  type Address,
  type Hash,
  isJsonObject,
  type JsonValue,
  judgeTransaction,
  NO_ACCOUNT,
  type ParsedTransaction,
  Pool,
  type PoolEntry,
  type PoolLimits,
  parseAddress,
  parseTransaction,
  RuleError,
  type SignatureVerdict,
} from '@bc/core'
import type { HeadChange } from '../chain/events.ts'
import type { Serial } from '../serial.ts'
import type { Curve } from '../signatures/curve.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { changesOf, Departures, type PoolChange, reasonOfLeaving, reasonOfRefusal } from './changes.ts'
import type { Submission } from './submission.ts'

/** Submissions that are looked at in one turn. */
const TURN = 256
/** Submissions that may wait for their turn. */
const MOST_WAITING = 10_000

export interface AdmissionModules {
  readonly store: ChainStore
  readonly curve: Curve
  readonly door: Serial
  /** Unix seconds. */
  readonly clock: () => number
  /** The chain's id. */
  readonly chain: Hash
  /** Has to be done, outside the door, before whoever handed in a transaction hears that it is in the pool. */
  readonly onAdmitted?: (entry: PoolEntry) => Promise<void>
  /** What was taken in, and what has left, once the disk knows. What follows the head is {@link Admission.follow}'s. */
  readonly onChanges?: (changes: readonly PoolChange[]) => void
}

interface Waiting {
  readonly submission: Submission
  readonly resolve: (entry: PoolEntry) => void
  readonly reject: (error: unknown) => void
}

/** A transaction whose signature was checked before: whether it still has a place is all that is asked. */
type Checked = Pick<PoolEntry, 'id' | 'transaction' | 'arrivedAt'>

export class Admission {
  readonly pool: Pool
  private readonly modules: AdmissionModules
  private readonly waiting: Waiting[] = []
  private turnPlanned = false

  constructor(modules: AdmissionModules, limits?: PoolLimits) {
    this.modules = modules
    this.pool = new Pool(limits)
  }

  /**
   * @returns once the transaction is in the pool and on the disk
   * @throws RuleError of the form, the signature, the account or the pool
   */
  async submit(submission: Submission): Promise<PoolEntry> {
    if (this.waiting.length >= MOST_WAITING)
      throw new RuleError('node.busy', `${MOST_WAITING} transactions wait to be looked at already.`)
    const entry = await new Promise<PoolEntry>((resolve, reject) => {
      this.waiting.push({ submission, resolve, reject })
      this.planTurn()
    })
    await this.modules.onAdmitted?.(entry)
    return entry
  }

  /** The pool as it was before the last stop, less what has become invalid. Before anybody submits. */
  async restore(): Promise<void> {
    await this.modules.door.run(() => this.reload())
  }

  /** The pool as the store has it, less what has become invalid, instead of the one that is here. Within the door. */
  async reload(): Promise<void> {
    const { store, clock } = this.modules
    const [stale, found]: [string[], Checked[]] = [[], []]
    for await (const { at, transaction, arrivedAt } of store.pool()) {
      stale.push(at)
      found.push(this.checkedBefore(transaction, arrivedAt ?? clock()))
    }
    const accounts = await this.accountsOf(found)
    // From here on without waiting: nobody sees an empty pool.
    this.pool.expire(Number.POSITIVE_INFINITY)
    this.addAgain(found, accounts, new Departures())
    this.pool.expire(clock())
    if (stale.length > 0) await store.rewritePool(stale, this.pool.list())
  }

  /**
   * Follows the head: called within the door. Transactions of abandoned blocks come back, in order.
   * @returns what is in the pool now and wasn't, and what isn't any more and is in no block either
   */
  async follow({ abandoned, adopted, accounts }: HeadChange): Promise<PoolChange[]> {
    const { store, clock } = this.modules
    const returning = abandoned
      .toReversed()
      .flatMap(({ parsed }) => parsed.block.transactions.slice(1).map((one) => this.checkedBefore(one, clock())))
    const spending = await this.accountsOf(returning)
    // From here on without waiting: nobody sees a pool that has followed half of the way.
    const departures = new Departures()
    const removed: PoolEntry[] = []
    const settle = (sender: Address, account: Account) => {
      for (const entry of this.pool.settle(sender, account)) {
        removed.push(entry)
        departures.note(entry, entry.transaction.nonce < account.nonce ? 'replaced' : 'unpayable')
      }
    }
    // What their senders have waiting makes room, since it comes after them and may rest on their coins.
    for (const { transaction } of returning) settle(transaction.sender, NO_ACCOUNT)
    const displaced = [...removed]
    for (const [address, account] of accounts) settle(address, account ?? NO_ACCOUNT)
    const again = this.addAgain([...returning, ...displaced], spending, departures)
    removed.push(...again.removed)
    if (abandoned.length + removed.length > 0)
      await store.writePool(again.added, removed, { sync: false, returned: abandoned })
    const confirmed = new Set(adopted.flatMap(({ ids }) => ids))
    const back = returning.filter(({ id }) => this.pool.get(id) !== undefined)
    return [
      ...departures.changes(({ id }) => !confirmed.has(id) && this.pool.get(id) === undefined),
      ...back.map((entry) => ({ kind: 'pending' as const, entry })),
    ]
  }

  /** Drops what has waited too long. Called now and then. */
  expire(): Promise<void> {
    return this.modules.door.run(async () => {
      const expired = this.pool.expire(this.modules.clock())
      if (expired.length === 0) return
      await this.modules.store.writePool([], expired, { sync: false })
      this.modules.onChanges?.(expired.map((entry) => ({ kind: 'dropped', entry, reason: 'expired' })))
    })
  }

  private checkedBefore(transaction: JsonValue, arrivedAt: number): Checked {
    const parsed = parseTransaction(transaction, this.modules.chain)
    return { id: parsed.id, transaction: judgeTransaction(parsed, 'valid'), arrivedAt }
  }

  /**
   * Those that still have a place.
   * @param departures is told of those that haven't
   */
  private addAgain(transactions: readonly Checked[], accounts: ReadonlyMap<Address, Account>, departures: Departures) {
    const [added, removed]: [PoolEntry[], PoolEntry[]] = [[], []]
    for (const one of byNonce(transactions)) {
      const { id, transaction, arrivedAt } = one
      try {
        const account = accounts.get(transaction.sender) ?? NO_ACCOUNT
        const admission = this.pool.add(transaction, id, account, arrivedAt)
        added.push(admission.added)
        for (const entry of admission.removed) {
          removed.push(entry)
          departures.note(entry, reasonOfLeaving(entry, admission.added))
        }
      } catch (error) {
        if (!(error instanceof RuleError)) throw error
        departures.note(one, reasonOfRefusal(error.code))
      }
    }
    return { added, removed }
  }

  private accountsOf(transactions: readonly Checked[]): Promise<Map<Address, Account>> {
    return this.modules.store.accounts([...new Set(transactions.map(({ transaction }) => transaction.sender))])
  }

  private planTurn(): void {
    if (this.turnPlanned) return
    this.turnPlanned = true
    // Whatever else arrives in this turn of the event loop joins in.
    setImmediate(() => {
      this.modules.door.run(() => this.takeTurn()).catch((error) => this.failAll(error))
    })
  }

  private async takeTurn(): Promise<void> {
    this.turnPlanned = false
    const turn = this.nextTurn()
    if (this.waiting.length > 0) this.planTurn()
    try {
      await this.admitAll(turn)
    } catch (error) {
      for (const { reject } of turn) reject(error)
    }
  }

  /**
   * A submission without a nonce means the one after all that its sender has waiting, so it can't be looked at in the
   * same turn as an earlier one of theirs.
   */
  private nextTurn(): Waiting[] {
    const senders = new Set<JsonValue | undefined>()
    let length = 0
    for (const { submission } of this.waiting.slice(0, TURN)) {
      const { sender } = submission.fields
      if (!submission.namesNonce && senders.has(sender)) break
      senders.add(sender)
      length++
    }
    return this.waiting.splice(0, length)
  }

  private async admitAll(turn: readonly Waiting[]): Promise<void> {
    const accounts = await this.sendersAccounts(turn)
    const parsed = turn.map((waiting) => this.parse(waiting, accounts))
    const read = parsed.filter((one) => one !== undefined)
    const { verdicts } = await this.modules.curve.ask({ checks: read.map(({ check }) => check), addresses: [] })
    const verdictOf = new Map<ParsedTransaction, SignatureVerdict>(
      read.map((one, i) => [one, verdicts[i] ?? 'signature']),
    )
    const added = new Map<Waiting, PoolEntry>()
    const removed: PoolEntry[] = []
    const changes: PoolChange[] = []
    for (const [i, waiting] of turn.entries()) {
      const one = parsed[i]
      if (one === undefined) continue
      const admission = this.admit(waiting, one, verdictOf.get(one) ?? 'signature', accounts)
      if (admission === undefined) continue
      added.set(waiting, admission.added)
      removed.push(...admission.removed)
      changes.push(...changesOf(admission))
    }
    if (added.size > 0) await this.modules.store.writePool([...added.values()], removed, { sync: true })
    if (changes.length > 0) this.modules.onChanges?.(changes)
    for (const [waiting, entry] of added) waiting.resolve(entry)
  }

  private sendersAccounts(turn: readonly Waiting[]): Promise<Map<Address, Account>> {
    const senders = turn.map(({ submission }) => parseAddress(submission.fields.sender))
    return this.modules.store.accounts([...new Set(senders.filter((sender) => sender !== undefined))])
  }

  private parse({ submission, reject }: Waiting, accounts: Map<Address, Account>): ParsedTransaction | undefined {
    try {
      return parseTransaction(this.complete(submission, accounts), this.modules.chain)
    } catch (error) {
      reject(error)
      return undefined
    }
  }

  private complete({ fields, namesNonce }: Submission, accounts: Map<Address, Account>): JsonValue {
    if (namesNonce || !isJsonObject(fields)) return fields
    const sender = parseAddress(fields.sender)
    const nonce = sender ? this.pool.pendingNonce(sender, accounts.get(sender) ?? NO_ACCOUNT) : 0
    return { ...fields, nonce }
  }

  private admit(
    { reject }: Waiting,
    parsed: ParsedTransaction,
    verdict: SignatureVerdict,
    accounts: Map<Address, Account>,
  ) {
    try {
      const verified = judgeTransaction(parsed, verdict)
      return this.pool.add(verified, parsed.id, accounts.get(verified.sender) ?? NO_ACCOUNT, this.modules.clock())
    } catch (error) {
      reject(error)
      return undefined
    }
  }

  private failAll(error: unknown): void {
    for (const { reject } of this.waiting.splice(0)) reject(error)
  }
}

/**
 * In their order, but each sender's by nonce: a replacement came after those that it goes before, and the pool would
 * refuse them for the gap.
 */
function byNonce(transactions: readonly Checked[]): Checked[] {
  const queues = new Map<Address, Checked[]>()
  for (const one of transactions) {
    const queue = queues.get(one.transaction.sender)
    if (queue) queue.push(one)
    else queues.set(one.transaction.sender, [one])
  }
  for (const queue of queues.values()) queue.sort((a, b) => b.transaction.nonce - a.transaction.nonce)
  return transactions.flatMap(({ transaction }) => queues.get(transaction.sender)?.pop() ?? [])
}
