/**
 * The mempool: verified transactions that wait for a block. It promises the miner that every transaction it hands out
 * can be confirmed in that order, and its owner that it never grows past its limits.
 *
 * Per sender it keeps the invariant: all waiting transactions together cost no more than the confirmed balance. So a
 * pool holds no double spend, and none of a sender's transactions can make a later one of theirs invalid.
 */
import TinyQueue from 'tinyqueue'
import type { Address } from './address.ts'
import { FeeIndex } from './eviction.ts'
import { canonicalJson } from './json.ts'
import { type Account, nonceFault } from './ledger.ts'
import type { Hash } from './primitives.ts'
import { RuleError } from './rules.ts'
import type { VerifiedTransaction } from './transaction.ts'

export interface PoolLimits {
  /** None is longer than about 2 KB, so this bounds their bytes as well. */
  readonly maxTransactions: number
  readonly maxPerAccount: number
  /** A transaction that found no block for this long is dropped. */
  readonly expirySeconds: number
}

export const DEFAULT_POOL_LIMITS: PoolLimits = {
  maxTransactions: 50_000,
  maxPerAccount: 5_000,
  expirySeconds: 3 * 24 * 3600,
}

/** How far a nonce may be ahead of the next one that is missing: transactions may arrive out of order, not at will. */
export const MAX_NONCE_GAP = 64

export interface PoolEntry {
  readonly id: Hash
  readonly transaction: VerifiedTransaction
  readonly bytes: number
  /** Unix seconds by the clock of the pool's owner. */
  readonly arrivedAt: number
  /** Counts arrivals: of two equal fees the earlier one is mined first and evicted last. */
  readonly order: number
}

export interface Admission {
  readonly added: PoolEntry
  /** What it replaced or pushed out. */
  readonly removed: readonly PoolEntry[]
}

/** A sender's waiting transactions by nonce. */
interface Queue {
  readonly byNonce: Map<number, PoolEntry>
  account: Account
  /** Σ amount + fee. */
  cost: number
  /** The first nonce from the account's on that is not waiting: all before it can be confirmed. */
  pendingNonce: number
}

export class Pool {
  private readonly limits: PoolLimits
  private readonly entries = new Map<Hash, PoolEntry>()
  private readonly queues = new Map<Address, Queue>()
  /** Those that can be confirmed now, and those with a gap before them. */
  private readonly ready = new FeeIndex<PoolEntry>()
  private readonly stranded = new FeeIndex<PoolEntry>()
  private arrivals = 0

  constructor(limits: PoolLimits = DEFAULT_POOL_LIMITS) {
    this.limits = limits
  }

  get size(): number {
    return this.entries.size
  }

  /** How many have arrived so far: whatever arrives from now on has this {@link PoolEntry.order} or a higher one. */
  get arrived(): number {
    return this.arrivals
  }

  get(id: Hash): PoolEntry | undefined {
    return this.entries.get(id)
  }

  /** In order of arrival. */
  list(): IterableIterator<PoolEntry> {
    return this.entries.values()
  }

  /** What waits with this nonce of this sender. */
  at(sender: Address, nonce: number): PoolEntry | undefined {
    return this.queues.get(sender)?.byNonce.get(nonce)
  }

  /** The nonce that a sender's next transaction needs once all that waits without a gap is confirmed. */
  pendingNonce(sender: Address, account: Account): number {
    return this.queues.get(sender)?.pendingNonce ?? account.nonce
  }

  /** The account of a sender whose transactions wait, as confirmed; undefined for anybody else. */
  accountOf(sender: Address): Account | undefined {
    return this.queues.get(sender)?.account
  }

  senders(): IterableIterator<Address> {
    return this.queues.keys()
  }

  /**
   * @param account the sender's, as confirmed
   * @param now Unix seconds
   * @param options.again it was here before, however far from the sender's next nonce: what is missing may have left
   * @throws RuleError `pool.known`, `tx.nonce`, `pool.gap`, `pool.replacement`, `tx.balance`, `pool.account`, `pool.full`
   */
  add(
    transaction: VerifiedTransaction,
    id: Hash,
    account: Account,
    now: number,
    { again = false }: { readonly again?: boolean } = {},
  ): Admission {
    if (this.entries.has(id)) throw new RuleError('pool.known', 'This transaction waits in the pool already.', { id })
    const queue = this.queues.get(transaction.sender) ?? newQueue(account)
    const replaced = queue.byNonce.get(transaction.nonce)
    checkNonce(transaction, queue, again ? Number.POSITIVE_INFINITY : MAX_NONCE_GAP)
    if (replaced) checkReplacement(transaction, replaced)
    checkBalance(transaction, replaced, queue)
    if (!replaced && queue.byNonce.size >= this.limits.maxPerAccount)
      throw new RuleError('pool.account', `${this.limits.maxPerAccount} transactions of this sender wait already.`)
    const bytes = canonicalJson(transaction).length
    const added = { id, transaction, bytes, arrivedAt: now, order: this.arrivals++ }
    const leaving = replaced ?? this.victimOf(added, queue)
    if (leaving) this.remove(leaving)
    this.insert(added, account)
    return { added, removed: leaving ? [leaving] : [] }
  }

