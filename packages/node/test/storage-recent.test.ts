/** Blocks that were asked for lately are answered from memory: what is answered is what the main chain is now. */
import { genesisOf } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { RewindStore } from '../src/dev/rewind-store.ts'
import { RecentTexts } from '../src/storage/recent-texts.ts'
import { easyRules, GENESIS_TIME, genesisSite, newest, withBlock } from './support/ledger-blocks.ts'
import { Ledger, memoryLedger, memoryLevel } from './support/ledger-node.ts'

const RULES = easyRules()
const START = genesisSite(RULES)
/** Empty blocks, each `after` seconds after the one before. */
const branch = (length: number, after: number) => {
  const sites = [START]
  for (let i = 0; i < length; i++) sites.push(withBlock(sites.at(-1) ?? START, { payments: [], after }))
  return sites.slice(1).map(newest)
}

test('a reorganisation leaves nothing of the branch that was left', async () => {
  const ledger = await memoryLedger(RULES, GENESIS_TIME)
  const [old, young] = [branch(3, 1), branch(5, 2)]
  const answers = () => [2, 3, 4, 5, 6, 7].map((index) => ledger.store.mainBlockText(index)?.toString())
  for (const text of old) await ledger.import(text)
  expect(answers()).toEqual([...old, undefined, undefined, undefined])
  for (const [i, text] of young.entries()) {
    await ledger.import(text)
    const main = i < 3 ? old : young.slice(0, i + 1)
    expect(answers()).toEqual(Array.from({ length: 6 }, (_, at) => main[at]))
  }
})

test('nor does a revert in dev mode', async () => {
  const rewindable = await RewindStore.open(await memoryLevel())
  const { store } = rewindable
  const ledger = await Ledger.open({ genesis: genesisOf(RULES, GENESIS_TIME), store })
  const before = rewindable.snapshot()
  const [first] = branch(1, 1)
  await ledger.import(String(first))
  expect(store.mainBlockText(2)?.toString()).toBe(first)
  await rewindable.rewind(before)
  expect(store.mainBlockText(2)).toBeUndefined()
  await before.close()
})

describe('as many are remembered as there is room for', () => {
  const text = (length: number) => Buffer.alloc(length)

  test('those that were asked for last', () => {
    const recent = new RecentTexts(30)
    for (const index of [1, 2, 3]) recent.add(index, text(10))
    recent.get(1)
    recent.add(4, text(10))
    expect([1, 2, 3, 4].map((index) => recent.get(index)?.length)).toEqual([10, undefined, 10, 10])
  })

  test('nothing that is longer than all the room, and a forgotten one makes room', () => {
    const recent = new RecentTexts(30)
    recent.add(1, text(31))
    expect(recent.get(1)).toBeUndefined()
    for (const index of [1, 2, 3]) recent.add(index, text(10))
    recent.forget(2)
    recent.forget(2)
    recent.add(4, text(10))
    expect([1, 2, 3, 4].map((index) => recent.get(index)?.length)).toEqual([10, undefined, 10, 10])
    recent.clear()
    recent.add(5, text(30))
    expect([1, 5].map((index) => recent.get(index)?.length)).toEqual([undefined, 30])
  })
})
