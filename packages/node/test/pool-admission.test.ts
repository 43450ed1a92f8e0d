/** The pool's door: what is answered is on the disk, and what is gone from the pool is gone from the disk. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { DEFAULT_POOL_LIMITS, genesisOf, type PoolLimits, RuleError, type Transaction } from '@bc/core'
import type { AbstractChainedBatch } from 'abstract-level'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { numberedKey } from '../../core/test/support/keys.ts'
import { alice, blockOn, bob, carol, dave, type Site } from '../../core/test/support/site.ts'
import { importLines } from '../src/chain/import-lines.ts'
import type { PoolChange } from '../src/pool/changes.ts'
import type { Level } from '../src/storage/database.ts'
import {
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  newest,
  nothing,
  PEOPLE,
  signedPayment,
  tutorialBody,
  withBlock,
} from './support/ledger-blocks.ts'
import { LATE, ledgerOver, type MemoryLedger, memoryLedger, parsed, records } from './support/ledger-node.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)
const START = genesisSite(RULES)

const open = (limits?: Partial<PoolLimits>) =>
  memoryLedger(RULES, GENESIS_TIME, { limits: { ...DEFAULT_POOL_LIMITS, ...limits } })

const paymentOf = (nonce: number, fee = 0, amount = 1): Transaction =>
  signedPayment(START, alice, dave, amount, fee, nonce)

/** The code of each refusal, `undefined` where there was none. */
async function codesOf(submissions: readonly Promise<unknown>[]): Promise<(string | undefined)[]> {
  const settled = await Promise.allSettled(submissions)
  return settled.map((one) => {
    if (one.status === 'fulfilled') return undefined
    expect(one.reason).toBeInstanceOf(RuleError)
    return (one.reason as RuleError).code
  })
}

async function codeOf(submission: Promise<unknown>): Promise<string | undefined> {
  return (await codesOf([submission]))[0]
}

/** The pool of memory is the pool of the disk: no record too many, none too few, and a restart finds the same. */
async function expectStored(ledger: MemoryLedger, limits?: Partial<PoolLimits>): Promise<void> {
  const stored = await records(ledger.level, ['pool/', 'returning/'])
  const transactions = [...stored.values()].map((text) =>
    JSON.parse(Buffer.from(text, 'latin1').subarray(4).toString()),
  )
  const { pool } = ledger.admission
  expect(transactions.map(({ transaction }) => transaction)).toEqual([...pool.list()].map((one) => one.transaction))
  const restarted = await ledgerOver(ledger.level, GENESIS, { limits: { ...DEFAULT_POOL_LIMITS, ...limits } })
  expect(restarted.waiting).toEqual(ledger.waiting)
  expect([...restarted.admission.pool.list()].map(({ arrivedAt }) => arrivedAt)).toEqual(
    [...pool.list()].map(({ arrivedAt }) => arrivedAt),
  )
}