  /**
   * Follows the ledger after blocks were applied or undone: drops what was confirmed, what lost its turn and, the
   * latest first, what the sender can no longer pay.
   * @param account the sender's, as now confirmed
   */
  settle(sender: Address, account: Account): PoolEntry[] {
    const queue = this.queues.get(sender)
    if (queue === undefined) return []
    const removed: PoolEntry[] = []
    const drop = (entry: PoolEntry) => {
      this.remove(entry)
      removed.push(entry)
    }
    this.rebase(queue, account)
    const latestFirst = [...queue.byNonce.values()].sort((a, b) => b.transaction.nonce - a.transaction.nonce)
    // What was confirmed goes before anything is counted: the balance has paid for it already.
    for (const entry of latestFirst) if (entry.transaction.nonce < account.nonce) drop(entry)
    for (const entry of latestFirst)
      if (entry.transaction.nonce >= account.nonce && queue.cost > account.balance) drop(entry)
    return removed
  }

  /** @param now Unix seconds */
  expire(now: number): PoolEntry[] {
    const expired = [...this.entries.values()].filter((entry) => entry.arrivedAt + this.limits.expirySeconds <= now)
    for (const entry of expired) this.remove(entry)
    return expired
  }

  /**
   * What to confirm next: the highest fee first, each sender's in the order of their nonces, the earlier arrival first
   * among equals.
   * @param maxBytes room for their canonical JSON, two bytes of separator before each
   */
  select(maxBytes: number): PoolEntry[] {
    const best = this.heads()
    const chosen: PoolEntry[] = []
    let room = maxBytes
    for (let entry = best.pop(); entry !== undefined; entry = best.pop()) {
      // The sender's later ones need this one before them, so with it they are all left out.
      if (entry.bytes + 2 > room) continue
      room -= entry.bytes + 2
      chosen.push(entry)
      const next = this.at(entry.transaction.sender, entry.transaction.nonce + 1)
      if (next) best.push(next)
    }
    return chosen
  }

  /**
   * All that waits, in an order in which another pool can take it: what can be confirmed as {@link select} has it, then
   * what has a gap before it. Step by step, and the pool may change between two steps: what has left by then is left out,
   * what has come may be told of or not, and what has been stranded meanwhile may be told of twice.
   */
  *inOrder(): Generator<PoolEntry, void, undefined> {
    const { arrived } = this
    const best = this.heads()
    for (let entry = best.pop(); entry !== undefined; entry = best.pop()) {
      const { sender, nonce } = entry.transaction
      // It may have left, or have been replaced.
      const here = this.at(sender, nonce)
      if (here) yield here
      // Blocks may have confirmed more than this one.
      const due = Math.max(nonce + 1, this.accountOf(sender)?.nonce ?? 0)
      const next = this.at(sender, due)
      if (next && this.isReady(next)) best.push(next)
    }
    if (this.stranded.lowestFee() === undefined) return
    for (const entry of this.entries.values()) {
      if (entry.order >= arrived) return
      if (!this.isReady(entry)) yield entry
    }
  }

  /** The first of each sender that can be confirmed, the highest fee on top. */
  private heads(): TinyQueue<PoolEntry> {
    const heads = [...this.queues.values()].flatMap((queue) => queue.byNonce.get(queue.account.nonce) ?? [])
    return new TinyQueue(heads, byFeeDescending)
  }

  private isReady({ transaction: { sender, nonce } }: PoolEntry): boolean {
    return nonce < (this.queues.get(sender)?.pendingNonce ?? 0)
  }

