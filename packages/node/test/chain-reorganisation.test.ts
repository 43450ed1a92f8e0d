/** The head moves to another branch: deep, refused on the way, held, tied. */
import { canonicalJson, genesisOf, type Hash, type JsonObject, RuleError } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { alice, blockOn, bob, carol, dave, miner, pay } from '../../core/test/support/site.ts'
import {
  afterRefused,
  type BlockRecipe,
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  newest,
  nothing,
  type Site,
  signedPayment,
  transactionsIn,
  withBlock,
} from './support/ledger-blocks.ts'
import {
  freshImport,
  hashOfText,
  LATE,
  ledgerOver,
  MAIN_STATE,
  type MemoryLedger,
  memoryLedger,
  parsed,
  records,
} from './support/ledger-node.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)

/** The blocks of a site above another one that it stands on. */
function above(site: Site, trunk: Site): readonly string[] {
  return site.texts.slice(trunk.texts.length)
}

async function importAll({ chain }: MemoryLedger, texts: readonly string[]): Promise<string> {
  let last = ''
  for (const text of texts) last = (await chain.import(parsed(text))).kind
  return last
}

async function expectStateOf(ledger: MemoryLedger, site: Site): Promise<void> {
  const fresh = await freshImport(GENESIS, site.texts.slice(1))
  expect(ledger.chain.head).toEqual(fresh.chain.head)
  expect(await records(ledger.level, MAIN_STATE)).toEqual(await records(fresh.level, MAIN_STATE))
}

/** Puts all that waits, in the order in which the pool hands it out, into one more block. */
async function mineWaiting(ledger: MemoryLedger, site: Site): Promise<readonly Hash[]> {
  const chosen = ledger.admission.pool.select(900_000)
  const transactions = chosen.map(({ transaction }) => transaction as unknown as JsonObject)
  const fees = chosen.reduce((sum, { transaction }) => sum + transaction.fee, 0)
  const text = blockOn(site, {
    transfers: () => [],
    reward: (right) => ({ ...right, amount: Number(right.amount) + fees }),
    transactions: ([reward]) => [reward ?? null, ...transactions],
  })
  expect(await ledger.import(text)).toMatchObject({ kind: 'head' })
  return chosen.map(({ id }) => id)
}

async function idsAt({ store }: MemoryLedger, ids: readonly Hash[]): Promise<(number | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await store.transactionPlace(id))?.index))
}

/** Two payments of different senders in every block, and now and then an account of its own. */
const busy = (i: number): BlockRecipe => ({
  payments: [
    { from: i % 2, to: 3, amount: 5, fee: i % 3 },
    { from: 2, to: 4, amount: 1, fee: 1 },
  ],
  after: 10,
  ...(i % 7 === 0 && { rewardTo: 300 + i }),
})

