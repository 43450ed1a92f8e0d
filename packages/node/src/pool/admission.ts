/**
 * The door of the pool: whoever was told that a transaction is accepted finds it again after a crash.
 *
 *     submission → form → signature → │ door: account → pool → persist │ → answer
 *
 * Submissions that arrive together are taken together: one question to the curve, one write to the disk. While some are
 * being written the signatures of those behind them are looked at.
 */
import {
  type Account,
  type Address,
  type Hash,
  type JsonValue,
  judgeTransaction,
  NO_ACCOUNT,
  orRefusal,
  type ParsedTransaction,
  Pool,
  type PoolEntry,
  type PoolLimits,
  parseAddress,
  parseTransaction,
  RuleError,
} from '@bc/core'
import type { HeadChange } from '../chain/head-change.ts'
import { stoppingError } from '../errors.ts'
import type { Serial } from '../serial.ts'
import type { Curve } from '../signatures/curve.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { changesOf, Departures, type PoolChange, reasonOfLeaving, reasonOfRefusal } from './changes.ts'
import type { Submission } from './submission.ts'

/** Submissions that are looked at in one turn, and signatures that are asked for at once. */
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
  /** What its form and its signature have come to. One without a nonce is looked at within the door. */
  checked: CheckedBatch[number] | undefined
  readonly resolve: (entry: PoolEntry) => void
  readonly reject: (error: unknown) => void
}

/** What became of a submission. */
export type Outcome = PoolEntry | RuleError

/** Transactions whose signatures were checked, and refusals of those whose form or signature is wrong. */
export type CheckedBatch = readonly (Pick<PoolEntry, 'id' | 'transaction'> | RuleError)[]

/** A transaction whose signature was checked before: whether it still has a place is all that is asked. */
type Checked = Pick<PoolEntry, 'id' | 'transaction' | 'arrivedAt'>

export class Admission {
  readonly pool: Pool
  private readonly modules: AdmissionModules
  /** In the order of their arrival. */
  private waiting: Waiting[] = []
  /** Those of them whose signatures nobody has asked for yet. */
  private unasked: Waiting[] = []
  private questionPlanned = false
  private turnPlanned = false
  private closed = false

  constructor(modules: AdmissionModules, limits?: PoolLimits) {
    this.modules = modules
    this.pool = new Pool(limits)
  }

  /**
   * @returns once the transaction is in the pool and on the disk
   * @throws RuleError of the form, the signature, the account or the pool; `node.busy`, `node.stopping`
   */
  async submit(submission: Submission): Promise<PoolEntry> {
    if (this.closed) throw stoppingError()
    if (this.waiting.length >= MOST_WAITING)
      throw new RuleError('node.busy', `${MOST_WAITING} transactions wait to be looked at already.`)
    const entry = await new Promise<PoolEntry>((resolve, reject) => {
      const one = { submission, checked: undefined, resolve, reject }
      this.waiting.push(one)
      if (submission.namesNonce) this.unasked.push(one)
      this.planQuestion()
    })
    await this.modules.onAdmitted?.(entry)
    return entry
  }

  /** The same, with a refusal for an answer. */
  async outcomeOf(submission: Submission): Promise<Outcome> {
    try {
      return await this.submit(submission)
    } catch (error) {
      if (error instanceof RuleError) return error
      throw error
    }
  }

  /**
   * Form and signature of transactions that name their nonce: outside of the door, so that others can be admitted
   * meanwhile.
   * @param submissions refusals among them stay what they are
   */
  check(submissions: readonly (Submission | RuleError)[]): Promise<CheckedBatch> {
    return this.verify(submissions.map((one) => (one instanceof RuleError ? one : this.parse(one.fields))))
  }

  /** @returns once those that are accepted are in the pool and on the disk; an outcome for each, in their order */
  async admitChecked(checked: CheckedBatch): Promise<Outcome[]> {
    const { door, onAdmitted } = this.modules
    const senders = checked.map((one) => (one instanceof RuleError ? undefined : one.transaction.sender))
    const outcomes = await door.run(async () => this.admit(checked, await this.accountsOf(senders)))
    if (onAdmitted) for (const outcome of outcomes) if (!(outcome instanceof RuleError)) await onAdmitted(outcome)
    return outcomes
  }

  /**
   * The pool as it was before the last stop, less what has become invalid. Before anybody submits.
   * @returns how many by our clock have waited too long: they are gone for good
   */
  restore(): Promise<number> {
    return this.modules.door.run(() => this.reload())
  }

