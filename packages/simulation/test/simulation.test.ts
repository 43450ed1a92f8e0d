import { measurePropagation, type SimulationOptions, simulate } from '@bc/simulation'
import { describe, expect, test } from 'vitest'
import { Arrivals } from '../src/propagation.ts'

const small = { nodes: 7 } as const

test('a seed writes the same log, byte for byte', async () => {
  const options: SimulationOptions = { ...small, seed: 11, keepLog: true }
  const [first, second] = [await simulate(options), await simulate(options)]
  expect(second.log?.join('\n')).toBe(first.log?.join('\n'))
  expect(second).toEqual(first)
  expect(first.events).toBe(first.log?.length)
})

test('another seed writes another one', async () => {
  const [one, other] = [await simulate({ ...small, seed: 17 }), await simulate({ ...small, seed: 33 })]
  expect(one.fingerprint).not.toBe(other.fingerprint)
})

describe('a network with every fault agrees in the end', () => {
  test.each([1, 3, 4, 6])('seed %i', async (seed) => {
    const { faults, mined, deepest } = await simulate({ ...small, seed })
    expect(faults).toEqual([])
    expect(mined).toBeGreaterThan(10)
    expect(deepest).toBeGreaterThan(0)
  })
})

test('the log tells of every kind of trouble', async () => {
  const { log = [], faults } = await simulate({ nodes: 12, seed: 4, keepLog: true })
  expect(faults).toEqual([])
  const kinds = [
    /is divided/,
    /is whole again/,
    /the link .* is cut/,
    / stops$/,
    /is killed while it rests/,
    /is killed between two writes/,
    /follows .* abandoned/,
    /takes transaction/,
  ]
  for (const kind of kinds) expect(log.some((line) => kind.test(line))).toBe(true)
})

test('a deep reorganisation', async () => {
  const { faults, deepest } = await simulate({ nodes: 4, seed: 20, depth: 150 })
  expect(faults).toEqual([])
  expect(deepest).toBeGreaterThanOrEqual(100)
})

test('whoever listens for blocks changes nothing', async () => {
  const arrivals = new Arrivals()
  const options: SimulationOptions = { ...small, seed: 3 }
  const heard = await simulate({ ...options, onChain: (name, chain) => arrivals.watch(name, chain) })
  expect(heard).toEqual(await simulate(options))
})

test('blocks spread, and more of them are stale where they come faster', async () => {
  const options = { nodes: 30, seed: 1, blocks: 60 }
  const fast = await measurePropagation({ ...options, interval: 0.3 })
  const slow = await measurePropagation({ ...options, interval: 30 })
  for (const { p50, p95, mean } of [fast, slow]) {
    expect(p50).toBeGreaterThan(0.02)
    expect(p95).toBeGreaterThan(p50)
    expect(mean).toBeLessThan(2)
  }
  expect(fast.stale).toBeGreaterThan(0.05)
  expect(slow.stale).toBeLessThan(0.1)
  expect(fast.expected).toBeGreaterThan(slow.expected)
})