describe('a reorganisation', () => {
  for (const depth of [1, 10, 100, 500])
    test(`of ${depth} ends in the state of a fresh sync, and all that it undid can be confirmed again`, async () => {
      const trunk = grown(genesisSite(RULES), 3, busy)
      const old = grown(trunk, depth, busy)
      const young = grown(trunk, depth + 1, () => nothing)
      const ledger = await memoryLedger(RULES, GENESIS_TIME)
      await importAll(ledger, old.texts.slice(1))
      const undone = above(old, trunk).flatMap((text) => transactionsIn(text))
      expect(undone).toHaveLength(2 * depth)
      expect(await importAll(ledger, above(young, trunk))).toBe('head')
      await expectStateOf(ledger, young)
      const waiting = [...ledger.admission.pool.list()].map(({ transaction }) => transaction)
      expect(waiting).toEqual(undone)
      const restarted = await ledgerOver(ledger.level, GENESIS)
      expect(restarted.waiting).toEqual(ledger.waiting)
      const ids = await mineWaiting(restarted, young)
      expect(ids).toHaveLength(undone.length)
      expect(new Set(await idsAt(restarted, ids))).toEqual(new Set([depth + 6]))
      expect(restarted.waiting).toEqual([])
    }, 120_000)

  test('to a branch that shares transactions, spends the same nonce otherwise and makes other accounts', async () => {
    const trunk = grown(genesisSite(RULES), 2, busy)
    const old = grown(trunk, 30, (i) => ({ ...busy(i), rewardTo: 400 + i }))
    const young = grown(trunk, 31, (i) => (i % 2 === 0 ? busy(i) : { ...busy(i + 1), rewardTo: 500 + i }))
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    await importAll(ledger, [...old.texts.slice(1), ...above(young, trunk)])
    await expectStateOf(ledger, young)
    // And back, and forth again.
    const back = grown(old, 3, busy)
    await importAll(ledger, above(back, old))
    await expectStateOf(ledger, back)
    const forth = grown(young, 4, busy)
    await importAll(ledger, above(forth, young))
    await expectStateOf(ledger, forth)
  })

  test('puts what waits after what it undid, of the same sender', async () => {
    const trunk = genesisSite(RULES)
    // bob's gift lets alice have more waiting than she could afford without it.
    const old = withBlock(trunk, {
      payments: [
        { from: 1, to: 0, amount: 500_000, fee: 0 },
        { from: 0, to: 2, amount: 900_000, fee: 0 },
        { from: 0, to: 2, amount: 50_000, fee: 0 },
      ],
      after: 10,
    })
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    await ledger.import(newest(old))
    await ledger.submit(signedPayment(trunk, alice, dave, 500_000, 9, 2))
    const young = grown(trunk, 2, () => nothing)
    await importAll(ledger, above(young, trunk))
    const [gift, first, second] = transactionsIn(newest(old))
    const waiting = [...ledger.admission.pool.list()].map(({ transaction }) => transaction)
    expect(waiting).toEqual([gift, first, second])
    const restarted = await ledgerOver(ledger.level, GENESIS)
    expect(restarted.waiting).toEqual(ledger.waiting)
    expect(await mineWaiting(restarted, young)).toHaveLength(3)
  })

  test('keeps what waits behind more nonces than may be missing otherwise', async () => {
    const trunk = genesisSite(RULES)
    const old = withBlock(trunk, {
      payments: Array.from({ length: 100 }, () => ({ from: 0, to: 1, amount: 1, fee: 0 })),
      after: 10,
    })
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    await ledger.import(newest(old))
    await ledger.submit(signedPayment(trunk, alice, dave, 1, 0, 150))
    await importAll(
      ledger,
      above(
        grown(trunk, 2, () => nothing),
        trunk,
      ),
    )
    expect(ledger.waiting).toHaveLength(101)
    const restarted = await ledgerOver(ledger.level, GENESIS)
    expect(restarted.waiting).toEqual(ledger.waiting)
  })

  test('that a crash interrupts once the head is on the disk loses no transaction', async () => {
    const trunk = genesisSite(RULES)
    const old = grown(trunk, 3, busy)
    // What a node has done when it is killed between the two: the head is written, its pool hasn't followed.
    const ledger = await memoryLedger(RULES, GENESIS_TIME, { onHead: async () => undefined })
    const before = signedPayment(trunk, alice, dave, 1, 0, 2)
    await importAll(ledger, old.texts.slice(1))
    await ledger.submit(before)
    const young = grown(trunk, 4, () => nothing)
    await importAll(ledger, above(young, trunk))
    const restarted = await ledgerOver(ledger.level, GENESIS)
    const undone = above(old, trunk).flatMap((text) => transactionsIn(text))
    const waiting = [...restarted.admission.pool.list()].map(({ transaction }) => transaction)
    expect(waiting).toHaveLength(undone.length + 1)
    expect(waiting).toEqual(expect.arrayContaining([before, ...undone]))
    expect(await mineWaiting(restarted, young)).toHaveLength(undone.length + 1)
    await expectNothingLeft(restarted)
  })

  test('leaves nothing behind in the pool once all is confirmed', async () => {
    const trunk = genesisSite(RULES)
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    await importAll(ledger, grown(trunk, 5, busy).texts.slice(1))
    const young = grown(trunk, 6, () => nothing)
    await importAll(ledger, above(young, trunk))
    await mineWaiting(ledger, young)
    await expectNothingLeft(ledger)
  })
})