  /**
   * The pool as the store has it, less what has become invalid, instead of the one that is here. Within the door.
   * @returns as {@link restore}
   */
  async reload(): Promise<number> {
    const { store, clock } = this.modules
    const [stale, found]: [string[], Checked[]] = [[], []]
    for await (const { at, transaction, arrivedAt } of store.pool()) {
      stale.push(at)
      found.push(this.checkedBefore(transaction, arrivedAt ?? clock()))
    }
    const accounts = await this.storedAccounts(found)
    // From here on without waiting: nobody sees an empty pool.
    const refill = (transactions: readonly Checked[]) => {
      this.pool.expire(Number.POSITIVE_INFINITY)
      this.addAgain(transactions, accounts, new Departures())
    }
    refill(found)
    // Where not all can stay, it isn't for their arrival to say which.
    if (this.pool.size < found.length) refill(byNonce(found))
    const expired = this.pool.expire(clock())
    if (stale.length > 0) await store.rewritePool(stale, this.pool.list())
    return expired.length
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
    const spending = await this.storedAccounts(returning)
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
    const again = this.addAgain(byNonce([...returning, ...displaced]), spending, departures)
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

  /**
   * Drops what has waited too long. Called now and then.
   * @returns how many
   */
  expire(): Promise<number> {
    return this.modules.door.run(async () => {
      const expired = this.pool.expire(this.modules.clock())
      if (expired.length === 0) return 0
      await this.modules.store.writePool([], expired, { sync: false })
      this.modules.onChanges?.(expired.map((entry) => ({ kind: 'dropped', entry, reason: 'expired' })))
      return expired.length
    })
  }

  /** Those who wait for their turn are told that it won't come any more. What has its turn just now is done. */
  close(): void {
    this.closed = true
    this.failAll(stoppingError())
  }

  private checkedBefore(transaction: JsonValue, arrivedAt: number): Checked {
    const parsed = parseTransaction(transaction, this.modules.chain)
    return { id: parsed.id, transaction: judgeTransaction(parsed, 'valid'), arrivedAt }
  }

  /**
   * Those that still have a place, in this order.
   * @param departures is told of those that haven't
   */
  private addAgain(transactions: readonly Checked[], accounts: ReadonlyMap<Address, Account>, departures: Departures) {
    const [added, removed]: [PoolEntry[], PoolEntry[]] = [[], []]
    for (const one of transactions) {
      const { id, transaction, arrivedAt } = one
      const account = accounts.get(transaction.sender) ?? NO_ACCOUNT
      const admission = orRefusal(() => this.pool.add(transaction, id, account, arrivedAt, { again: true }))
      if (admission instanceof RuleError) {
        departures.note(one, reasonOfRefusal(admission.code))
        continue
      }
      added.push(admission.added)
      for (const entry of admission.removed) {
        removed.push(entry)
        departures.note(entry, reasonOfLeaving(entry, admission.added))
      }
    }
    return { added, removed }
  }

  private storedAccounts(transactions: readonly Checked[]): Promise<Map<Address, Account>> {
    return this.modules.store.accounts([...new Set(transactions.map(({ transaction }) => transaction.sender))])
  }

  /** One question at a time: what arrives until its answer is there is asked for together. */
  private planQuestion(): void {
    if (this.questionPlanned) return
    this.questionPlanned = true
    // Whatever else arrives in this turn of the event loop joins in.
    setImmediate(async () => {
      this.planTurn()
      await this.askFor(this.unasked.splice(0, TURN))
      this.questionPlanned = false
      if (this.unasked.length > 0) this.planQuestion()
      this.planTurn()
    })
  }

  private async askFor(some: readonly Waiting[]): Promise<void> {
    try {
      const checked = await this.check(some.map(({ submission }) => submission))
      for (const [i, one] of some.entries()) one.checked = checked[i]
    } catch (error) {
      const failed = new Set(some)
      this.waiting = this.waiting.filter((one) => !failed.has(one))
      for (const { reject } of some) reject(error)
    }
  }

  private planTurn(): void {
    const [next] = this.waiting
    if (this.turnPlanned || next === undefined || !isReady(next)) return
    this.turnPlanned = true
    this.modules.door.run(() => this.takeTurn()).catch((error) => this.failAll(error))
  }

  private async takeTurn(): Promise<void> {
    this.turnPlanned = false
    const turn = this.nextTurn()
    this.planTurn()
    try {
      await this.admitAll(turn)
    } catch (error) {
      for (const { reject } of turn) reject(error)
    }
  }

  /**
   * Nobody overtakes those who came before. A submission without a nonce means the one after all that its sender has
   * waiting, so it can't be looked at in the same turn as an earlier one of theirs.
   */
  private nextTurn(): Waiting[] {
    const senders = new Set<JsonValue | undefined>()
    let length = 0
    for (const one of this.waiting.slice(0, TURN)) {
      const { fields, namesNonce } = one.submission
      if (!isReady(one) || (!namesNonce && senders.has(fields.sender))) break
      senders.add(fields.sender)
      length++
    }
    return this.waiting.splice(0, length)
  }

  private async admitAll(turn: readonly Waiting[]): Promise<void> {
    const accounts = await this.accountsOf(turn.map(({ submission }) => submission.fields.sender))
    const checked = await this.checkRest(turn, accounts)
    const outcomes = await this.admit(checked, accounts)
    for (const [i, { resolve, reject }] of turn.entries()) {
      const outcome = outcomes[i] as Outcome
      if (outcome instanceof RuleError) reject(outcome)
      else resolve(outcome)
    }
  }

  /** Also those without a nonce, now that it is known which they mean. */
  private async checkRest(turn: readonly Waiting[], accounts: ReadonlyMap<Address, Account>): Promise<CheckedBatch> {
    const rest = turn.filter(({ checked }) => checked === undefined)
    if (rest.length === 0) return turn.map(({ checked }) => checked as CheckedBatch[number])
    const found = await this.verify(rest.map(({ submission }) => this.parse(this.complete(submission, accounts))))
    const next = found.values()
    return turn.map(({ checked }) => checked ?? (next.next().value as CheckedBatch[number]))
  }

  /** The pool knows those whose transactions wait in it, since it follows the head: the others are looked up. */
  private async accountsOf(senders: readonly (JsonValue | undefined)[]): Promise<Map<Address, Account>> {
    const known = new Map<Address, Account>()
    const unknown = new Set<Address>()
    for (const sender of new Set(senders) as Set<Address>) {
      // Whatever it is: what the pool knows was looked at before.
      const account = this.pool.accountOf(sender)
      if (account) known.set(sender, account)
      else if (parseAddress(sender)) unknown.add(sender)
    }
    if (unknown.size === 0) return known
    return new Map([...known, ...(await this.modules.store.accounts([...unknown]))])
  }

  private complete({ fields }: Submission, accounts: ReadonlyMap<Address, Account>): JsonValue {
    const sender = parseAddress(fields.sender)
    const nonce = sender ? this.pool.pendingNonce(sender, accounts.get(sender) ?? NO_ACCOUNT) : 0
    return { ...fields, nonce }
  }

  private parse(fields: JsonValue): ParsedTransaction | RuleError {
    return orRefusal(() => parseTransaction(fields, this.modules.chain))
  }

  /** Asks the curve once for all that are left. */
  private async verify(read: readonly (ParsedTransaction | RuleError)[]): Promise<CheckedBatch> {
    const parsed = read.filter((one): one is ParsedTransaction => !(one instanceof RuleError))
    if (parsed.length === 0) return read as readonly RuleError[]
    const { verdicts } = await this.modules.curve.ask({ checks: parsed.map(({ check }) => check), addresses: [] })
    const next = verdicts[Symbol.iterator]()
    return read.map((one) => {
      if (one instanceof RuleError) return one
      const verdict = next.next().value ?? 'signature'
      return orRefusal(() => ({ id: one.id, transaction: judgeTransaction(one, verdict) }))
    })
  }

  /** Within the door: pool and disk, once for all of them. */
  private async admit(checked: CheckedBatch, accounts: ReadonlyMap<Address, Account>): Promise<Outcome[]> {
    const [added, removed]: [PoolEntry[], PoolEntry[]] = [[], []]
    const changes: PoolChange[] = []
    const now = this.modules.clock()
    const outcomes = checked.map((one) => {
      if (one instanceof RuleError) return one
      const account = accounts.get(one.transaction.sender) ?? NO_ACCOUNT
      const admission = orRefusal(() => this.pool.add(one.transaction, one.id, account, now))
      if (admission instanceof RuleError) return admission
      added.push(admission.added)
      removed.push(...admission.removed)
      changes.push(...changesOf(admission))
      return admission.added
    })
    if (added.length > 0) await this.modules.store.writePool(added, removed, { sync: true })
    if (changes.length > 0) this.modules.onChanges?.(changes)
    return outcomes
  }

  private failAll(error: unknown): void {
    this.unasked = []
    for (const { reject } of this.waiting.splice(0)) reject(error)
  }
}

function isReady({ submission, checked }: Waiting): boolean {
  return checked !== undefined || !submission.namesNonce
}

/**
 * In their order, but each sender's by nonce: where there isn't room or money for all, an earlier one goes before a later
 * one that came first.
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
