/** Blocks of a file are read and imported by the hundred: what comes of them is what comes of them one by one. */
import { canonicalJson, genesisOf, isJsonObject, parseBlock, parseJson, RuleError } from '@bc/core'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { alice, blockOn, bob, extended, pay } from '../../core/test/support/site.ts'
import { type ImportCount, ImportRefused, importLines } from '../src/chain/import-lines.ts'
import {
  afterRefused,
  type BlockRecipe,
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  newest,
  withBlock,
} from './support/ledger-blocks.ts'
import { LATE, ledgerOver, type MemoryLedger, memoryLevel, parsed, records, textOf } from './support/ledger-node.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)
const OTHER_GENESIS = genesisOf(easyRules({ miningReward: 51 }), GENESIS_TIME)

const busy = (i: number): BlockRecipe => ({
  payments: [{ from: i % 3, to: (i + 1) % 3, amount: 1 + i, fee: 1 }],
  after: 10,
})
const idle = (): BlockRecipe => ({ payments: [], after: 7 })

const fork = grown(genesisSite(RULES), 90, busy)
const trunk = grown(fork, 150, (i) => busy(90 + i))
const branch = grown(fork, 170, idle)
const early = withBlock(trunk, { payments: [], after: LATE })
const afterEarly = grown(early, 3, idle)

interface Said extends Omit<ImportCount, 'beside'> {
  readonly line?: number
  readonly code?: string
}

/** How many stand beside is for the tests below: they are the blocks of a branch that came before its head. */
async function together(ledger: MemoryLedger, lines: readonly Uint8Array[]): Promise<Said> {
  const { beside: _, ...said } = await counted(ledger, lines)
  return said
}

async function counted(
  ledger: MemoryLedger,
  lines: readonly Uint8Array[],
): Promise<Said & Pick<ImportCount, 'beside'>> {
  try {
    return await importLines(ledger, lines, () => undefined)
  } catch (error) {
    if (!(error instanceof ImportRefused)) throw error
    return { ...error.count, line: error.line, code: error.rule.code }
  }
}

/** The same by the door for single blocks. */
async function oneByOne(ledger: MemoryLedger, lines: readonly Uint8Array[]): Promise<Said> {
  const count = { imported: 0, known: 0 }
  await ledger.chain.importDue()
  for (const [i, line] of lines.entries())
    try {
      count[await importLine(ledger, line)]++
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      return { ...count, line: i + 1, code: error.code }
    }
  return count
}

async function importLine({ chain, store }: MemoryLedger, line: Uint8Array): Promise<'imported' | 'known'> {
  const value = parseJson(line)
  if (isJsonObject(value) && value.index === 1 && value.rules !== undefined) {
    if (canonicalJson(value) === textOf(chain.genesis)) return 'known'
    throw new RuleError('block.genesis', 'another one')
  }
  const block = parseBlock(value)
  if (!(await store.entry(block.block.previous_hash))) throw new RuleError('block.previous_hash', 'not here')
  const { kind } = await chain.import(block)
  if (kind === 'head' || kind === 'beside') return 'imported'
  if (kind === 'known' && (await store.entry(block.hash))) return 'known'
  throw new RuleError('block.timestamp', 'not yet')
}

async function ledger(): Promise<MemoryLedger> {
  return ledgerOver(await memoryLevel(), GENESIS)
}

/** What a file may hold, a piece of it at a time. */
function pieces(): fc.Arbitrary<readonly Uint8Array[]> {
  const bytes = (text: string) => Buffer.from(text)
  const slice = (texts: readonly string[]) =>
    fc
      .tuple(fc.nat(texts.length - 1), fc.nat(texts.length))
      .map(([from, count]) => texts.slice(from, from + count).map(bytes))
  const one = fc.constantFrom(...trunk.texts.slice(1, 120))
  const damaged = fc.oneof(
    one.map((text) => bytes(text.replace('"amount": 50', '"amount": 51'))),
    one.map((text) => bytes(text.replace('}', ''))),
    // No UTF-8.
    one.map((text) => Buffer.concat([bytes(text.slice(0, 40)), Buffer.of(0xff), bytes(text.slice(40))])),
    fc.constantFrom('7', 'null', '{}', '{"index": 1}', '', textOf(OTHER_GENESIS)).map(bytes),
    one.map((text) => bytes(text.replace(/"index": \d+/, '"index": 1'))),
  )
  return fc.oneof(
    { weight: 3, arbitrary: slice(trunk.texts) },
    // From the start, so that much of it goes in.
    { weight: 6, arbitrary: fc.nat(trunk.texts.length).map((end) => trunk.texts.slice(0, end).map(bytes)) },
    { weight: 3, arbitrary: slice(branch.texts) },
    { weight: 2, arbitrary: fc.nat(3).map((end) => afterEarly.texts.slice(-4, -4 + end || undefined).map(bytes)) },
    { weight: 2, arbitrary: one.map((text) => [bytes(JSON.stringify(JSON.parse(text)))]) },
    { weight: 1, arbitrary: damaged.map((line) => [line]) },
    { weight: 1, arbitrary: fc.constant([bytes(textOf(GENESIS))]) },
  )
}