describe('a body of the tutorial, without nonce and fee', () => {
  test("means the sender's next nonce, one after the other", async () => {
    const ledger = await open()
    for (let nonce = 0; nonce < 5; nonce++) {
      const { transaction } = await ledger.submit(tutorialBody(paymentOf(nonce)))
      expect(transaction).toEqual(paymentOf(nonce))
    }
    expect(await codeOf(ledger.submit(tutorialBody(paymentOf(4))))).toBe('tx.signature')
    expect(await codeOf(ledger.submit(tutorialBody(paymentOf(6))))).toBe('tx.signature')
    await expectStored(ledger)
  })

  for (const count of [2, 20, 300])
    test(`means it too when ${count} arrive at once`, async () => {
      const ledger = await open()
      const bodies = Array.from({ length: count }, (_, nonce) => tutorialBody(paymentOf(nonce)))
      const entries = await Promise.all(bodies.map((body) => ledger.submit(body)))
      expect(entries.map(({ transaction }) => transaction.nonce)).toEqual(bodies.map((_, nonce) => nonce))
      await expectStored(ledger)
    })

  test('of several senders at once, mixed with bodies that name their nonce', async () => {
    const ledger = await open()
    const bodies = Array.from({ length: 90 }, (_, i) => {
      const sender = [alice, bob, carol][i % 3] ?? alice
      const payment = signedPayment(START, sender, dave, 1, 0, Math.floor(i / 3))
      return i % 7 === 0 ? payment : tutorialBody(payment)
    })
    expect(await codesOf(bodies.map((body) => ledger.submit(body)))).toEqual(bodies.map(() => undefined))
    await expectStored(ledger)
  })

  test('twice at once is one payment: the other one is a wrong signature', async () => {
    const ledger = await open()
    const body = tutorialBody(paymentOf(0))
    expect(await codesOf([ledger.submit(body), ledger.submit(body)])).toEqual([undefined, 'tx.signature'])
    const many = Array.from({ length: 50 }, () => ledger.submit(tutorialBody(paymentOf(1))))
    expect((await codesOf(many)).sort()).toEqual([...Array(49).fill('tx.signature'), undefined])
    expect(ledger.waiting).toHaveLength(2)
    await expectStored(ledger)
  })

  test('again after it was confirmed is a wrong signature', async () => {
    const ledger = await open()
    await ledger.submit(tutorialBody(paymentOf(0)))
    await ledger.import(newest(withBlock(START, { payments: [{ from: 0, to: 3, amount: 1, fee: 0 }], after: 1 })))
    expect(ledger.waiting).toEqual([])
    expect(await codeOf(ledger.submit(tutorialBody(paymentOf(0))))).toBe('tx.signature')
  })

  test('of a sender that is no address, no string or missing', async () => {
    const ledger = await open()
    for (const sender of ['', '0', `02${'0'.repeat(72)}`, 7, null, ['a'], {}, undefined]) {
      const code = await codeOf(ledger.submit({ ...tutorialBody(paymentOf(0)), sender }))
      expect(['tx.address', 'tx.shape']).toContain(code)
    }
    expect(await records(ledger.level, ['pool/'])).toEqual(new Map())
  })

  test('with one bad among many is refused alone', async () => {
    const ledger = await open()
    const bodies = Array.from({ length: 40 }, (_, i) => {
      const body = signedPayment(START, numberedSender(i), dave, 1, 0, Math.floor(i / 3))
      return i % 10 === 9 ? { ...body, signature: '0'.repeat(128) } : body
    })
    const codes = await codesOf(bodies.map((body) => ledger.submit(body)))
    expect(codes).toEqual(bodies.map((_, i) => (i % 10 === 9 ? 'tx.signature' : undefined)))
  })
})

function numberedSender(i: number) {
  return [alice, bob, carol][i % 3] ?? alice
}

describe('a body that names its nonce', () => {
  test('is refused the second time: known while it waits, its nonce used once it is confirmed', async () => {
    const ledger = await open()
    await ledger.submit(paymentOf(0))
    expect(await codeOf(ledger.submit(paymentOf(0)))).toBe('pool.known')
    await ledger.import(newest(withBlock(START, { payments: [{ from: 0, to: 3, amount: 1, fee: 0 }], after: 1 })))
    expect(await codeOf(ledger.submit(paymentOf(0)))).toBe('tx.nonce')
    await expectStored(ledger)
  })

  test('twice at once is taken once', async () => {
    const ledger = await open()
    expect(await codesOf([ledger.submit(paymentOf(0)), ledger.submit(paymentOf(0))])).toEqual([undefined, 'pool.known'])
    await expectStored(ledger)
  })

  test('may come in any order, 64 ahead of the first that is missing and no further', async () => {
    const ledger = await open()
    expect(await codeOf(ledger.submit(paymentOf(65)))).toBe('pool.gap')
    for (const nonce of [64, 2, 1, 0]) await ledger.submit(paymentOf(nonce))
    await ledger.submit(paymentOf(67))
    expect(await codeOf(ledger.submit(paymentOf(68)))).toBe('pool.gap')
    expect(ledger.waiting).toHaveLength(5)
    await expectStored(ledger)
  })

  test('at 0 or above, on this chain, with an amount in plain digits', async () => {
    const ledger = await open()
    expect(await codeOf(ledger.submit({ ...paymentOf(0), amount: '0' }))).toBe('tx.number')
    expect(await codeOf(ledger.submit({ ...paymentOf(0), nonce: 1 }))).toBe('tx.signature')
    expect(await codeOf(ledger.submit({ ...paymentOf(0), memo: '' }))).toBeUndefined()
    const elsewhere = genesisSite(easyRules({ miningReward: 51 }))
    expect(await codeOf(ledger.submit(signedPayment(elsewhere, alice, dave, 1, 0, 1)))).toBe('tx.signature')
  })
})

