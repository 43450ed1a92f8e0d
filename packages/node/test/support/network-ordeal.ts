/** One node that is attacked, one that is its honest friend, and what an attack has cost. */
import { headerOf } from '@bc/core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { RunningNode } from '../../src/node.ts'
import { networkRules, parsedOf, type Site, siteOf } from './network-chain.ts'
import { Hostile, type HostileOptions } from './network-hostile.ts'
import {
  addressOf,
  agree,
  connect,
  type Measurement,
  mine,
  startNetworkNode,
  startVictim,
  statusOf,
  until,
  type Victim,
} from './network-nodes.ts'

export const MOST_GROWTH = 100_000_000

export interface Scene {
  readonly victim: Victim
  readonly address: string
  readonly friend: RunningNode
  /** Where the victim's next block goes. */
  readonly site: Site
  /** A new hostile peer: connected, unless it is told to wait. */
  hostile(options?: Partial<HostileOptions> & { readonly waits?: boolean }): Promise<Hostile>
}

export interface OrdealOptions {
  /** Where the tip moves because of what is done. */
  readonly moves?: boolean
}

/** To be called in a `describe`: starts the two, and prints at the end what every ordeal has cost the victim. */
export function ordeals(rules: Record<string, unknown> = {}) {
  let victim: Victim
  let friend: RunningNode
  let address: string
  const rows: Record<string, Record<string, string>> = {}

  beforeAll(async () => {
    victim = await startVictim({ rules, level: process.env.VICTIM_LOG ?? 'silent' })
    friend = await startNetworkNode({ rules })
    address = await addressOf(victim)
    await connect(friend, victim)
    for (let i = 0; i < 3; i++) await mine(friend)
    await followed()
  })

  afterAll(() => {
    console.table(rows)
    expect(victim.failures).toEqual([])
  })

  /** The victim has the friend's newest block. */
  async function followed(): Promise<void> {
    const { tip } = await statusOf(friend)
    await until(async () => (await statusOf(victim)).tip === tip)
  }

  async function survive(name: string, attack: (scene: Scene) => Promise<void>, { moves = false }: OrdealOptions = {}) {
    const hostiles: Hostile[] = []
    const site = await siteOf(victim.url, networkRules(rules))
    const hostile: Scene['hostile'] = async ({ waits = false, ...options } = {}) => {
      const one = await Hostile.start({ chain: victim.chain, ...options })
      hostiles.push(one)
      if (!waits) await one.dial(address)
      return one
    }
    const before = await victim.measure()
    try {
      await attack({ victim, address, friend, site, hostile })
      await until(async () => hostiles.every(({ isTaken }) => isTaken))
      if (!moves) expect((await statusOf(victim)).tip).toBe(site.parent.hash)
      await agree([victim, friend])
      const start = performance.now()
      await mine(friend)
      await followed()
      const after = await victim.measure()
      rows[name] = row(before, after, performance.now() - start)
      expect(grown(before, after)).toBeLessThan(MOST_GROWTH)
      expect(after.peak - before.rss).toBeLessThan(MOST_GROWTH)
    } finally {
      await Promise.all(hostiles.map((one) => one.stop()))
    }
  }
  return survive
}

function grown(before: Measurement, after: Measurement): number {
  const live = ({ heapUsed, external }: Measurement) => heapUsed + external
  return live(after) - live(before)
}

function row(before: Measurement, after: Measurement, next: number): Record<string, string> {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return {
    'memory held': mb(grown(before, after)),
    'peak of rss': mb(after.peak - before.rss),
    'loop delay p99': `${after.p99.toFixed(0)} ms`,
    'loop delay max': `${after.max.toFixed(0)} ms`,
    'next honest block after': `${next.toFixed(0)} ms`,
  }
}

/** Hung up on, and refused when it comes again. */
export async function expectBan(hostile: Hostile, address: string): Promise<void> {
  // Whoever answers without an end may take his time on a busy machine.
  await until(async () => !hostile.connected, 40_000)
  const back = await hostile.dial(address).then(
    () => stays(hostile, 500),
    () => false,
  )
  expect(back).toBe(false)
}

async function stays(hostile: Hostile, ms: number): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return hostile.connected
}

export async function expectKept(hostile: Hostile, ms = 500): Promise<void> {
  expect(await stays(hostile, ms)).toBe(true)
}

export function headersOf(texts: readonly string[]) {
  const parsed = texts.map(parsedOf)
  return { headers: parsed.map(({ block }) => headerOf(block)), tip: parsed.at(-1)?.hash }
}
