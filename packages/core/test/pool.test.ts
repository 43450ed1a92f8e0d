import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Address } from '../src/address.ts'
import { canonicalJson, type JsonValue } from '../src/json.ts'
import { type Account, NO_ACCOUNT } from '../src/ledger.ts'
import { type Admission, DEFAULT_POOL_LIMITS, Pool, type PoolEntry, type PoolLimits } from '../src/pool.ts'
import type { Amount, Hash } from '../src/primitives.ts'
import { type RuleCode, RuleError } from '../src/rules.ts'
import { type PaperTransfer, paperAddress, paperTransaction } from './support/paper.ts'

const PEOPLE = [1, 2, 3, 4].map(paperAddress)
const person = (n: number): Address => PEOPLE[n % PEOPLE.length] as Address
const [alice, bob, carol] = PEOPLE as [Address, Address, Address]

const account = (balance: number, nonce = 0): Account => ({ balance: balance as Amount, nonce })

const transfer = (sender: Address, nonce: number, fee = 0, amount = 1): PaperTransfer => {
  return { sender, recipient: paperAddress(9), nonce, fee, amount }
}

/** The pool of its own documentation, without an index: everything is looked for among all that waits. */
class NaivePool {
  waiting: { id: Hash; transfer: PaperTransfer; bytes: number; arrivedAt: number }[] = []
  readonly accounts = new Map<Address, Account>()
  private readonly limits: PoolLimits

  constructor(limits: PoolLimits) {
    this.limits = limits
  }

  accountOf(sender: Address): Account {
    return this.accounts.get(sender) ?? NO_ACCOUNT
  }

  of(sender: Address) {
    return this.waiting.filter((entry) => entry.transfer.sender === sender)
  }

  pendingNonce(sender: Address): number {
    let nonce = this.accountOf(sender).nonce
    while (this.of(sender).some((entry) => entry.transfer.nonce === nonce)) nonce++
    return nonce
  }

  cost(sender: Address): number {
    return this.of(sender).reduce((sum, entry) => sum + entry.transfer.amount + entry.transfer.fee, 0)
  }

  /** The ids that make room, or the rule that keeps it out. */
  add(some: PaperTransfer, now: number): readonly Hash[] | RuleCode {
    const { id, transaction } = paperTransaction(some)
    const { sender, nonce, fee, amount } = some
    if (this.waiting.some((entry) => entry.id === id)) return 'pool.known'
    if (nonce < this.accountOf(sender).nonce) return 'tx.nonce'
    if (nonce > this.pendingNonce(sender) + 64) return 'pool.gap'
    const old = this.of(sender).find((entry) => entry.transfer.nonce === nonce)
    if (old && fee < old.transfer.fee + 1) return 'pool.replacement'
    if (old && 10 * fee < 11 * old.transfer.fee) return 'pool.replacement'
    const spokenFor = this.cost(sender) - (old ? old.transfer.amount + old.transfer.fee : 0)
    if (spokenFor + amount + fee > this.accountOf(sender).balance) return 'tx.balance'
    if (!old && this.of(sender).length >= this.limits.maxPerAccount) return 'pool.account'
    const full = !old && this.waiting.length >= this.limits.maxTransactions
    const leaving = full ? this.victimOf(some) : old
    if (full && !leaving) return 'pool.full'
    this.waiting = this.waiting.filter((entry) => entry !== leaving)
    const bytes = canonicalJson(transaction as unknown as JsonValue).length
    this.waiting.push({ id, transfer: some, bytes, arrivedAt: now })
    return leaving ? [leaving.id] : []
  }

  /** First those with a gap before them, then the lowest fee, of equal ones the latest; never the sender's own. */
  private victimOf({ sender, nonce, fee }: PaperTransfer) {
    const others = this.waiting.filter((entry) => entry.transfer.sender !== sender)
    const isReady = ({ transfer: other }: { transfer: PaperTransfer }) => other.nonce < this.pendingNonce(other.sender)
    const lowest = (some: typeof others) =>
      some.reduce<(typeof others)[0] | undefined>(
        (low, entry) => (low === undefined || entry.transfer.fee <= low.transfer.fee ? entry : low),
        undefined,
      )
    const ready = nonce <= this.pendingNonce(sender)
    const stranded = lowest(others.filter((entry) => !isReady(entry)))
    if (stranded && (ready || fee > stranded.transfer.fee)) return stranded
    const cheapest = ready ? lowest(others.filter(isReady)) : undefined
    return cheapest && fee > cheapest.transfer.fee ? cheapest : undefined
  }

