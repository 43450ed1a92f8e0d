/** Who waits for whom while a node catches up: with peers that take their time, under virtual time. */
import { type Address, type Hash, headerOf } from '@bc/core'
import { VirtualClock } from '@bc/simulation'
import { describe, expect, test, vi } from 'vitest'
import { encodeStatus } from '../../node/src/network/messages.ts'
import { Network } from '../../node/src/network/network.ts'
import { penaltyOf } from '../../node/src/network/reputation.ts'
import { Sync, type SyncModules } from '../../node/src/network/sync/sync.ts'
import { Turns } from '../../node/src/network/sync/turns.ts'
import type { PeerListener, Transport } from '../../node/src/network/transport.ts'
import { ALICE, BOB, CAROL, memoryLog } from '../../node/test/support/http-node.ts'
import { type Mined, minedOn, openParts, type Parts } from '../../node/test/support/http-parts.ts'

/** A node among peers that have what it has, and take so long to say it. */
function nodeAmong(peers: Readonly<Record<string, number>>, { chain, store, admission }: Parts, clock: VirtualClock) {
  const failures: unknown[] = []
  let listener: PeerListener | undefined
  const transport: Transport = {
    self: 'us',
    peers: () => Object.keys(peers),
    ownerOf: (peer) => peer,
    listen: (given) => {
      listener = given
    },
    async *request(peer) {
      await clock.sleep(peers[peer] as number)
      yield encodeStatus({ height: chain.head.index, tip: chain.head.hash, work: chain.head.totalWork })
    },
    serve: () => undefined,
    subscribe: () => undefined,
    publish: async () => undefined,
    disconnect: async () => undefined,
    close: async () => undefined,
  }
  const log = memoryLog().log
  const onFailure = (error: unknown) => failures.push(error)
  const network = new Network({ ...{ chain, store, admission, transport, log, onFailure }, time: clock })
  network.start()
  return { network, failures, reasonToAsk: (peer: string) => listener?.joined(peer) }
}

test('a peer that always gives a reason to ask it again keeps nobody waiting who wants us to catch up now', async () => {
  const clock = new VirtualClock()
  const { network, reasonToAsk, failures } = nodeAmong({ slow: 6_000, quick: 10 }, await openParts(), clock)
  const nag = () => {
    reasonToAsk('slow')
    clock.after(2_000, nag)
    return true
  }
  nag()
  const asked = clock.now()
  await clock.runUntil(Promise.race([network.resolve(), clock.sleep(120_000)]))
  // What it is asked already, and once more.
  expect(clock.now() - asked).toBe(12_000)
  expect(failures).toEqual([])
})

test('nor does one that stalls for longer than anybody waits', async () => {
  const clock = new VirtualClock()
  const { network } = nodeAmong({ slow: 60_000, quick: 10 }, await openParts(), clock)
  const asked = clock.now()
  await clock.runUntil(Promise.race([network.resolve(), clock.sleep(120_000)]))
  expect(clock.now() - asked).toBe(30_000)
})

test.each([
  ['a long chain is waited for as long as it grows', 200_000, 200_000],
  ['and half a minute longer at most where it stops in the midst', 95_000, 120_000],
])('%s', async (_, growsUntil, answeredAt) => {
  const clock = new VirtualClock()
  const { network } = nodeAmong({ slow: 10 }, await openParts(), clock)
  const sync = Reflect.get(network, 'sync') as Sync
  vi.spyOn(sync, 'consider').mockImplementation(() => clock.sleep(200_000))
  vi.spyOn(sync, 'headMoves', 'get').mockImplementation(() => Math.floor(Math.min(clock.now(), growsUntil) / 20_000))
  expect(await clock.runUntil(network.resolve())).toBe(true)
  expect(clock.now()).toBe(answeredAt)
})

