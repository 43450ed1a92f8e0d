/** Many blocks in one turn at the door: what is written, and what is told, is that of single ones, in fewer pieces. */
import { genesisOf, sha256Hex } from '@bc/core'
import { describe, expect, test, vi } from 'vitest'
import { alice, bob, extended, pay, type Site } from '../../core/test/support/site.ts'
import type { HeadChange } from '../src/chain/head-change.ts'
import { RecentAccounts } from '../src/chain/recent-accounts.ts'
import { curve, freshImport, ledgerOver, MAIN_STATE, memoryLevel, records } from './support/ledger-node.ts'
import { GENESIS_TIME, genesisSite, grown, networkRules } from './support/network-chain.ts'

const rules = networkRules()
const genesis = genesisOf(rules, GENESIS_TIME)

/** Ten blocks; Alice pays Bob in each of them. */
function paidChain(): Site {
  let site = genesisSite(rules)
  for (let i = 1; i <= 10; i++) {
    const before = site
    site = extended(before, { transfers: () => [pay(before, alice, bob, i, 1)] })
  }
  return site
}

const texts = paidChain().texts.slice(1)
const longer = grown(paidChain(), 2).texts.slice(1)

async function ledger(onHead?: (change: HeadChange) => Promise<void>) {
  return ledgerOver(await memoryLevel(), genesis, onHead && { onHead })
}

describe('blocks that extend the head', () => {
  test('are written in one batch, told of once, and leave what they leave one by one', async () => {
    const changes: HeadChange[] = []
    const together = await ledger(async (change) => void changes.push(change))
    const write = vi.spyOn(together.store, 'writeHead')
    const outcomes = await together.chain.importAll(await together.chain.read(texts))
    expect(outcomes.map(({ kind }) => kind)).toEqual(texts.map(() => 'head'))
    expect(write).toHaveBeenCalledTimes(1)
    expect(changes.map(({ head, abandoned, adopted }) => [head, abandoned.length, adopted.length])).toEqual([
      [together.chain.head, 0, texts.length],
    ])
    const single = await freshImport(genesis, texts)
    expect(await records(together.level, MAIN_STATE)).toEqual(await records(single.level, MAIN_STATE))
    expect(together.chain.head).toEqual(single.chain.head)
  })

  test('are all there or none: where the write fails the head stays', async () => {
    const together = await ledger()
    const { head } = together.chain
    const before = await records(together.level)
    vi.spyOn(together.store, 'writeHead').mockRejectedValueOnce(new Error('the disk is full'))
    const blocks = await together.chain.read(texts)
    await expect(together.chain.importAll(blocks)).rejects.toThrow('the disk is full')
    expect(together.chain.head).toBe(head)
    expect(await records(together.level)).toEqual(before)
    // Nor does it remember accounts of blocks that were not written.
    await together.chain.importAll(blocks)
    const single = await freshImport(genesis, texts)
    expect(await records(together.level, MAIN_STATE)).toEqual(await records(single.level, MAIN_STATE))
  })

  test('are written in several batches where there are many transactions', async () => {
    const many = grown(genesisSite(rules), 1_600).texts.slice(1)
    const together = await ledger()
    const write = vi.spyOn(together.store, 'writeHead')
    await together.chain.importAll(await together.chain.read(many))
    expect(together.chain.head.index).toBe(1_601)
    expect(write).toHaveBeenCalledTimes(2)
  })

  test('bring in what was waiting for them', async () => {
    const together = await ledger()
    expect((await together.import(longer.at(-1) as string)).kind).toBe('orphan')
    await together.chain.importAll(await together.chain.read(longer.slice(0, -1)))
    expect(together.chain.head.index).toBe(longer.length + 1)
  })
})

