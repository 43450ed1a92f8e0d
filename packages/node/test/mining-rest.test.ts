/** A miner that mines on and on, where no block is possible for now. Its rests are over at once here. */
import { type Amount, MAX_AMOUNT } from '@bc/core'
import { expect, it, vi } from 'vitest'
import { ALICE } from './support/http-node.ts'
import { minedOn, openParts } from './support/http-parts.ts'

const rests = vi.hoisted(() => ({ count: 0 }))

vi.mock('node:timers/promises', () => ({
  setTimeout: async (_: number, value: unknown, options?: { signal?: AbortSignal }) => {
    rests.count++
    await new Promise((resolve) => setImmediate(resolve))
    options?.signal?.throwIfAborted()
    return value
  },
}))

async function rested(): Promise<void> {
  const { count } = rests
  await vi.waitUntil(() => rests.count >= count + 10, 30_000)
}

it('says why once, and goes on as a node', async () => {
  const parts = await openParts({ rules: { allocations: { [ALICE.address]: (MAX_AMOUNT - 120) as Amount } } })
  const heard: string[] = []
  const mining = parts.miner.mineOn(({ code }) => heard.push(code))
  await rested()
  expect([parts.chain.head.index, heard]).toEqual([3, ['block.reward']])
  await parts.miner.stop()
  await mining
})

it('goes on once it is possible, and says so again when it happens again', async () => {
  const parts = await openParts()
  const { chain, clock, miner } = parts
  await chain.import(minedOn(parts, chain.head, { now: clock.now + 120 }).parsed)
  clock.now -= 1
  const heard: string[] = []
  const mining = miner.mineOn(({ code }) => heard.push(code))
  await rested()
  expect([chain.head.index, heard]).toEqual([2, ['block.timestamp']])
  clock.now += 1
  await vi.waitUntil(() => chain.head.index > 5, 30_000)
  clock.now -= 1
  await rested()
  expect(heard).toEqual(['block.timestamp', 'block.timestamp'])
  await miner.stop()
  await mining
})