test('what those have brought who are looked for first is caught up with as well', async () => {
  const clock = new VirtualClock()
  const { network } = nodeAmong({ slow: 10 }, await openParts(), clock)
  let moves = 0
  vi.spyOn(Reflect.get(network, 'sync') as Sync, 'headMoves', 'get').mockImplementation(() => moves)
  const look = async () => void moves++
  expect(await clock.runUntil(network.resolve(look))).toBe(true)
  expect(await clock.runUntil(network.resolve())).toBe(false)
})

test('what we find ourselves meanwhile is nothing that we caught up with', async () => {
  const clock = new VirtualClock()
  const parts = await openParts()
  const { network } = nodeAmong({ slow: 6_000 }, parts, clock)
  clock.after(3_000, () => {
    void parts.chain.import(minedOn(parts, parts.chain.head).parsed)
    return true
  })
  expect(await clock.runUntil(network.resolve())).toBe(false)
  expect(parts.chain.head.index).toBe(2)
})

test('the end of the node waits for no peer’s next round', async () => {
  const clock = new VirtualClock()
  const { network, reasonToAsk, failures } = nodeAmong({ slow: 6_000 }, await openParts(), clock)
  for (let i = 0; i < 3; i++) reasonToAsk('slow')
  const resolved = network.resolve()
  await clock.runUntil(Promise.race([Promise.all([network.close(), resolved]), clock.sleep(120_000)]))
  expect(clock.now()).toBe(6_000)
  expect(failures).toEqual([])
})