async function expectNothingLeft(ledger: MemoryLedger): Promise<void> {
  const expected = await records(ledger.level, ['meta', 'head', 'journal', 'block', 'entry', ...MAIN_STATE])
  expect([...(await records(ledger.level)).keys()].filter((at) => !expected.has(at))).toEqual([])
}

describe('a branch that the ledger refuses', () => {
  /** Alice has 1,000,000: half of it goes to carol on both branches, and then all of it once more. */
  const trunk = genesisSite(RULES)
  const old = grown(trunk, 4, busy)
  const start = grown(trunk, 2, () => nothing)
  const overdrawn = blockOn(start, { transfers: () => [pay(start, alice, carol, 1_000_001, 0)] })
  const refused = afterRefused(start, overdrawn)

  async function refusedFor(ledger: MemoryLedger, text: string): Promise<RuleError> {
    const error = await ledger.import(text).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RuleError)
    return error as RuleError
  }

  async function refusalOf(ledger: MemoryLedger, text: string): Promise<string> {
    return (await refusedFor(ledger, text)).code
  }

  test('is found out when it would be the best; all of it from there on is remembered', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    await importAll(ledger, old.texts.slice(1))
    const { head } = ledger.chain
    const branch = grown(refused, 1, () => nothing)
    expect(await importAll(ledger, above(branch, trunk))).toBe('beside')
    const before = await records(ledger.level, [...MAIN_STATE, 'pool/'])
    const tip = newest(grown(branch, 1, () => nothing))
    const { code, message, data } = await refusedFor(ledger, tip)
    expect([code, data.hash]).toEqual(['tx.balance', hashOfText(overdrawn)])
    expect(message).toMatch(/^Block 4, on which it stands: Transaction 1: /)
    expect(ledger.chain.head).toBe(head)
    expect(await records(ledger.level, [...MAIN_STATE, 'pool/'])).toEqual(before)
    await expectStateOf(ledger, old)
    const codes = await Promise.all(
      above(branch, trunk).map(async (text) => (await ledger.store.entry(hashOfText(text)))?.refused),
    )
    expect(codes).toEqual([undefined, undefined, 'tx.balance', 'tx.balance'])
    expect(await ledger.store.entry(hashOfText(tip))).toBeUndefined()

    // Whatever is built on them is refused for the same reason, and so are they themselves.
    const stored = await records(ledger.level)
    const beside = newest(withBlock(refused, { payments: [], after: 1 }))
    for (const text of [overdrawn, newest(branch), tip, beside])
      expect(await refusalOf(ledger, text)).toBe('tx.balance')
    expect(await records(ledger.level)).toEqual(stored)

    // The good part of the branch is as good as before.
    const good = grown(start, 3, busy)
    expect(await importAll(ledger, above(good, start))).toBe('head')
    await expectStateOf(ledger, good)
    const restarted = await ledgerOver(ledger.level, GENESIS)
    expect(await refusalOf(restarted, beside)).toBe('tx.balance')
  })

  test('spends the same coins as the other branch: each is fine alone', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    const spent = withBlock(trunk, { payments: [{ from: 0, to: 1, amount: 900_000, fee: 0 }], after: 10 })
    const again = withBlock(trunk, { payments: [{ from: 0, to: 2, amount: 800_000, fee: 0 }], after: 11 })
    // On the second branch, alice's payment of the first one: her nonce has been used there.
    const [payment] = transactionsIn(newest(spent))
    const doubled = blockOn(again, {
      transfers: () => [],
      transactions: ([reward]) => [reward ?? null, payment as unknown as JsonObject],
    })
    const branch = afterRefused(again, doubled)
    await importAll(ledger, [newest(spent), newest(again)])
    expect(ledger.chain.head.hash).toBe(hashOfText(newest(spent)))
    expect(await refusalOf(ledger, doubled)).toBe('tx.nonce')
    expect(ledger.chain.head.hash).toBe(hashOfText(newest(spent)))
    // It isn't stored, so what is built on it waits for a parent.
    expect(await importAll(ledger, [newest(grown(branch, 1, () => nothing))])).toBe('orphan')
    await expectStateOf(ledger, spent)
    const good = grown(again, 1, () => nothing)
    expect(await importAll(ledger, [newest(good)])).toBe('head')
    await expectStateOf(ledger, good)
    // What the ledger now refuses was never the pool's to keep.
    expect(ledger.waiting).toEqual([])
  })

  test('may come as orphans, the refused block last', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    const branch = grown(refused, 4, () => nothing)
    const [first, second, bad, ...above_] = above(branch, trunk) as [string, string, string, ...string[]]
    await importAll(ledger, [...above(old, trunk), first, second])
    expect(await importAll(ledger, above_.toReversed())).toBe('orphan')
    // The bad block alone has less work than the head: it is kept beside, and its children find it out.
    expect(await importAll(ledger, [bad])).toBe('beside')
    expect(ledger.heldRefused.map(({ code }) => code)).toEqual(['tx.balance'])
    await expectStateOf(ledger, old)
    expect(await refusalOf(ledger, bad)).toBe('tx.balance')
    for (const text of above_) expect(['orphan', 'tx.balance', 'known']).toContain(await answerOf(ledger, text))
    await expectStateOf(ledger, old)
  })

  async function answerOf(ledger: MemoryLedger, text: string): Promise<string> {
    return ledger.import(text).then(
      ({ kind }) => kind,
      (error: RuleError) => error.code,
    )
  }
})

