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
}

interface Waiting {
  readonly submission: Submission
  readonly resolve: (entry: PoolEntry) => void
  readonly reject: (error: unknown) => void
}

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
  submit(submission: Submission): Promise<PoolEntry> {
    if (this.waiting.length >= MOST_WAITING)
      return Promise.reject(new RuleError('node.busy', `${MOST_WAITING} transactions wait to be looked at already.`))
    return new Promise((resolve, reject) => {
      this.waiting.push({ submission, resolve, reject })
      this.planTurn()
    })
  }

  /** The pool as it was before the last stop, less what has become invalid. Within the door, before anybody submits. */
  async restore(): Promise<void> {
    const { store, chain, door } = this.modules
    await door.run(async () => {
      const stale: number[] = []
      for await (const { arrival, transaction, arrivedAt } of store.pool()) {
        stale.push(arrival)
        // It was verified on the way in, and the record's checksum has shown that it is still the same.
        const parsed = parseTransaction(transaction, chain)
        await this.tryAdd(parsed, arrivedAt)
      }
      this.pool.expire(this.modules.clock())
      if (stale.length > 0) await store.rewritePool(stale, this.pool.list())
    })
  }

  /** Follows the head: called within the door. Transactions of abandoned blocks come back, in order. */
  async follow({ abandoned, accounts }: HeadChange): Promise<void> {
    const removed: PoolEntry[] = []
    for (const [address, account] of accounts) removed.push(...this.pool.settle(address, account ?? NO_ACCOUNT))
    const added: PoolEntry[] = []
    for (const { parsed } of abandoned.toReversed())
      for (const transaction of parsed.block.transactions.slice(1)) {
        const admission = await this.tryAdd(parseTransaction(transaction, this.modules.chain), this.modules.clock())
        if (admission) added.push(admission.added)
        removed.push(...(admission?.removed ?? []))
      }
    if (added.length + removed.length > 0) await this.modules.store.writePool(added, removed, { sync: false })
  }

  /** Drops what has waited too long. Called now and then. */
  expire(): Promise<void> {
    return this.modules.door.run(async () => {
      const expired = this.pool.expire(this.modules.clock())
      if (expired.length > 0) await this.modules.store.writePool([], expired, { sync: false })
    })
  }

  /** For a transaction whose signature was checked before: whether it still has a place is all that is asked. */
  private async tryAdd(parsed: ParsedTransaction, arrivedAt: number) {
    const verified = judgeTransaction(parsed, 'valid')
    try {
      return this.pool.add(verified, parsed.id, await this.modules.store.account(verified.sender), arrivedAt)
    } catch (error) {
      if (error instanceof RuleError) return undefined
      throw error
    }
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
    const accounts = await this.accountsOf(turn)
    const parsed = turn.map((waiting) => this.parse(waiting, accounts))
    const read = parsed.filter((one) => one !== undefined)
    const { verdicts } = await this.modules.curve.ask({ checks: read.map(({ check }) => check), addresses: [] })
    const verdictOf = new Map<ParsedTransaction, SignatureVerdict>(
      read.map((one, i) => [one, verdicts[i] ?? 'signature']),
    )
    const added = new Map<Waiting, PoolEntry>()
    const removed: PoolEntry[] = []
    for (const [i, waiting] of turn.entries()) {
      const one = parsed[i]
      if (one === undefined) continue
      const admission = this.admit(waiting, one, verdictOf.get(one) ?? 'signature', accounts)
      if (admission === undefined) continue
      added.set(waiting, admission.added)
      removed.push(...admission.removed)
    }
    if (added.size > 0) await this.modules.store.writePool([...added.values()], removed, { sync: true })
    for (const [waiting, entry] of added) waiting.resolve(entry)
  }

  private accountsOf(turn: readonly Waiting[]): Promise<Map<Address, Account>> {
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
