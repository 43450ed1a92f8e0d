/** One record after the other is made wrong, as if it had always been so: the look at the main chain names each. */
import { genesisOf, type Hash, hashOf } from '@bc/core'
import { expect, test } from 'vitest'
import { alice, bob } from '../../core/test/support/site.ts'
import { DamageError } from '../src/errors.ts'
import { inspectAccounts, inspectBlocks, inspectTree } from '../src/storage/inspect.ts'
import { key } from '../src/storage/layout.ts'
import { type BlockRecipe, easyRules, GENESIS_TIME, genesisSite, grown, nothing } from './support/ledger-blocks.ts'
import { freshImport, hashOfText, type MemoryLedger } from './support/ledger-node.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)
/** More than are looked at together, twice over. */
const HEIGHT = 40

const busy: BlockRecipe = {
  payments: [
    { from: 0, to: 3, amount: 5, fee: 1 },
    { from: 1, to: 2, amount: 2, fee: 0 },
  ],
  after: 10,
}

const main = grown(genesisSite(RULES), HEIGHT - 1, () => busy)
const hashes = [hashOf(GENESIS), ...main.texts.slice(1).map(hashOfText)]
const at = (index: number) => hashes[index - 1] as Hash

const EVERY = Array.from({ length: HEIGHT }, (_, i) => i + 1)
const [, ...CHILDREN] = EVERY

async function found(change: (ledger: MemoryLedger) => Promise<void>): Promise<string> {
  const ledger = await freshImport(GENESIS, main.texts.slice(1))
  await change(ledger)
  const { store, chain } = ledger
  try {
    for (const look of [inspectBlocks(store, chain), inspectAccounts(store, chain), inspectTree(store)])
      for await (const _ of look);
    return 'nothing'
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    return error.message
  }
}

const put = (record: string, value: object | string) => (ledger: MemoryLedger) =>
  ledger.store.writeRecords(new Map([[record, typeof value === 'string' ? value : JSON.stringify(value)]]))
const drop = (record: string) => (ledger: MemoryLedger) => ledger.store.writeRecords(new Map([[record, undefined]]))

test('nothing is wrong with a chain as it is', async () => {
  expect(await found(async () => undefined)).toBe('nothing')
})

test('an undo record that is missing, another block’s, or of other accounts, anywhere', async () => {
  for (const index of CHILDREN) {
    const missing = `the undo record of block ${index} is missing`
    expect(await found(drop(key.undo(index)))).toBe(missing)
    const other = { block: at(index - 1), before: [] }
    expect(await found(put(key.undo(index), other))).toContain(`block ${index} is that of ${at(index - 1)}`)
    const more = { block: at(index), before: Array(9).fill(null) }
    expect(await found(put(key.undo(index), more))).toBe(`the undo record of block ${index} is of other accounts`)
  }
})

test('a block, or its entry, that is missing anywhere', async () => {
  for (const index of EVERY) {
    expect(await found(drop(key.block(index, at(index))))).toBe(`block ${index} ${at(index)} is missing`)
    expect(await found(drop(key.entry(at(index))))).toBe(`the entry of block ${at(index)} is missing`)
  }
})

test('an entry that says another index, anywhere', async () => {
  for (const index of EVERY) {
    const change = async (ledger: MemoryLedger) => {
      const { totalWork, hash: _, ...entry } = await ledger.store.knownEntry(at(index))
      await put(key.entry(at(index)), { ...entry, index: index + 1, totalWork: totalWork.toString(16) })(ledger)
    }
    // How far the chain goes is what the head's entry says.
    const fault = index === HEIGHT ? `the main chain's block ${index + 1} is missing` : `its entry says ${index + 1}`
    expect(await found(change)).toContain(fault)
  }
})

test('an entry with another header, anywhere', async () => {
  const others = { timestamp: 1, proof: '0'.repeat(80), target: 'a'.repeat(64), merkleRoot: 'e'.repeat(64) }
  for (const index of CHILDREN)
    for (const [name, other] of Object.entries(others)) {
      const change = async (ledger: MemoryLedger) => {
        const { totalWork, hash: _, ...entry } = await ledger.store.knownEntry(at(index))
        await put(key.entry(at(index)), { ...entry, [name]: other, totalWork: totalWork.toString(16) })(ledger)
      }
      expect(await found(change)).toBe(`block ${index}: its entry has another header`)
    }
})

test('a main chain that leads to a block beside it, anywhere', async () => {
  for (const index of CHILDREN.slice(0, -1)) {
    const beside = grown(
      grown(genesisSite(RULES), index - 2, () => busy),
      1,
      () => nothing,
    )
    const text = beside.texts[index - 1] as string
    const change = async (ledger: MemoryLedger) => {
      await ledger.import(text)
      await put(key.main(index), hashOfText(text))(ledger)
    }
    expect(await found(change)).toBe(`block ${index + 1}: the block before is another one`)
  }
})

test('a transaction whose place is missing, in another block or at another position', async () => {
  for (const index of [2, 17, HEIGHT]) {
    const id = (await ids(index))[1] as Hash
    const fault = `block ${index}: transaction ${id} is not found by its id`
    expect(await found(drop(key.transaction(id)))).toBe(fault)
    expect(await found(put(key.transaction(id), [index - 1, 1]))).toBe(fault)
    expect(await found(put(key.transaction(id), [index, 2]))).toBe(fault)
  }
})

async function ids(index: number): Promise<Hash[]> {
  const { level } = await freshImport(GENESIS, main.texts.slice(1))
  const places: Hash[] = []
  for await (const [record, value] of level.iterator({ gt: 'tx/', lt: 'tx0' })) {
    const [height, position] = JSON.parse(value.subarray(4).toString())
    if (height === index) places[position] = record.slice(3) as Hash
  }
  return places
}

test('an account as it was one transaction before, or with other coins', async () => {
  const [sent, payments] = [HEIGHT - 1, (nonce: number) => ({ balance: 1_000_000 - 6 * (HEIGHT - 1), nonce })]
  const account = (nonce: number, more = 0) => {
    const { balance } = payments(nonce)
    return put(key.account(alice.address), [balance + more, nonce, HEIGHT])
  }
  expect(await found(account(sent))).toBe('nothing')
  expect(await found(account(sent - 1))).toBe(`block ${HEIGHT}: ${alice.address} is older than its own transaction`)
  expect(await found(account(sent, 1))).toBe('the accounts hold 3001951 coins, and 3001950 were made')
  expect(await found(drop(key.account(bob.address)))).toContain(`${bob.address} is older`)
})

test('an account whose history begins before its newest block, anywhere', async () => {
  const balance = 1_000_000 - 6 * (HEIGHT - 1)
  for (const latest of [0, ...EVERY.slice(1, -1)]) {
    const fault = await found(put(key.account(alice.address), [balance, HEIGHT - 1, latest]))
    expect(fault).toBe(`block ${HEIGHT}: it is not in the history of ${alice.address}`)
  }
})

test('a block that leads a history past one that belongs to it', async () => {
  const change = async (ledger: MemoryLedger) => {
    const { block, before } = JSON.parse(((await ledger.level.get(key.undo(HEIGHT))) as Buffer).subarray(4).toString())
    const past = before.map(([balance, nonce, latest]: number[]) => [balance, nonce, (latest as number) - 1])
    await put(key.undo(HEIGHT), { block, before: past })(ledger)
  }
  expect(await found(change)).toContain(`block ${HEIGHT - 1}: it is not in the history of `)
})