describe('other blocks', () => {
  test('that are there already are known, also between those that are not', async () => {
    const together = await ledger()
    for (const text of texts.slice(0, 3)) await together.import(text)
    const outcomes = await together.chain.importAll(await together.chain.read(longer))
    expect(outcomes.map(({ kind }) => kind)).toEqual(longer.map((_, i) => (i < 3 ? 'known' : 'head')))
    const again = await together.chain.importAll(await together.chain.read(longer))
    expect(again.every(({ kind }) => kind === 'known')).toBe(true)
  })

  test('of another branch are kept beside until it has more work, and then are the chain', async () => {
    const other = grown(genesisSite(rules), texts.length + 1, 7).texts.slice(1)
    const together = await ledger()
    await together.chain.importAll(await together.chain.read(texts))
    const outcomes = await together.chain.importAll(await together.chain.read(other))
    expect(outcomes.map(({ kind }) => kind)).toEqual([...texts.map(() => 'beside'), 'head'])
    const single = await freshImport(genesis, other)
    expect(await records(together.level, MAIN_STATE)).toEqual(await records(single.level, MAIN_STATE))
  })

  test('that lack a block before them wait', async () => {
    const together = await ledger()
    const gap = [...texts.slice(0, 4), ...texts.slice(5)]
    const outcomes = await together.chain.importAll(await together.chain.read(gap))
    expect(outcomes.map(({ kind }) => kind)).toEqual(gap.map((_, i) => (i < 4 ? 'head' : 'orphan')))
    await together.import(texts[4] as string)
    expect(together.chain.head.index).toBe(texts.length + 1)
  })
})

describe('read', () => {
  test('takes any spelling of a block, and its canonical JSON is what counts', async () => {
    const { chain } = await ledger()
    const spelled = texts.map((text, i) => (i % 2 === 0 ? JSON.stringify(JSON.parse(text), undefined, 2) : text))
    const blocks = await chain.read(spelled)
    expect(blocks.map(({ parsed }) => parsed.canonical)).toEqual(texts)
    expect(blocks.map(({ parsed }) => parsed.hash)).toEqual(texts.map((text) => sha256Hex(text)))
  })

  test('refuses all of them where one is no block', async () => {
    const { chain } = await ledger()
    await expect(chain.read([texts[0] as string, '{}'])).rejects.toMatchObject({ code: 'block.shape' })
    await expect(chain.read([texts[0] as string, '{"a": 1.5}'])).rejects.toMatchObject({ code: 'message.malformed' })
  })

  test('says no less than the door asks: a report too few is a bug that shows', async () => {
    const { chain } = await ledger()
    vi.spyOn(curve, 'report').mockResolvedValueOnce([])
    await expect(chain.read(texts)).rejects.toThrow(TypeError)
  })
})

test('recent accounts are those of the disk: loaded once, changed by what is written, forgotten when told to', async () => {
  const account = (balance: number) => ({ balance, nonce: 0 }) as never
  const disk = new Map([[alice.address, account(1)]])
  const stored = vi.fn(async (addresses: readonly (typeof alice.address)[]) => {
    return new Map([...disk].filter(([address]) => addresses.includes(address)))
  })
  const recent = new RecentAccounts(stored)
  expect(await recent.load([alice.address, bob.address])).toEqual(disk)
  expect(await recent.load([bob.address, alice.address])).toEqual(disk)
  expect(stored).toHaveBeenCalledTimes(1)
  recent.written(
    new Map([
      [alice.address, undefined],
      [bob.address, account(2)],
    ]),
  )
  expect(await recent.load([alice.address, bob.address])).toEqual(new Map([[bob.address, account(2)]]))
  recent.forget()
  expect(await recent.load([alice.address, bob.address])).toEqual(disk)
  expect(stored).toHaveBeenCalledTimes(2)
})

test('recent accounts are 20,000 at the most: with one more all are loaded anew', async () => {
  const stored = vi.fn(async () => new Map())
  const recent = new RecentAccounts(stored)
  const addresses = Array.from({ length: 20_001 }, (_, i) => `${i}` as typeof alice.address)
  const [first, ...others] = addresses as [typeof alice.address]
  for (const some of [others, others, [first], others]) await recent.load(some)
  expect(stored.mock.calls).toEqual([[others], [[first]], [others]])
  for (const address of addresses) recent.written(new Map([[address, undefined]]))
  await recent.load([first])
  expect(stored).toHaveBeenCalledTimes(4)
})