describe('signatures are looked at outside of the door', () => {
  test('those of the next ones while the disk is written to', async () => {
    const ledger = await open()
    let tell = () => {}
    const looked = new Promise<void>((resolve) => {
      tell = resolve
    })
    const [check, write] = [ledger.admission.check.bind(ledger.admission), ledger.store.writePool.bind(ledger.store)]
    ledger.admission.check = async (submissions) => {
      const checked = await check(submissions)
      if (submissions.some((one) => 'fields' in one && one.fields.nonce === 1)) tell()
      return checked
    }
    const began = new Promise<void>((resolve) => {
      ledger.store.writePool = async (...all) => {
        resolve()
        // For ever, unless the next one is looked at meanwhile.
        await looked
        await write(...all)
      }
    })
    const first = ledger.submit(paymentOf(0))
    await began
    const second = ledger.submit(paymentOf(1))
    expect(await codesOf([first, second])).toEqual([undefined, undefined])
    await expectStored(ledger)
  })

  test('nobody overtakes those who came before', async () => {
    const ledger = await open()
    const check = ledger.admission.check.bind(ledger.admission)
    ledger.admission.check = async (submissions) => {
      for (let i = 0; i < 5; i++) await turnOfTheLoop()
      return check(submissions)
    }
    const submissions = [ledger.submit(paymentOf(0))]
    await turnOfTheLoop()
    submissions.push(ledger.submit(tutorialBody(paymentOf(1))), ledger.submit(paymentOf(2)))
    await turnOfTheLoop()
    submissions.push(ledger.submit(tutorialBody(paymentOf(3))))
    expect(await codesOf(submissions)).toEqual(Array(4).fill(undefined))
    expect([...ledger.admission.pool.list()].map(({ transaction }) => transaction.nonce)).toEqual([0, 1, 2, 3])
    await expectStored(ledger)
  })

  test('what nobody could look at fails alone', async () => {
    const ledger = await open()
    const check = ledger.admission.check.bind(ledger.admission)
    ledger.admission.check = () => Promise.reject(new Error('the thread has ended'))
    const failed = [ledger.submit(paymentOf(0)), ledger.submit(paymentOf(1))]
    const behind = ledger.submit(tutorialBody(paymentOf(0, 0, 2)))
    await Promise.all(failed.map((one) => expect(one).rejects.toThrow('the thread has ended')))
    expect((await behind).transaction.nonce).toBe(0)
    ledger.admission.check = check
    await ledger.submit(paymentOf(1))
    expect(ledger.waiting).toHaveLength(2)
  })
})