describe('lines of a file', () => {
  test('leave what they leave one by one, and are counted the same', { timeout: 120_000 }, async () => {
    const files = fc.array(pieces(), { minLength: 1, maxLength: 6 }).map((parts) => parts.flat())
    await fc.assert(
      fc.asyncProperty(files, files, async (lines, later) => {
        const [one, other] = [await ledger(), await ledger()]
        for (const file of [lines, later]) {
          expect(await together(one, file)).toEqual(await oneByOne(other, file))
          await expectSame(one, other)
        }
        // Nor is anything held that the other doesn't hold.
        for (const { clock, chain } of [one, other]) {
          clock.now += LATE
          await chain.importDue()
        }
        await expectSame(one, other)
      }),
      { numRuns: 60 },
    )
  })

  test('are written by the hundred', async () => {
    const fresh = await ledger()
    const write = vi.spyOn(fresh.store, 'writeHead')
    const lines = trunk.texts.map((text) => Buffer.from(text))
    expect(await together(fresh, lines)).toEqual({ imported: 240, known: 1 })
    expect(write.mock.calls.map(([, adopted]) => adopted.length)).toEqual([99, 100, 41])
  })

  test('are not verified again where they are known, and what is new among them is', async () => {
    const fresh = await ledger()
    const lines = trunk.texts.map((text) => Buffer.from(text))
    await together(fresh, lines.slice(0, 150))
    const report = vi.spyOn(fresh.chain, 'readEach')
    expect(await together(fresh, lines.slice(0, 150))).toEqual({ imported: 0, known: 150 })
    expect(report.mock.calls.flatMap(([texts]) => texts)).toEqual([])
    expect(await together(fresh, lines)).toEqual({ imported: 91, known: 150 })
    expect(report.mock.calls.flatMap(([texts]) => texts)).toEqual(trunk.texts.slice(150))
  })

  test('of a branch that the ledger has refused are refused again', async () => {
    const fresh = await ledger()
    const start = grown(genesisSite(RULES), 2, idle)
    const wrong = blockOn(start, { transfers: () => [pay(start, alice, bob, 1_000_001, 0)] })
    const lines = grown(afterRefused(start, wrong), 3, idle).texts.map((text) => Buffer.from(text))
    await together(
      fresh,
      trunk.texts.slice(0, 5).map((text) => Buffer.from(text)),
    )
    // Line 6 brings it to light, and the fault is that of line 4.
    expect(await counted(fresh, lines)).toEqual({ imported: 2, beside: 2, known: 1, line: 4, code: 'tx.balance' })
    const again = await counted(fresh, lines)
    expect(again).toEqual({ imported: 0, beside: 0, known: 3, line: 4, code: 'tx.balance' })
  })

  test('of a branch are said to stand beside the main chain until it has the most work', async () => {
    const fresh = await ledger()
    const start = genesisSite(RULES)
    const lines = (site: typeof start, from: number) => site.texts.slice(from).map((text) => Buffer.from(text))
    await together(fresh, lines(grown(start, 4, busy), 0))
    const side = grown(start, 6, idle)
    expect(await counted(fresh, lines(side, 1).slice(0, 3))).toEqual({ imported: 3, beside: 3, known: 0 })
    expect(await counted(fresh, lines(side, 4))).toEqual({ imported: 3, beside: 0, known: 0 })
    const other = grown(start, 8, (i) => ({ ...idle(), after: 9 + i }))
    expect(await counted(fresh, lines(other, 0))).toEqual({ imported: 8, beside: 0, known: 1 })
  })

  test('whose reward is false are refused beside the main chain as well', async () => {
    const start = genesisSite(RULES)
    for (const change of [{ amount: 59 }, { recipient: 'x' }, { nonce: 7 }]) {
      const fresh = await ledger()
      await together(
        fresh,
        grown(start, 3, idle).texts.map((text) => Buffer.from(text)),
      )
      const bad = blockOn(start, { reward: (right) => ({ ...right, ...change }) })
      const said = await counted(fresh, [Buffer.from(bad)])
      expect(said).toEqual({ imported: 0, beside: 0, known: 0, line: 1, code: 'block.reward' })
    }
  })

  test('that claim the index of genesis are judged as blocks, unless they have rules', async () => {
    const second = blockOn(genesisSite(RULES), { fields: { index: 1 } })
    for (const [line, code] of [
      [second, 'block.index'],
      ['{"index": 1}', 'block.shape'],
      [textOf(OTHER_GENESIS), 'block.genesis'],
    ] as const) {
      const said = await together(
        await ledger(),
        [textOf(GENESIS), line].map((text) => Buffer.from(text)),
      )
      expect(said).toEqual({ imported: 0, known: 1, line: 2, code })
    }
  })

  test('may be as long as the genesis block is, in any spelling', async () => {
    const addresses = Array.from({ length: 30_000 }, (_, i) => String(i).padStart(74, '0'))
    const rules = easyRules({ allocations: Object.fromEntries(addresses.map((address) => [address, 1])) })
    const fresh = await ledgerOver(await memoryLevel(), genesisOf(rules, GENESIS_TIME))
    const line = Buffer.from(JSON.stringify(fresh.chain.genesis))
    expect(line.length).toBeGreaterThan(2_000_000)
    expect(await together(fresh, [line])).toEqual({ imported: 0, known: 1 })
  })

  test('are asked for no longer than they are wanted', async () => {
    const fresh = await ledger()
    const lines = trunk.texts.map((text) => Buffer.from(text))
    let asked = 0
    const unwanted = () => {
      if (++asked > 2) throw new RuleError('node.stopping', 'Not now.')
    }
    await expect(importLines(fresh, lines, unwanted)).rejects.toMatchObject({
      rule: { code: 'node.stopping' },
      count: { imported: 99, known: 1 },
      line: 101,
    })
    expect(fresh.chain.head.hash).toBe(parsed(trunk.texts[99] as string).hash)
  })

  test('are UTF-8: what stands for bytes that are none would make a good block', async () => {
    const start = genesisSite(RULES)
    const block = extended(start, { transfers: () => [pay(start, alice, bob, 1, 1, { memo: '\ufffd' })] })
    const text = newest(block).replace('\\ufffd', '\ufffd')
    expect(text).toContain('\ufffd')
    const line = Buffer.from(text)
    const at = line.indexOf('\ufffd')
    const spoilt = Buffer.concat([line.subarray(0, at), Buffer.of(0xff), line.subarray(at + 3)])
    expect(await together(await ledger(), [spoilt])).toEqual({
      imported: 0,
      known: 0,
      line: 1,
      code: 'message.malformed',
    })
    expect(await together(await ledger(), [line])).toEqual({ imported: 1, known: 0 })
  })

  test('behind an early one are not held for later', async () => {
    const fresh = await ledger()
    const lines = afterEarly.texts.map((text) => Buffer.from(text))
    const said = { imported: 240, known: 1, line: 242, code: 'block.timestamp' }
    expect(await together(fresh, lines)).toEqual(said)
    // What is held isn't here yet.
    expect(await together(fresh, lines)).toEqual({ ...said, imported: 0, known: 241 })
    fresh.clock.now += LATE
    await fresh.chain.importDue()
    expect(fresh.chain.head.hash).toBe(parsed(newest(early)).hash)
  })

  test('are taken where the first stands on one whose time has come since', async () => {
    const fresh = await ledger()
    const lines = afterEarly.texts.map((text) => Buffer.from(text))
    await together(fresh, lines.slice(0, 242))
    fresh.clock.now += LATE
    expect(await together(fresh, lines.slice(242))).toEqual({ imported: 3, known: 0 })
  })
})

async function expectSame(one: MemoryLedger, other: MemoryLedger): Promise<void> {
  expect(one.chain.head).toEqual(other.chain.head)
  const kept = ['head', 'account/', 'main/', 'undo/', 'tx/', 'block/', 'entry/']
  expect(await records(one.level, kept)).toEqual(await records(other.level, kept))
}