  settle(sender: Address, after: Account): Hash[] {
    this.accounts.set(sender, after)
    const before = this.waiting
    this.waiting = before.filter((entry) => entry.transfer.sender !== sender || entry.transfer.nonce >= after.nonce)
    while (this.cost(sender) > after.balance) {
      const last = Math.max(...this.of(sender).map((entry) => entry.transfer.nonce))
      this.waiting = this.waiting.filter((entry) => entry.transfer.sender !== sender || entry.transfer.nonce !== last)
    }
    return before.filter((entry) => !this.waiting.includes(entry)).map(({ id }) => id)
  }

  expire(now: number): Hash[] {
    const old = this.waiting.filter((entry) => entry.arrivedAt + this.limits.expirySeconds <= now)
    this.waiting = this.waiting.filter((entry) => !old.includes(entry))
    return old.map(({ id }) => id)
  }

  select(maxBytes: number): Hash[] {
    const next = new Map(PEOPLE.map((sender) => [sender, this.accountOf(sender).nonce]))
    const chosen: Hash[] = []
    let room = maxBytes
    for (;;) {
      const heads = this.waiting.filter((entry) => entry.transfer.nonce === next.get(entry.transfer.sender))
      const highest = Math.max(...heads.map((entry) => entry.transfer.fee))
      const best = heads.find((entry) => entry.transfer.fee === highest)
      if (best === undefined) return chosen
      const { sender, nonce } = best.transfer
      if (best.bytes + 2 > room) next.delete(sender)
      else {
        room -= best.bytes + 2
        chosen.push(best.id)
        next.set(sender, nonce + 1)
      }
    }
  }
}

type Operation =
  | { readonly do: 'add'; readonly from: number; readonly ahead: number; readonly fee: number; readonly amount: number }
  | { readonly do: 'replace'; readonly which: number; readonly more: number; readonly amount: number }
  | { readonly do: 'repeat'; readonly which: number }
  | { readonly do: 'confirm'; readonly count: number }
  | { readonly do: 'reorganise' }
  | { readonly do: 'account'; readonly from: number; readonly nonces: number; readonly balance: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'select'; readonly maxBytes: number }

type Do<Kind extends Operation['do']> = Extract<Operation, { do: Kind }>

const as = <Kind extends Operation['do']>(kind: Kind) => fc.constant(kind)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: as('add'),
      from: fc.nat(3),
      /** From the first nonce that is missing; before it there is something to replace, or the past. */
      ahead: fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 3, arbitrary: fc.integer({ min: -2, max: 3 }) },
        { weight: 1, arbitrary: fc.constantFrom(63, 64, 65) },
      ),
      fee: fc.nat(25),
      amount: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: as('replace'),
      which: fc.nat(),
      more: fc.integer({ min: -1, max: 4 }),
      amount: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: as('repeat'), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: as('confirm'), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: as('reorganise') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: as('account'),
      from: fc.nat(3),
      nonces: fc.integer({ min: -3, max: 3 }),
      balance: fc.nat(300),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: as('wait'), seconds: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.record({ do: as('select'), maxBytes: fc.nat(3000) }) },
)

const LIMITS: PoolLimits = { maxTransactions: 9, maxPerAccount: 5, expirySeconds: 100 }

/** Drives both pools through the same life, and holds the real one against the naive one after every step. */
class Life {
  readonly pool = new Pool(LIMITS)
  readonly naive = new NaivePool(LIMITS)
  /** How often each thing has happened: a property that never met a case has not tested it. */
  readonly seen: Map<string, number>
  private readonly confirmed: { readonly transfers: PaperTransfer[]; readonly before: Map<Address, Account> }[] = []
  private now = 1_000

  constructor(balances: readonly number[], seen: Map<string, number>) {
    this.seen = seen
    for (const [i, balance] of balances.entries()) this.naive.accounts.set(person(i), account(balance))
  }

  perform(operation: Operation): void {
    if (operation.do === 'add') this.addAhead(operation)
    else if (operation.do === 'replace') this.replace(operation)
    else if (operation.do === 'repeat') this.repeat(operation.which)
    else if (operation.do === 'confirm') this.confirm(operation.count)
    else if (operation.do === 'reorganise') this.reorganise()
    else if (operation.do === 'account') this.setAccount(operation)
    else if (operation.do === 'wait') this.wait(operation.seconds)
    else expect(idsOf(this.pool.select(operation.maxBytes))).toEqual(this.naive.select(operation.maxBytes))
  }