describe('what is answered was written to last', () => {
  /** Of each batch from now on, whether its write waits for the disk. A process that is killed wouldn't need it. */
  function syncsOf({ level }: MemoryLedger): unknown[] {
    const syncs: unknown[] = []
    const batch: () => AbstractChainedBatch<Level, string, Buffer> = level.batch.bind(level)
    const watched = () => {
      const made = batch()
      const write = made.write.bind(made)
      made.write = (options: { readonly sync?: boolean } = {}) => {
        syncs.push(options.sync)
        return write(options)
      }
      return made
    }
    level.batch = watched as Level['batch']
    return syncs
  }

  test('a transaction', async () => {
    const ledger = await open()
    const syncs = syncsOf(ledger)
    await ledger.submit(paymentOf(0))
    expect(syncs).toEqual([true])
  })

  test('a block, and blocks that come together', async () => {
    const ledger = await open()
    const syncs = syncsOf(ledger)
    const { texts } = grown(START, 3, () => nothing)
    await ledger.chain.import(parsed(texts[1] as string))
    expect(syncs).toEqual([true])
    await ledger.chain.importAll(await ledger.chain.read(texts.slice(2)))
    expect(syncs).toEqual([true, true])
  })

  test('blocks of a file, by the last of its writes', async () => {
    const ledger = await open()
    const syncs = syncsOf(ledger)
    const lines = grown(START, 3, () => nothing).texts.map((text) => Buffer.from(text))
    await importLines(ledger, lines, () => undefined)
    expect(syncs).toEqual([false, true])
  })

  test('a block whose time has come', async () => {
    const ledger = await open()
    const syncs = syncsOf(ledger)
    const early = newest(withBlock(START, { payments: [], after: LATE }))
    expect(await ledger.import(early)).toEqual({ kind: 'early' })
    ledger.clock.now += LATE
    await ledger.chain.importDue()
    expect(syncs).toEqual([true])
    expect(ledger.chain.head.hash).toBe(parsed(early).hash)
  })
})

test('a turn takes 256 of those who wait, so that blocks come in between', async () => {
  const ledger = await open()
  const [check, write] = [vi.spyOn(ledger.admission, 'check'), vi.spyOn(ledger.store, 'writePool')]
  const submissions = await ledger.door.run(async () => {
    const all = Array.from({ length: 600 }, (_, i) =>
      ledger.submit(signedPayment(START, numberedSender(i), dave, 1, 0, Math.floor(i / 3))),
    )
    // Until all of them could have their turn.
    await vi.waitFor(() => expect(check).toHaveBeenCalledTimes(3), 20_000)
    await Promise.all(check.mock.results.map(({ value }) => value))
    return all.map((one) => one.catch(String))
  })
  await Promise.all(submissions)
  expect(write.mock.calls.map(([added]) => added.length)).toEqual([256, 256, 88])
})

test('nobody is let in once it is closed', async () => {
  const ledger = await open()
  ledger.admission.close()
  expect(await codeOf(ledger.submit(paymentOf(0)))).toBe('node.stopping')
  expect(ledger.waiting).toEqual([])
})