describe('blocks that wait', () => {
  const start = genesisSite(RULES)

  test('from the future: held, then imported with all that waited for them', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    ledger.clock.now = GENESIS_TIME
    const early = withBlock(start, { payments: [], after: 121 })
    const next = withBlock(early, { payments: [], after: 0 })
    const later = withBlock(next, { payments: [], after: 1 })
    const before = await records(ledger.level)
    expect(await importAll(ledger, [newest(early)])).toBe('early')
    expect(await importAll(ledger, [newest(early)])).toBe('known')
    expect(await importAll(ledger, [newest(next)])).toBe('orphan')
    expect(await importAll(ledger, [newest(later)])).toBe('orphan')
    await ledger.chain.importDue()
    expect(await records(ledger.level)).toEqual(before)
    ledger.clock.now++
    await ledger.chain.importDue()
    // The third is a second further ahead, and its time has not come.
    expect(ledger.chain.head.hash).toBe(hashOfText(newest(next)))
    await ledger.chain.importDue()
    expect(ledger.chain.head.hash).toBe(hashOfText(newest(next)))
    ledger.clock.now++
    await ledger.chain.importDue()
    await expectStateOf(ledger, later)
    expect(ledger.heldRefused).toEqual([])
  })

  test('120 seconds ahead is not too early', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    ledger.clock.now = GENESIS_TIME
    expect(await importAll(ledger, [newest(withBlock(start, { payments: [], after: 120 }))])).toBe('head')
  })

  test('a clock that was set back neither loses nor refuses what is stored', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    const site = grown(start, 5, busy)
    await importAll(ledger, site.texts.slice(1))
    const restarted = await ledgerOver(ledger.level, GENESIS, {}, GENESIS_TIME - 1_000_000)
    await expectStateOf(restarted, site)
    expect(await importAll(restarted, [newest(grown(site, 1, busy))])).toBe('early')
    restarted.clock.now = LATE
    await restarted.chain.importDue()
    expect(restarted.chain.head.index).toBe(7)
  })

  test('a block from the future that turns out wrong is refused when its time comes', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    ledger.clock.now = GENESIS_TIME
    const bad = blockOn(start, {
      transfers: () => [pay(start, bob, carol, 1_000_001, 0)],
      fields: { timestamp: GENESIS_TIME + 500 },
    })
    expect(await importAll(ledger, [bad])).toBe('early')
    ledger.clock.now = LATE
    await ledger.chain.importDue()
    expect(ledger.heldRefused).toEqual([{ hash: hashOfText(bad), code: 'tx.balance' }])
    expect(ledger.chain.head.index).toBe(1)
  })

  test('a block from the future is refused at once for what is wrong with it at any time', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    ledger.clock.now = GENESIS_TIME
    const bad = blockOn(start, { transactions: () => [], fields: { timestamp: GENESIS_TIME + 500 } })
    await expect(ledger.import(bad)).rejects.toMatchObject({ code: 'block.reward' })
  })

  test('orphans are bounded: the oldest leaves first', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    const site = grown(start, 111, () => nothing)
    const [first, ...others] = above(site, start) as [string, ...string[]]
    const before = await records(ledger.level)
    // 110 of them, so that the lowest ten are gone when the first comes.
    await importAll(ledger, others)
    expect(await records(ledger.level)).toEqual(before)
    await importAll(ledger, [first])
    expect(ledger.chain.head.index).toBe(2)
    await importAll(ledger, others.slice(0, 9))
    expect(ledger.chain.head.index).toBe(11)
    await importAll(ledger, others.slice(9, 10))
    await expectStateOf(ledger, site)
  })

  test('blocks too early are bounded as well', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    ledger.clock.now = GENESIS_TIME
    const many = Array.from({ length: 101 }, (_, i) => newest(withBlock(start, { payments: [], after: 1000 + i })))
    await importAll(ledger, many)
    ledger.clock.now = LATE
    await ledger.chain.importDue()
    const stored = await Promise.all(
      many.map(async (text) => (await ledger.store.entry(hashOfText(text))) !== undefined),
    )
    expect(stored).toEqual(many.map((_, i) => i > 0))
  })
})