  /** Everything that can be asked of a pool has the same answer, and its promises hold. */
  check(): void {
    const { pool, naive } = this
    expect(pool.size).toBe(naive.waiting.length)
    expect(idsOf(pool.list())).toEqual(naive.waiting.map(({ id }) => id))
    expect([...pool.senders()].sort()).toEqual([...new Set(naive.waiting.map((entry) => entry.transfer.sender))].sort())
    for (const { id, bytes } of naive.waiting) expect(pool.get(id)).toMatchObject({ id, bytes })
    for (const sender of PEOPLE) {
      expect(pool.pendingNonce(sender, naive.accountOf(sender))).toBe(naive.pendingNonce(sender))
      expect(naive.cost(sender)).toBeLessThanOrEqual(naive.accountOf(sender).balance)
      expect(naive.of(sender).length).toBeLessThanOrEqual(LIMITS.maxPerAccount)
    }
    expect(pool.size).toBeLessThanOrEqual(LIMITS.maxTransactions)
    const all = pool.select(1_000_000)
    expect(idsOf(all)).toEqual(naive.select(1_000_000))
    expectApplicable(all, naive.accounts)
    const told = [...pool.inOrder()]
    expect(idsOf(told.slice(0, all.length))).toEqual(idsOf(all))
    expect(idsOf(told).sort()).toEqual(naive.waiting.map(({ id }) => id).sort())
    const other = new Pool(LIMITS)
    for (const { id, transaction } of told.slice(0, all.length))
      other.add(transaction, id, naive.accountOf(transaction.sender), this.now)
    for (const { transaction, id } of told) expect(pool.at(transaction.sender, transaction.nonce)?.id).toBe(id)
  }

  private add(some: PaperTransfer): void {
    const { id, transaction } = paperTransaction(some)
    const expected = this.naive.add(some, this.now)
    this.saw(typeof expected === 'string' ? expected : expected.length > 0 ? 'made room' : 'added')
    const found = outcome(() => this.pool.add(transaction, id, this.naive.accountOf(some.sender), this.now))
    if (found instanceof RuleError) {
      expect(found.code).toBe(expected)
      return
    }
    expect(found.added).toMatchObject({ id, transaction, arrivedAt: this.now })
    expect(idsOf(found.removed)).toEqual(expected)
  }

  private addAhead({ from, ahead, fee, amount }: Do<'add'>): void {
    const nonce = Math.max(0, this.naive.pendingNonce(person(from)) + ahead)
    this.add(transfer(person(from), nonce, fee, amount))
  }

  private repeat(which: number): void {
    const again = this.waiting(which)?.transfer
    if (again) this.add(again)
  }

  private setAccount({ from, nonces, balance }: Do<'account'>): void {
    const nonce = Math.max(0, this.naive.accountOf(person(from)).nonce + nonces)
    this.settle(person(from), account(balance, nonce))
  }

  private wait(seconds: number): void {
    this.now += seconds
    this.expectRemoved('expire', this.pool.expire(this.now), this.naive.expire(this.now))
  }

  private replace({ which, more, amount }: Do<'replace'>): void {
    const old = this.waiting(which)?.transfer
    if (old === undefined) return
    const fee = Math.max(0, old.fee + Math.ceil(old.fee / 10) + more)
    this.add({ ...old, fee, amount })
  }

  private confirm(count: number): void {
    const chosen = this.pool.select(1_000_000).slice(0, count)
    const transfers = chosen.map(({ transaction }) => transaction)
    const before = new Map(transfers.map(({ sender }) => [sender, this.naive.accountOf(sender)]))
    this.confirmed.push({ transfers, before })
    for (const sender of before.keys()) {
      const own = transfers.filter((some) => some.sender === sender)
      const spent = own.reduce((sum, { amount, fee }) => sum + amount + fee, 0)
      const { balance, nonce } = this.naive.accountOf(sender)
      this.settle(sender, account(balance - spent, nonce + own.length))
    }
    // Nobody else's, and of the sender's no other: what was confirmed is all that has gone.
    for (const { id } of chosen) expect(this.pool.get(id)).toBeUndefined()
    if (chosen.length > 0) this.saw('confirmed')
  }