describe('a restart', () => {
  test('finds what waited in the order in which it came', async () => {
    const ledger = await open()
    for (let i = 0; i < 60; i++) {
      ledger.clock.now = LATE - 1000 + i
      await ledger.submit(signedPayment(START, numberedSender(i), dave, 1, i % 5, Math.floor(i / 3)))
    }
    await expectStored(ledger)
    const twice = await ledgerOver(ledger.level, GENESIS)
    await expectStored(twice)
    // What comes after a restart doesn't take the place of what was there.
    await twice.submit(paymentOf(20))
    await expectStored(twice)
    expect(twice.waiting).toEqual([...ledger.waiting, twice.waiting.at(-1)])
  })

  test('finds a replaced transaction and all that come after it', async () => {
    const ledger = await open()
    await Promise.all(Array.from({ length: 100 }, (_, nonce) => ledger.submit(paymentOf(nonce))))
    await ledger.submit(paymentOf(0, 1))
    expect(ledger.waiting).toHaveLength(100)
    await expectStored(ledger)
  })

  test('finds what waits far behind one that was pushed out', async () => {
    const ledger = await open({ maxTransactions: 80 })
    for (let nonce = 0; nonce < 80; nonce++) await ledger.submit(paymentOf(nonce, nonce === 5 ? 1 : 2))
    await ledger.submit(signedPayment(START, bob, dave, 1, 10, 0))
    expect(ledger.waiting).toHaveLength(80)
    await expectStored(ledger, { maxTransactions: 80 })
  })

  test('drops what was confirmed in a block that its pool had not heard of', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME, { onHead: async () => undefined })
    for (const nonce of [0, 1, 2]) await ledger.submit(paymentOf(nonce))
    const payments = [0, 1].map(() => ({ from: 0, to: 3, amount: 1, fee: 0 }))
    await ledger.import(newest(withBlock(START, { payments, after: 1 })))
    const restarted = await ledgerOver(ledger.level, GENESIS)
    expect([...restarted.admission.pool.list()].map(({ transaction }) => transaction)).toEqual([paymentOf(2)])
    await expectStored(restarted)
  })

  test('keeps an earlier nonce before a later one that came first, where the coins are for one of them', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME, { onHead: async () => undefined })
    const [later, earlier] = [paymentOf(2, 0, 400_000), paymentOf(1, 0, 400_000)]
    for (const one of [later, earlier]) await ledger.submit(one)
    await ledger.import(newest(withBlock(START, { payments: [{ from: 0, to: 3, amount: 500_000, fee: 0 }], after: 1 })))
    const restarted = await ledgerOver(ledger.level, GENESIS)
    expect([...restarted.admission.pool.list()].map(({ transaction }) => transaction)).toEqual([earlier])
    await expectStored(restarted)
  })

  test('drops what has expired meanwhile', async () => {
    const ledger = await open({ expirySeconds: 100 })
    ledger.clock.now = LATE - 100
    await ledger.submit(paymentOf(0))
    ledger.clock.now = LATE - 99
    await ledger.submit(paymentOf(1))
    const restarted = await ledgerOver(ledger.level, GENESIS, {
      limits: { ...DEFAULT_POOL_LIMITS, expirySeconds: 100 },
    })
    expect([...restarted.admission.pool.list()].map(({ transaction }) => transaction)).toEqual([paymentOf(1)])
    await expectStored(restarted)
  })
})

describe('what leaves the pool leaves the disk', () => {
  test('a replaced one', async () => {
    const ledger = await open()
    await ledger.submit(paymentOf(0, 10))
    expect(await codeOf(ledger.submit(paymentOf(0, 10, 2)))).toBe('pool.replacement')
    await ledger.submit(paymentOf(0, 11))
    expect(await records(ledger.level, ['pool/'])).toHaveProperty('size', 1)
    await expectStored(ledger)
  })

  test('one that was replaced in the very turn in which it came', async () => {
    const ledger = await open()
    const submissions = [10, 11, 20].map((fee) => ledger.submit(paymentOf(0, fee)))
    expect(await codesOf(submissions)).toEqual([undefined, undefined, undefined])
    expect([...ledger.admission.pool.list()].map(({ transaction }) => transaction)).toEqual([paymentOf(0, 20)])
    await expectStored(ledger)
  })

  test('one that was pushed out', async () => {
    const ledger = await open({ maxTransactions: 3 })
    await ledger.submit(signedPayment(START, bob, dave, 1, 5, 0))
    await ledger.submit(signedPayment(START, carol, dave, 1, 1, 0))
    await ledger.submit(paymentOf(0, 3))
    expect(await codeOf(ledger.submit(signedPayment(START, bob, dave, 1, 1, 1)))).toBe('pool.full')
    await ledger.submit(signedPayment(START, bob, dave, 1, 4, 1))
    const senders = [...ledger.admission.pool.list()].map(({ transaction }) => transaction.sender)
    expect(senders).toEqual([bob.address, alice.address, bob.address])
    await expectStored(ledger, { maxTransactions: 3 })
  })

  test('an expired one', async () => {
    const ledger = await open({ expirySeconds: 60 })
    await ledger.submit(paymentOf(0))
    ledger.clock.now += 59
    await ledger.submit(paymentOf(1))
    await ledger.admission.expire()
    expect(ledger.waiting).toHaveLength(2)
    ledger.clock.now++
    await ledger.admission.expire()
    expect([...ledger.admission.pool.list()].map(({ transaction }) => transaction)).toEqual([paymentOf(1)])
    const stored = await records(ledger.level, ['pool/'])
    expect(stored.size).toBe(1)
    const before = await records(ledger.level)
    await ledger.admission.expire()
    expect(await records(ledger.level)).toEqual(before)
  })

  test('a confirmed one, and one that lost its turn or its coins to a block', async () => {
    const ledger = await open()
    await ledger.submit(paymentOf(0))
    await ledger.submit(paymentOf(1, 0, 999_000))
    await ledger.submit(signedPayment(START, bob, dave, 7, 0, 0))
    const payments = [
      { from: 0, to: 3, amount: 2000, fee: 0 },
      { from: 1, to: 3, amount: 8, fee: 0 },
    ]
    await ledger.import(newest(withBlock(START, { payments, after: 1 })))
    expect(ledger.waiting).toEqual([])
    expect(await records(ledger.level, ['pool/'])).toEqual(new Map())
  })
})