describe('a tie', () => {
  const start = grown(genesisSite(RULES), 2, busy)
  const [one, other] = [grown(start, 3, busy), grown(start, 3, () => nothing)]

  for (const [name, first, second] of [
    ['one', one, other],
    ['the other', other, one],
  ] as const)
    test(`leaves the branch that was seen first: ${name}`, async () => {
      const ledger = await memoryLedger(RULES, GENESIS_TIME)
      await importAll(ledger, first.texts.slice(1))
      expect(await importAll(ledger, above(second, start))).toBe('beside')
      await expectStateOf(ledger, first)
      const restarted = await ledgerOver(ledger.level, GENESIS)
      await expectStateOf(restarted, first)
      expect(await importAll(restarted, above(second, start))).toBe('known')
      await expectStateOf(restarted, first)
    })

  test('between branches that came as orphans: the one whose first block was connected first', async () => {
    const ledger = await memoryLedger(RULES, GENESIS_TIME)
    await importAll(ledger, start.texts.slice(1))
    await importAll(ledger, [...above(one, start).toReversed().slice(0, 2), ...above(other, start).toReversed()])
    await importAll(ledger, above(one, start).slice(0, 1))
    await expectStateOf(ledger, other)
  })
})

test('a block is one block whatever its spelling', async () => {
  const ledger = await memoryLedger(RULES, GENESIS_TIME)
  const site = withBlock(genesisSite(RULES), busy(1))
  const text = newest(site)
  const spelled = JSON.stringify(JSON.parse(text), null, 2)
  expect(spelled).not.toBe(text)
  expect(canonicalJson(JSON.parse(spelled))).toBe(text)
  await importAll(ledger, [spelled])
  await expectStateOf(ledger, site)
  expect((await ledger.store.mainBlockTexts(2, 2)).map(String)).toEqual([text])
  expect(miner.address in RULES.allocations).toBe(false)
})