  private reorganise(): void {
    const undone = this.confirmed.pop()
    if (undone === undefined) return
    for (const [sender, before] of undone.before) this.settle(sender, before)
    for (const { sender, recipient, amount, fee, nonce } of undone.transfers)
      this.add({ sender, recipient, amount, fee, nonce })
    this.saw('reorganised')
  }

  private settle(sender: Address, after: Account): void {
    this.expectRemoved('settle', this.pool.settle(sender, after), this.naive.settle(sender, after))
  }

  private expectRemoved(what: string, removed: readonly PoolEntry[], expected: readonly Hash[]): void {
    expect(idsOf(removed).sort()).toEqual([...expected].sort())
    if (expected.length > 0) this.saw(what)
  }

  private waiting(which: number) {
    return this.naive.waiting[which % Math.max(1, this.naive.waiting.length)]
  }

  private saw(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1)
  }
}

const idsOf = (entries: Iterable<PoolEntry>): Hash[] => [...entries].map(({ id }) => id)

function outcome(add: () => Admission): Admission | RuleError {
  try {
    return add()
  } catch (error) {
    if (error instanceof RuleError) return error
    throw error
  }
}

/** One after the other, from the confirmed accounts, with nothing received on the way. */
function expectApplicable(entries: readonly PoolEntry[], accounts: ReadonlyMap<Address, Account>): void {
  const now = new Map(
    [...accounts].map(([address, { balance, nonce }]) => [address, { balance: Number(balance), nonce }]),
  )
  for (const { transaction } of entries) {
    const sender = now.get(transaction.sender)
    expect(sender?.nonce).toBe(transaction.nonce)
    const balance = (sender?.balance ?? 0) - transaction.amount - transaction.fee
    expect(balance).toBeGreaterThanOrEqual(0)
    now.set(transaction.sender, { balance, nonce: transaction.nonce + 1 })
  }
}

const balances = fc.tuple(...[0, 1, 2, 3].map(() => fc.oneof(fc.nat(300), fc.constant(1000))))