test('what a reorganisation makes leave twice is told of once, for the last reason', async () => {
  const changes: PoolChange[] = []
  const ledger: MemoryLedger = await memoryLedger(RULES, GENESIS_TIME, {
    onHead: async (change) => void changes.push(...(await ledger.admission.follow(change))),
  })
  for (const nonce of [0, 1]) await ledger.submit(paymentOf(nonce))
  const paying = (amount: number) => ({ payments: [{ from: 0, to: 3, amount, fee: 0 }], after: 1 })
  await ledger.import(newest(withBlock(START, paying(1))))
  // The second one makes room for the first, which comes back, and finds its nonce used after that.
  for (const text of grown(START, 2, () => paying(2)).texts.slice(1)) await ledger.import(text)
  const told = changes.map((one) => [one.entry.transaction, one.kind === 'dropped' && one.reason])
  expect(told).toEqual([1, 0].map((nonce) => [paymentOf(nonce), 'replaced']))
})

describe('limits', () => {
  test('of one account and of all', async () => {
    const ledger = await open({ maxPerAccount: 2, maxTransactions: 3 })
    await ledger.submit(paymentOf(0))
    await ledger.submit(paymentOf(1))
    expect(await codeOf(ledger.submit(paymentOf(2)))).toBe('pool.account')
    await ledger.submit(signedPayment(START, bob, dave, 1, 0, 0))
    expect(await codeOf(ledger.submit(signedPayment(START, carol, dave, 1, 0, 0)))).toBe('pool.full')
    await expectStored(ledger, { maxPerAccount: 2, maxTransactions: 3 })
  })

  test('of what may wait to be looked at: the next one is told that the node is busy', async () => {
    const ledger = await open()
    const body = { ...paymentOf(0), signature: '0'.repeat(128) }
    const submissions = Array.from({ length: 10_050 }, () => ledger.submit(body))
    const codes = await codesOf(submissions)
    expect(codes.slice(0, 10_000)).toEqual(Array(10_000).fill('tx.signature'))
    expect(codes.slice(10_000)).toEqual(Array(50).fill('node.busy'))
    expect(await codeOf(ledger.submit(paymentOf(0)))).toBeUndefined()
  })

  test('a balance that all waiting ones together may not pass', async () => {
    const ledger = await open()
    await ledger.submit(paymentOf(0, 0, 600_000))
    expect(await codeOf(ledger.submit(paymentOf(1, 1, 400_000)))).toBe('tx.balance')
    await ledger.submit(paymentOf(1, 0, 400_000))
    const poor = numberedKey(999)
    expect(await codeOf(ledger.submit(signedPayment(START, poor, dave, 1, 0, 0)))).toBe('tx.balance')
  })
})