describe('a longer chain, behind peers that boast and then trickle', () => {
  const PATIENCE = 1_200_000

  interface Shown {
    readonly branch: readonly Mined[]
    /** Headers of one answer, and how long it takes to give them, after so many of the branch. */
    readonly atOnce: (from: number) => number
    readonly ms: (from: number) => number
    /** What it says that it has, where that isn't so. */
    readonly boast?: bigint
  }

  function branchOn(parts: Parts, length: number, to: Address): Mined[] {
    const branch: Mined[] = []
    for (let parent = parts.chain.head; branch.length < length; parent = (branch.at(-1) as Mined).entry)
      branch.push(minedOn(parts, parent, { to }))
    return branch
  }

  /** Three branches on genesis: ours is longer than one and shorter than the other. */
  async function scene() {
    const parts = await openParts()
    const [low, ours, high] = [
      branchOn(parts, 8, ALICE.address),
      branchOn(parts, 10, BOB.address),
      branchOn(parts, 20, CAROL.address),
    ]
    for (const { parsed } of ours) await parts.chain.import(parsed)
    return { parts, low, high }
  }

  /** How long it takes until the node has caught up; they are considered in this order, and again and again. */
  async function tookWith({ chain, store }: Parts, shown: ReadonlyMap<string, Shown>, wanted: Mined) {
    const clock = new VirtualClock()
    const charged = new Map<string, number>()
    const failures: unknown[] = []
    const of = (peer: string) => shown.get(peer) as Shown
    const conversations = {
      status: async (peer: string) => {
        await clock.sleep(50)
        const { branch, boast } = of(peer)
        const { index, hash, totalWork } = (branch.at(-1) as Mined).entry
        return { height: index, tip: boast === undefined ? hash : ('ab'.repeat(32) as Hash), work: boast ?? totalWork }
      },
      headers: async (peer: string, locator: readonly Hash[], signal: AbortSignal) => {
        const { branch, atOnce, ms } = of(peer)
        const from = 1 + Math.max(...locator.map((hash) => branch.findIndex(({ parsed }) => parsed.hash === hash)))
        await clock.sleep(ms(from), signal)
        signal.throwIfAborted()
        const some = branch.slice(from, from + atOnce(from))
        return { headers: some.map(({ block }) => headerOf(block)), tip: some.at(-1)?.parsed.hash }
      },
      async *blocks(peer: string, hashes: readonly Hash[]) {
        for (const hash of hashes) yield of(peer).branch.find(({ parsed }) => parsed.hash === hash)?.parsed.canonical
      },
    }
    const offend = async (peer: string, error: unknown) => {
      charged.set(peer, (charged.get(peer) ?? 0) + penaltyOf(error, 'block'))
    }
    const peers = () => [...shown.keys()].filter((peer) => (charged.get(peer) ?? 0) < 100)
    const sync = new Sync({
      ...{ chain, store, conversations, time: clock, log: memoryLog().log },
      transport: { peers },
      reputation: { offend },
      onFailure: (error: unknown) => failures.push(error),
      onCaughtUp: () => undefined,
      onLevel: () => undefined,
    } as unknown as SyncModules)
    const askAgain = () => {
      for (const peer of peers()) void sync.consider(peer)
      clock.after(1_000, askAgain)
      return true
    }
    askAgain()
    const caughtUp = async () => {
      while (chain.head.hash !== wanted.parsed.hash && clock.now() < PATIENCE) await clock.sleep(10)
    }
    await clock.runUntil(caughtUp())
    const took = clock.now()
    expect(failures).toEqual([])
    await clock.runUntil(sync.close())
    return { took, charged }
  }

  function among(hogs: number, hog: Shown, honest: Shown): Map<string, Shown> {
    const shown = new Map<string, Shown>()
    for (let i = 0; i < hogs; i++) shown.set(`hog ${i}`, hog)
    return shown.set('honest', honest)
  }

  const SECOND = 1_000
  const hogOf = (branch: readonly Mined[], firstMs: number): Shown => ({
    branch,
    boast: 1n << 40n,
    atOnce: () => 1,
    ms: (from) => (from === 0 ? firstMs : 8.5 * SECOND),
  })

  test.each([4, 48])('is taken at once, where %i of them have less work than we have', async (hogs) => {
    for (const firstMs of [10, 8.5 * SECOND]) {
      const { parts, low, high } = await scene()
      const honest = { branch: high, atOnce: () => 1_000, ms: () => 200 }
      const { took, charged } = await tookWith(parts, among(hogs, hogOf(low, firstMs), honest), high.at(-1) as Mined)
      // The first of them may have had its turn before anybody else had shown anything.
      expect(took).toBeLessThan(20 * SECOND)
      expect(charged.get('honest') ?? 0).toBe(0)
    }
  })

  test.each([4, 48])('waits once for each of them where it is shown in pieces: for %i', async (hogs) => {
    const { parts, low, high } = await scene()
    const honest = { branch: high, atOnce: () => 5, ms: () => 200 }
    const { took, charged } = await tookWith(parts, among(hogs, hogOf(low, 10), honest), high.at(-1) as Mined)
    expect(took).toBeLessThan(20 * SECOND * hogs)
    expect(charged.get('honest') ?? 0).toBe(0)
  })

  test('comes from another, where whoever has its turn sends headers one by one, be they ever so good', async () => {
    const { parts, high } = await scene()
    const trickle: Shown = {
      branch: high,
      atOnce: (from) => (from === 0 ? 11 : 1),
      ms: (from) => (from === 0 ? 10 : 8.5 * SECOND),
    }
    const honest = { branch: high, atOnce: () => 1_000, ms: () => 200 }
    const { took } = await tookWith(parts, among(1, trickle, honest), high.at(-1) as Mined)
    expect(took).toBeLessThan(20 * SECOND)
  })
})

test('of those who wait for a turn the one goes first who has shown the most, then who has failed least, then who came first', async () => {
  const turns = new Turns()
  const order: string[] = []
  const run = (name: string, work: bigint, failures: number) =>
    turns.run({ work, failures }, async () => {
      order.push(name)
    })
  const failing = turns.run({ work: 0n, failures: 0 }, async () => {
    throw new Error('whoever fails hands on its turn as well')
  })
  const rest = [
    run('last', 0n, 2),
    run('third', 1n, 1),
    run('fourth', 1n, 1),
    run('second', 1n, 0),
    run('first', 2n, 3),
  ]
  await expect(failing).rejects.toThrow()
  await Promise.all(rest)
  await run('later', 0n, 0)
  expect(order).toEqual(['first', 'second', 'third', 'fourth', 'last', 'later'])
})
