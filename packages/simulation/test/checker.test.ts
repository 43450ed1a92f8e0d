/** The judgement itself is judged: whatever is broken on purpose must be found. */
import type { Chain } from '@bc/node/parts'
import { type SimulationOptions, simulate, type World } from '@bc/simulation'
import { expect, test } from 'vitest'

const base: SimulationOptions = { nodes: 6, seed: 2 }

/** What a node runs on. */
function sessionAt(world: World, i: number) {
  const session = world.nodes[i]?.running
  if (session === undefined) throw new TypeError(`node ${i} is down`)
  return session
}

async function faultsAfter(beforeJudgement: (world: World) => Promise<void>): Promise<string> {
  const { faults } = await simulate({ ...base, beforeJudgement })
  return faults.join('\n')
}

test('nothing is found where nothing is broken', async () => {
  expect(await faultsAfter(async () => undefined)).toBe('')
})

test('a node that never changes branches', async () => {
  const onChain = (name: string, chain: Chain) => {
    if (name !== 'n001') return
    const inside = chain.import.bind(chain)
    chain.import = async (parsed, options) =>
      parsed.block.previous_hash === chain.head.hash ? inside(parsed, options) : { kind: 'known' }
    chain.importAll = async (blocks, options) => {
      const outcomes = []
      for (const { parsed } of blocks) outcomes.push(await chain.import(parsed, options))
      return outcomes
    }
  }
  const { faults } = await simulate({ ...base, onChain })
  expect(faults.join('\n')).toMatch(/its tip is \d+ [0-9a-f]{8}, and that of n000/)
})

test('a node that keeps the wrong balance', async () => {
  const faults = await faultsAfter(async (world) => {
    const { store } = sessionAt(world, 3)
    for await (const [address, { balance, nonce }] of store.allAccounts()) {
      await store.writeRecords(new Map([[`account/${address}`, JSON.stringify([balance + 1, nonce])]]))
      return
    }
  })
  expect(faults).toMatch(/n003: its accounts aren't those of n000/)
  expect(faults).toMatch(/n003: the accounts hold \d+ coins, and \d+ were made/)
})

test('a node that has lost a record', async () => {
  const faults = await faultsAfter(async (world) => {
    const { store, chain } = sessionAt(world, 0)
    await store.writeRecords(new Map([[`undo/${String(chain.head.index).padStart(16, '0')}`, undefined]]))
  })
  expect(faults).toMatch(/n000: .*undo record/)
})

test('a node whose disk remembers other transactions than its pool', async () => {
  const faults = await faultsAfter(async (world) => {
    const { store, admission } = sessionAt(world, 2)
    await world.clock.runUntil(world.payments.payAt(world.nodes[2] as (typeof world.nodes)[number]))
    const [entry] = admission.pool.list()
    if (entry === undefined) throw new TypeError('its pool is empty')
    await store.writeRecords(new Map([[`pool/${String(entry.order).padStart(16, '0')}`, undefined]]))
  })
  expect(faults).toMatch(/n002: \d+ transactions wait, and \d+ on its disk/)
})

test('a node that forgets what it has promised', async () => {
  const faults = await faultsAfter(async (world) => {
    // As if they had all been for a nonce that nobody has ever heard of.
    const { accepted } = world.payments
    for (const one of accepted.splice(0)) accepted.push({ ...one, transaction: { ...one.transaction, nonce: 1_000 } })
  })
  expect(faults).toMatch(/it has taken the transaction .*, and lost it/)
})