/** Whatever happens in whatever order: memory and disk hold the same. */
describe('any history', () => {
  type Event =
    | { readonly kind: 'submit'; readonly from: number; readonly nonce: number; readonly fee: number }
    | { readonly kind: 'burst'; readonly from: number; readonly count: number }
    | { readonly kind: 'fork'; readonly back: number }
    | { readonly kind: 'mine' | 'wait' | 'restart' }

  const kind = <const K extends string>(...kinds: K[]) => fc.constantFrom(...kinds)
  const event: fc.Arbitrary<Event> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: kind('submit'), from: fc.nat(2), nonce: fc.nat(12), fee: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ kind: kind('burst'), from: fc.nat(2), count: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('fork'), back: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: kind('mine', 'wait', 'restart') }) },
  )
  const limits = { maxTransactions: 12, maxPerAccount: 8, expirySeconds: 50 }

  test('leaves memory and disk alike', () =>
    fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40, size: 'max' }), async (events) => {
        let ledger = await open(limits)
        const trunk = [START]
        for (const one of events) {
          ledger = (await happen(one, ledger, trunk)) ?? ledger
          expect(await ledger.store.head()).toBe(trunk.at(-1)?.parent.hash)
          const stored = await records(ledger.level, ['pool/', 'returning/'])
          expect(stored.size).toBe(ledger.waiting.length)
        }
        const restarted = await ledgerOver(ledger.level, GENESIS, { limits }, ledger.clock.now)
        expect(restarted.waiting).toEqual(ledger.waiting)
      }),
      { numRuns: 150 },
    ))

  /** @returns the ledger after a restart */
  async function happen(one: Event, ledger: MemoryLedger, trunk: Site[]): Promise<MemoryLedger | undefined> {
    switch (one.kind) {
      case 'submit':
        return void (await codeOf(
          ledger.submit(signedPayment(START, numberedSender(one.from), dave, 1, one.fee, one.nonce)),
        ))
      case 'burst':
        return void (await burst(ledger, one.from, one.count))
      case 'wait':
        ledger.clock.now += 30
        return void (await ledger.admission.expire())
      case 'restart':
        return ledgerOver(ledger.level, GENESIS, { limits }, ledger.clock.now)
      case 'mine':
        return void (await mine(ledger, trunk))
      case 'fork':
        return void (await fork(ledger, trunk, one.back))
    }
  }

  async function burst(ledger: MemoryLedger, from: number, count: number): Promise<void> {
    const sender = numberedSender(from)
    const first = ledger.admission.pool.pendingNonce(sender.address, await ledger.store.account(sender.address))
    const bodies = Array.from({ length: count }, (_, i) => signedPayment(START, sender, dave, 1, 0, first + i))
    await codesOf(bodies.map((body) => ledger.submit(tutorialBody(body))))
  }

  async function mine(ledger: MemoryLedger, trunk: Site[]): Promise<void> {
    const payments = ledger.admission.pool.select(100_000).map(({ transaction: { sender, amount, fee } }) => {
      return { from: PEOPLE.findIndex(({ address }) => address === sender), to: PEOPLE.indexOf(dave), amount, fee }
    })
    const site = withBlock(trunk.at(-1) as Site, { payments, after: 10 })
    trunk.push(site)
    await ledger.import(newest(site))
  }

  /** A branch of empty blocks, one longer than what it takes the place of. */
  async function fork(ledger: MemoryLedger, trunk: Site[], back: number): Promise<void> {
    const abandoned = trunk.splice(Math.max(1, trunk.length - back))
    for (let i = 0; i <= abandoned.length; i++) {
      // No branch has the same empty blocks as another one.
      const site = withBlock(trunk.at(-1) as Site, { payments: [], after: 11 + (ledger.chain.head.index % 1000) })
      trunk.push(site)
      await ledger.import(newest(site))
    }
  }
})

test('a full block, and a waiting transaction that has no place in it', async () => {
  const ledger = await open()
  await ledger.submit(paymentOf(0))
  const text = blockOn(START, { transfers: () => [] })
  await ledger.import(text)
  expect(ledger.waiting).toHaveLength(1)
  await expectStored(ledger)
})