describe('the pool against a naive one', () => {
  test('the same answers through any life, and its promises after every step', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(balances, fc.array(operation, { maxLength: 60, size: 'max' }), (have, operations) => {
        const life = new Life(have, seen)
        for (const some of operations) {
          life.perform(some)
          life.check()
        }
      }),
      { numRuns: 400 },
    )
    for (const what of [
      ...['added', 'made room', 'confirmed', 'reorganised', 'settle', 'expire'],
      ...['pool.known', 'tx.nonce', 'pool.gap', 'pool.replacement', 'tx.balance', 'pool.account', 'pool.full'],
    ])
      expect([what, (seen.get(what) ?? 0) > 10]).toEqual([what, true])
  })

  test('an emptied pool is as good as new', () => {
    fc.assert(
      fc.property(balances, fc.array(operation, { maxLength: 40, size: 'max' }), (have, operations) => {
        const life = new Life(have, new Map())
        for (let round = 0; round < 2; round++) {
          for (const some of operations) life.perform(some)
          life.perform({ do: 'wait', seconds: 1_000 })
          life.check()
          expect(life.pool.size).toBe(0)
          expect([...life.pool.list(), ...life.pool.senders(), ...life.pool.select(1_000_000)]).toEqual([])
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('the pool', () => {
  let pool: Pool
  const add = (some: PaperTransfer, have: Account = account(1000), now = 0) => {
    const { id, transaction } = paperTransaction(some)
    return pool.add(transaction, id, have, now)
  }
  const codeOf = (some: PaperTransfer, have?: Account) => {
    const found = outcome(() => add(some, have))
    return found instanceof RuleError ? found.code : undefined
  }
  const nonces = (entries: Iterable<PoolEntry> = pool.list()) =>
    [...entries].map(({ transaction }) => transaction.nonce)
  const fees = (entries: Iterable<PoolEntry> = pool.list()) => [...entries].map(({ transaction }) => transaction.fee)
  const limited = (limits: Partial<PoolLimits>) => new Pool({ ...DEFAULT_POOL_LIMITS, ...limits })

  beforeEach(() => {
    pool = new Pool()
  })

  test('a nonce may be 64 ahead of the first that is missing, and not 65', () => {
    expect(codeOf(transfer(alice, 65))).toBe('pool.gap')
    expect(codeOf(transfer(alice, 64))).toBeUndefined()
    expect(codeOf(transfer(alice, 0))).toBeUndefined()
    expect(codeOf(transfer(alice, 66))).toBe('pool.gap')
    expect(codeOf(transfer(alice, 65))).toBeUndefined()
    expect(codeOf(transfer(bob, 7 + 65), account(9, 7))).toBe('pool.gap')
    expect(codeOf(transfer(bob, 7 + 64), account(9, 7))).toBeUndefined()
    expect(codeOf(transfer(bob, 6), account(9, 7))).toBe('tx.nonce')
  })

  test('what arrives out of order is handed out in order', () => {
    for (const nonce of [2, 4, 1]) add(transfer(alice, nonce, 10 * nonce))
    expect(pool.select(1_000_000)).toEqual([])
    expect(pool.pendingNonce(alice, account(0, 7))).toBe(0)
    add(transfer(alice, 0))
    expect(nonces(pool.select(1_000_000))).toEqual([0, 1, 2])
    expect(pool.pendingNonce(alice, account(0, 7))).toBe(3)
    expect(pool.pendingNonce(bob, account(0, 7))).toBe(7)
  })

  test.each([
    [0, 1],
    [1, 2],
    [9, 10],
    [10, 11],
    [11, 13],
    [19, 21],
    [20, 22],
    [21, 24],
    [100, 110],
    [101, 112],
  ])('to replace a fee of %i, %i is needed', (old, needed) => {
    add(transfer(alice, 0, old))
    expect(codeOf({ ...transfer(alice, 0, old), amount: 2 })).toBe('pool.replacement')
    expect(codeOf(transfer(alice, 0, needed - 1, 2))).toBe('pool.replacement')
    expect(fees(add(transfer(alice, 0, needed)).removed)).toEqual([old])
    expect(fees()).toEqual([needed])
  })

  test('to replace a fee of 2^53-1 is not possible, and no sum is rounded', () => {
    const most = 9007199254740991
    add(transfer(alice, 0, most - 1), account(most))
    expect(codeOf(transfer(alice, 1), account(most))).toBe('tx.balance')
    expect(codeOf(transfer(alice, 0, most), account(most))).toBe('pool.replacement')
    expect(codeOf(transfer(bob, 0, most, most), account(most))).toBe('tx.balance')
  })

  test('a replacement counts instead of what it replaces, and keeps the others ready', () => {
    add(transfer(alice, 0, 1, 499))
    add(transfer(alice, 1, 0, 500))
    expect(codeOf(transfer(alice, 0, 2, 499))).toBe('tx.balance')
    expect(codeOf(transfer(alice, 0, 2, 498))).toBeUndefined()
    expect(nonces(pool.select(1_000_000))).toEqual([0, 1])
    pool = limited({ maxPerAccount: 1, maxTransactions: 1 })
    add(transfer(alice, 0, 0))
    expect(codeOf(transfer(alice, 0, 1))).toBeUndefined()
    expect(codeOf(transfer(alice, 1, 99))).toBe('pool.account')
  })

  test('all that waits together is covered by the balance', () => {
    add(transfer(alice, 0, 10, 490))
    expect(codeOf(transfer(alice, 1, 1, 500))).toBe('tx.balance')
    expect(codeOf(transfer(alice, 1, 0, 500))).toBeUndefined()
    expect(codeOf(transfer(alice, 2, 0, 1))).toBe('tx.balance')
    expect(codeOf(transfer(bob, 0), NO_ACCOUNT)).toBe('tx.balance')
  })

  test('the first of its rules that fails is the answer', () => {
    pool = limited({ maxPerAccount: 1, maxTransactions: 1 })
    const first = transfer(alice, 5, 10)
    add(first, account(100, 5))
    expect(codeOf(first, account(0, 9))).toBe('pool.known')
    expect(codeOf(transfer(alice, 4, 0, 2000), account(100, 5))).toBe('tx.nonce')
    expect(codeOf(transfer(alice, 5, 10, 2000))).toBe('pool.replacement')
    expect(codeOf(transfer(alice, 6 + 65, 0, 2000))).toBe('pool.gap')
    expect(codeOf(transfer(alice, 6, 0, 2000))).toBe('tx.balance')
    expect(codeOf(transfer(alice, 6, 0))).toBe('pool.account')
    expect(codeOf(transfer(bob, 0, 10))).toBe('pool.full')
    expect(fees()).toEqual([10])
  })

  test('a full pool takes a higher fee for the lowest one, of equal ones for the latest', () => {
    pool = limited({ maxTransactions: 3 })
    add(transfer(alice, 0, 5))
    add(transfer(bob, 0, 3, 1))
    add(transfer(carol, 0, 3, 1))
    const late = person(3)
    expect(codeOf(transfer(late, 0, 3))).toBe('pool.full')
    expect(add(transfer(late, 0, 4)).removed.map(({ transaction }) => transaction.sender)).toEqual([carol])
    expect(fees()).toEqual([5, 3, 4])
  })

  test('nobody pushes out their own earlier ones', () => {
    pool = limited({ maxTransactions: 2 })
    add(transfer(alice, 0, 1))
    add(transfer(alice, 1, 1))
    expect(codeOf(transfer(alice, 2, 100))).toBe('pool.full')
    expect(nonces()).toEqual([0, 1])
    expect(add(transfer(bob, 0, 2)).removed.map(({ transaction }) => transaction.nonce)).toEqual([1])
    expect(nonces(add(transfer(alice, 1, 3)).removed)).toEqual([0])
  })

  test('who loses one in the middle keeps the later ones, which now have a gap before them and go first', () => {
    pool = limited({ maxTransactions: 4 })
    add(transfer(alice, 0, 9))
    add(transfer(alice, 1, 1))
    add(transfer(alice, 2, 50))
    add(transfer(bob, 0, 5))
    expect(fees(add(transfer(carol, 0, 2)).removed)).toEqual([1])
    expect(nonces(pool.select(1_000_000))).toEqual([0, 0, 0])
    expect(pool.pendingNonce(alice, account(0))).toBe(1)
    expect(fees(add(transfer(bob, 1, 0)).removed)).toEqual([50])
  })

  test('an equal fee pushes out nobody, though the lowest is one’s own', () => {
    pool = limited({ maxTransactions: 2 })
    add(transfer(alice, 1, 1))
    add(transfer(bob, 1, 5))
    expect(codeOf(transfer(alice, 2, 5))).toBe('pool.full')
    expect(fees(add(transfer(alice, 2, 6)).removed)).toEqual([5])
  })

  test('high fees with a gap before them buy nothing', () => {
    pool = limited({ maxTransactions: 2 })
    add(transfer(alice, 1, 100))
    add(transfer(bob, 0, 1))
    expect(codeOf(transfer(carol, 3, 100))).toBe('pool.full')
    expect(fees(add(transfer(carol, 3, 101)).removed)).toEqual([100])
    expect(fees(add(transfer(alice, 0, 0)).removed)).toEqual([101])
    expect(codeOf(transfer(carol, 1, 200))).toBe('pool.full')
  })

  test('after a block, what was confirmed goes and all else stays', () => {
    add(transfer(alice, 0, 10, 390))
    add(transfer(alice, 1, 10, 390))
    add(transfer(alice, 2, 0, 200))
    expect(nonces(pool.settle(alice, account(600, 1)))).toEqual([0])
    expect(nonces(pool.select(1_000_000))).toEqual([1, 2])
    expect(codeOf(transfer(alice, 3), account(600, 1))).toBe('tx.balance')
    expect(nonces(pool.settle(alice, account(0, 3))).sort()).toEqual([1, 2])
    expect([pool.size, [...pool.senders()]]).toEqual([0, []])
  })

  test('what can no longer be paid goes, the latest first', () => {
    for (const nonce of [0, 1, 2, 3]) add(transfer(alice, nonce, 0, 100))
    expect(nonces(pool.settle(alice, account(250)))).toEqual([3, 2])
    expect(nonces(pool.select(1_000_000))).toEqual([0, 1])
    expect(codeOf(transfer(alice, 2, 0, 50), account(250))).toBeUndefined()
  })

  test('a nonce taken by another transaction, in a block from elsewhere, is confirmed all the same', () => {
    add(transfer(alice, 0, 5))
    add(transfer(alice, 1, 5))
    expect(nonces(pool.settle(alice, account(10, 1)))).toEqual([0])
    expect(nonces(pool.select(1_000_000))).toEqual([1])
  })

  test('after a reorganisation the nonce moves back, and what was confirmed returns', () => {
    const early = [0, 1, 2].map((nonce) => transfer(alice, nonce, 1))
    pool.settle(alice, account(1000, 3))
    add(transfer(alice, 3, 7), account(1000, 3))
    expect(nonces(pool.select(1_000_000))).toEqual([3])
    expect(pool.settle(alice, account(1000, 0))).toEqual([])
    expect(pool.select(1_000_000)).toEqual([])
    expect(pool.pendingNonce(alice, account(0, 9))).toBe(0)
    for (const some of early) add(some)
    expect(nonces(pool.select(1_000_000))).toEqual([0, 1, 2, 3])
  })

  test('to settle somebody who has nothing waiting changes nothing', () => {
    add(transfer(alice, 0))
    expect(pool.settle(bob, account(0, 5))).toEqual([])
    expect(pool.size).toBe(1)
  })

  test('what found no block within three days expires, to the second', () => {
    add(transfer(alice, 0), account(1000), 1000)
    add(transfer(alice, 1), account(1000), 1001)
    expect(pool.expire(1000 + 259_199)).toEqual([])
    expect(nonces(pool.expire(1000 + 259_200))).toEqual([0])
    expect(pool.select(1_000_000)).toEqual([])
    expect(nonces(pool.expire(1001 + 259_200))).toEqual([1])
    expect(pool.size).toBe(0)
  })

  test('the highest fee comes first among those whose turn it is, the earlier arrival among equals', () => {
    add(transfer(alice, 0, 1))
    add(transfer(alice, 1, 9))
    add(transfer(bob, 0, 5))
    add(transfer(carol, 0, 5))
    add(transfer(person(3), 0, 0))
    add(transfer(bob, 1, 5))
    const chosen = pool.select(1_000_000).map(({ transaction }) => [transaction.sender, transaction.fee])
    expect(chosen).toEqual([
      [bob, 5],
      [carol, 5],
      [bob, 5],
      [alice, 1],
      [alice, 9],
      [person(3), 0],
    ])
  })

  test('what is told of step by step follows what happens between two steps', () => {
    for (const nonce of [0, 1, 2, 3]) add(transfer(alice, nonce, 9))
    add(transfer(bob, 0, 5))
    add(transfer(bob, 1, 5))
    add(transfer(carol, 0, 1))
    const told = pool.inOrder()
    const next = () => {
      const { value } = told.next()
      return value && [value.transaction.sender, value.transaction.nonce, value.transaction.fee]
    }
    expect(next()).toEqual([alice, 0, 9])
    // A block confirms two of hers, one of his is replaced, and what is left of his has a gap before it.
    pool.settle(alice, account(1000, 2))
    expect(next()).toEqual([alice, 2, 9])
    add(transfer(alice, 3, 20), account(1000, 2))
    expect(next()).toEqual([alice, 3, 20])
    pool.settle(bob, account(1000, 1))
    pool.settle(bob, account(1000, 0))
    add(transfer(person(3), 0, 100))
    expect([next(), next(), next()]).toEqual([[carol, 0, 1], [bob, 1, 5], undefined])
  })

  test('what does not fit is left out with all that needs it, and smaller ones still come', () => {
    const long = { ...transfer(alice, 0, 9), memo: 'x'.repeat(256) }
    add(long)
    add(transfer(alice, 1, 8))
    add(transfer(bob, 0, 1))
    const [big, , small] = [...pool.list()].map(({ bytes }) => bytes) as [number, number, number]
    expect(big).toBe(canonicalJson(paperTransaction(long).transaction as unknown as JsonValue).length)
    expect(fees(pool.select(big + 2 - 1))).toEqual([1])
    expect(fees(pool.select(small + 2))).toEqual([1])
    expect(fees(pool.select(small + 1))).toEqual([])
    expect(fees(pool.select(big + 2))).toEqual([9])
    expect(fees(pool.select(big + small + 4))).toEqual([9, 8])
    expect(fees(pool.select(big + 2 * small + 6))).toEqual([9, 8, 1])
    expect(fees(pool.select(big + 2 * small + 5))).toEqual([9, 8])
    expect(pool.size).toBe(3)
  })

  test('by default 50,000 wait, 5,000 of one sender', () => {
    expect(DEFAULT_POOL_LIMITS).toEqual({ maxTransactions: 50_000, maxPerAccount: 5_000, expirySeconds: 259_200 })
    for (let nonce = 0; nonce < 5000; nonce++) add(transfer(alice, nonce), account(10_000))
    expect(codeOf(transfer(alice, 5000), account(10_000))).toBe('pool.account')
    expect(pool.select(100_000_000).length).toBe(5000)
  })
})