  /**
   * Who makes room for `added` in a full pool: those with a gap before them first, whatever their fee, since high fees
   * that can't be paid must buy nothing; then the lowest fee.
   */
  private victimOf(added: PoolEntry, queue: Queue): PoolEntry | undefined {
    if (this.entries.size < this.limits.maxTransactions) return undefined
    const { sender, nonce, fee } = added.transaction
    const ready = nonce <= queue.pendingNonce
    const stranded = ready || fee > (this.stranded.lowestFee() ?? 0) ? this.stranded.lowest(sender) : undefined
    if (stranded && (ready || fee > stranded.transaction.fee)) return stranded
    const outbids = ready && fee > (this.ready.lowestFee() ?? 0)
    const lowest = outbids ? this.ready.lowest(sender) : undefined
    if (lowest && fee > lowest.transaction.fee) return lowest
    throw new RuleError('pool.full', 'The pool is full, and nothing in it has to make room for this one.', { fee })
  }

  private insert(entry: PoolEntry, account: Account): void {
    const { sender, nonce } = entry.transaction
    const queue = this.queues.get(sender) ?? newQueue(account)
    this.queues.set(sender, queue)
    queue.byNonce.set(nonce, entry)
    queue.cost += costOf(entry)
    this.entries.set(entry.id, entry)
    this.stranded.add(entry)
    this.advance(queue)
  }

  private remove(entry: PoolEntry): void {
    const { sender, nonce } = entry.transaction
    const queue = this.queues.get(sender) as Queue
    this.entries.delete(entry.id)
    this.ready.delete(entry)
    this.stranded.delete(entry)
    queue.byNonce.delete(nonce)
    queue.cost -= costOf(entry)
    if (queue.byNonce.size === 0) this.queues.delete(sender)
    if (nonce >= queue.account.nonce && nonce < queue.pendingNonce) this.retreat(queue, nonce)
  }

  /** The account's nonce has moved: after a block forwards, after a reorganisation also back. */
  private rebase(queue: Queue, account: Account): void {
    queue.account = account
    if (account.nonce < queue.pendingNonce) this.retreat(queue, account.nonce - 1)
    queue.pendingNonce = account.nonce
    this.advance(queue)
  }

  /** What has no gap before it any more can be confirmed. */
  private advance(queue: Queue): void {
    for (let entry = queue.byNonce.get(queue.pendingNonce); entry; entry = queue.byNonce.get(queue.pendingNonce)) {
      this.stranded.delete(entry)
      this.ready.add(entry)
      queue.pendingNonce++
    }
  }

  /** What comes after a gap that has opened at `nonce` can't be confirmed any more. */
  private retreat(queue: Queue, nonce: number): void {
    for (let later = nonce + 1; later < queue.pendingNonce; later++) {
      const entry = queue.byNonce.get(later)
      if (entry === undefined) continue
      this.ready.delete(entry)
      this.stranded.add(entry)
    }
    queue.pendingNonce = nonce
  }
}

function newQueue(account: Account): Queue {
  return { byNonce: new Map(), account, cost: 0, pendingNonce: account.nonce }
}

function costOf(entry: PoolEntry): number {
  return entry.transaction.amount + entry.transaction.fee
}

function checkNonce({ nonce }: VerifiedTransaction, { account, pendingNonce }: Queue, maxGap: number): void {
  if (nonce < account.nonce) throw nonceFault(nonce, account.nonce)
  if (nonce > pendingNonce + maxGap)
    throw new RuleError('pool.gap', `The nonce is ${nonce}, and the next missing one is ${pendingNonce}.`, {
      nonce,
      expected: pendingNonce,
    })
}

function checkReplacement({ fee }: VerifiedTransaction, replaced: PoolEntry): void {
  const old = replaced.transaction.fee
  const needed = old + Math.max(1, Math.ceil(old / 10))
  if (fee < needed)
    throw new RuleError('pool.replacement', `A fee of ${needed} is needed to replace one of ${old}.`, { fee, needed })
}

function checkBalance({ amount, fee }: VerifiedTransaction, replaced: PoolEntry | undefined, queue: Queue): void {
  const { balance } = queue.account
  const waiting = queue.cost - (replaced ? costOf(replaced) : 0)
  if (!covers(balance - waiting, amount, fee))
    throw new RuleError(
      'tx.balance',
      waiting === 0
        ? `The balance ${balance} doesn't cover ${amount} and a fee of ${fee}.`
        : `The balance ${balance}, of which ${waiting} is spoken for in the pool, doesn't cover ${amount} and a fee of ${fee}.`,
      { balance, waiting, amount, fee },
    )
}

/** Whether a balance covers amount + fee, without forming a sum that may pass 2^53. */
function covers(balance: number, amount: number, fee: number): boolean {
  return amount <= balance && fee <= balance - amount
}

function byFeeDescending(a: PoolEntry, b: PoolEntry): number {
  return b.transaction.fee - a.transaction.fee || a.order - b.order
}
