/** Blocks from several peers at once: none of them may wait for another for good. */
import { type Address, type BlockEntry, type Hash, headerOf } from '@bc/core'
import { describe, expect, it } from 'vitest'
import { MOST_HEADERS } from '../src/network/messages.ts'
import { penaltyOf } from '../src/network/reputation.ts'
import { BlockFetch, type BlockFetchModules } from '../src/network/sync/block-fetch.ts'
import { Sync, type SyncModules } from '../src/network/sync/sync.ts'
import { machineTime } from '../src/network/time.ts'
import { PeerError } from '../src/network/transport.ts'
import type { ReadBlock } from '../src/signatures/block-report.ts'
import { ALICE, BOB, memoryLog } from './support/http-node.ts'
import { type Mined, minedOn, openParts, type Parts } from './support/http-parts.ts'

/** Two parts for each of two peers. */
const HASHES = Array.from({ length: 64 }, (_, i) => `${i}` as Hash)
/** Sixteen of them are as much as may wait for the reader. */
const textOf = (hash: Hash) => hash.padEnd(1_000_000)

async function* branch() {
  yield HASHES.map((hash) => ({ hash }) as BlockEntry)
}

it('the part that is read next finds a peer, also where all that others send waits for the reader', async () => {
  const signal = new AbortController().signal
  let sent = 0
  const isFull = async () => {
    while (sent < 16) await new Promise((resolve) => setImmediate(resolve))
  }
  async function* blocks(peer: string, hashes: readonly Hash[]): AsyncGenerator<string> {
    if (peer === 'source' && hashes[0] === HASHES[0]) {
      await isFull()
      throw new PeerError('stalled', 'the peer sent nothing')
    }
    for (const hash of hashes) {
      sent++
      yield textOf(hash)
    }
  }
  const read = async (texts: readonly string[]) =>
    texts.map((canonical) => ({ parsed: { canonical, hash: canonical.trim() } }) as unknown as ReadBlock)
  const fetch = new BlockFetch({
    chain: { read },
    conversations: { blocks },
    reputation: { offend: async () => undefined },
    time: machineTime,
    source: 'source',
    peers: () => ['source', 'other'],
    failures: new Map(),
    signal,
  } as unknown as BlockFetchModules)
  const found: string[] = []
  for await (const part of fetch.inOrder(branch())) found.push(...part.map(({ parsed }) => parsed.hash))
  expect(found).toEqual(HASHES)
})

describe('blocks of a peer on a slow line', () => {
  /** @param sends what becomes of a question: how many blocks of it come, how long they take, and then? */
  async function fetched(sends: (peer: string, count: number) => { some: number; ms: number; fails?: Error }) {
    const asked: { peer: string; hashes: readonly Hash[] }[] = []
    let now = 0
    const fetch = new BlockFetch({
      chain: { read: async (texts: readonly string[]) => texts.map((hash) => ({ parsed: { canonical: hash, hash } })) },
      conversations: {
        async *blocks(peer: string, hashes: readonly Hash[]) {
          asked.push({ peer, hashes })
          const { some, ms, fails } = sends(peer, hashes.length)
          now += ms
          yield* hashes.slice(0, some)
          if (fails) throw fails
        },
      },
      reputation: { offend: async () => undefined },
      time: { now: () => now },
      source: 'slow',
      peers: () => ['slow', 'other'].filter((peer) => sends(peer, 0).some >= 0),
      failures: new Map(),
      signal: new AbortController().signal,
    } as unknown as BlockFetchModules)
    const found: string[] = []
    let failure: unknown
    try {
      for await (const part of fetch.inOrder(branch())) found.push(...part.map(({ parsed }) => parsed.hash))
    } catch (error) {
      failure = error
    }
    return { asked, found, failure }
  }

  it('are kept where the rest of them doesn’t come, and the rest is asked of another', async () => {
    const stalled = new PeerError('stalled', 'the peer sent nothing')
    const { asked, found } = await fetched((peer, count) =>
      peer === 'slow' ? { some: 1, ms: 0, fails: stalled } : { some: count, ms: 0 },
    )
    expect(found).toEqual(HASHES)
    const others = asked.filter(({ peer }) => peer === 'other').flatMap(({ hashes }) => hashes)
    expect(others).not.toContain(HASHES[0])
  })

  it('are handed on also where nobody has the rest', async () => {
    const stalled = new PeerError('stalled', 'the peer sent nothing')
    const { found, failure } = await fetched((peer) => ({ some: peer === 'slow' ? 1 : -1, ms: 0, fails: stalled }))
    expect(found).toEqual([HASHES[0]])
    expect(failure).toMatchObject({ fault: 'gone' })
  })

  it('are asked for one by one, and of who is faster in bigger portions', async () => {
    const most = async (ms: number) => {
      const { asked, found } = await fetched((peer, count) => ({ some: peer === 'slow' ? count : -1, ms }))
      expect(found).toEqual(HASHES)
      return Math.max(...asked.slice(3).map(({ hashes }) => hashes.length))
    }
    expect(await most(20_000)).toBe(1)
    expect(await most(10)).toBeGreaterThan(10)
  })
})

it('a failure of our own is no peer’s, and ends the fetch', async () => {
  const failure = new TypeError('a worker has died')
  const fetch = new BlockFetch({
    chain: {
      read: async () => {
        throw failure
      },
    },
    conversations: {
      async *blocks(_: string, hashes: readonly Hash[]) {
        yield* hashes
      },
    },
    reputation: { offend: async () => undefined },
    time: machineTime,
    source: 'source',
    peers: () => ['source'],
    failures: new Map(),
    signal: new AbortController().signal,
  } as unknown as BlockFetchModules)
  await expect(fetch.inOrder(branch()).next()).rejects.toBe(failure)
})

/**
 * Catches up with a peer that has these blocks, and no others after genesis.
 * @param told the newest of when it was asked what it has
 */
function syncWith({ chain, store }: Parts, branch: readonly Mined[], told = branch.at(-1) as Mined) {
  const blamed: unknown[] = []
  const goals: unknown[] = []
  const { entry } = told
  const texts = new Map(branch.map(({ parsed }) => [parsed.hash, parsed.canonical]))
  const sync = new Sync({
    ...{ chain, store, time: machineTime, log: memoryLog().log },
    transport: { peers: () => ['peer'] },
    conversations: {
      status: async () => ({ height: entry.index, tip: entry.hash, work: entry.totalWork }),
      headers: async (_: string, locator: readonly Hash[]) => {
        const from = Math.max(...locator.map((hash) => branch.findIndex(({ parsed }) => parsed.hash === hash))) + 1
        const some = branch.slice(from, from + MOST_HEADERS)
        return { headers: some.map(({ block }) => headerOf(block)), tip: some.at(-1)?.parsed.hash }
      },
      async *blocks(_: string, hashes: readonly Hash[]) {
        goals.push({ ...sync.progress })
        for (const hash of hashes) yield texts.get(hash)
      },
    },
    reputation: { offend: async (_: string, error: unknown) => void blamed.push(penaltyOf(error, 'block')) },
    onFailure: (error: unknown) => blamed.push(error),
    onCaughtUp: () => undefined,
    onLevel: () => undefined,
  } as unknown as SyncModules)
  return { sync, blamed, goals }
}

it('a branch that goes on in the future is taken as far as its time has come, and the rest is not held for it', async () => {
  const parts = await openParts()
  const { chain, clock } = parts
  const good = minedOn(parts, chain.head)
  const early = minedOn(parts, good.entry, { now: clock.now + 1_000 })
  const { sync, blamed } = syncWith(parts, [good, early])
  await sync.consider('peer')
  expect(chain.head.hash).toBe(good.parsed.hash)
  expect(await chain.import(early.parsed)).toEqual({ kind: 'early' })
  expect(blamed).toEqual([])
  expect(sync.headMoves).toBe(1)
})

it('progress is told of a chain as far as it goes by now, and not as it was told', async () => {
  const parts = await openParts()
  const mined = [minedOn(parts, parts.chain.head)]
  while (mined.length < 3) mined.push(minedOn(parts, (mined.at(-1) as Mined).entry))
  const { sync, goals } = syncWith(parts, mined, mined[0])
  await sync.consider('peer')
  expect(parts.chain.head.index).toBe(4)
  expect(goals[0]).toEqual({ from: 1, to: 4 })
})

it('our head moves by a peer also where what moves it was held and waited for the block before it', async () => {
  const parts = await openParts()
  const { chain } = parts
  const genesis = chain.head
  await chain.import(minedOn(parts, genesis).parsed)
  const beside = minedOn(parts, genesis, { to: ALICE.address })
  const held = minedOn(parts, beside.entry)
  expect(await chain.import(held.parsed)).toEqual({ kind: 'orphan' })
  const { sync, blamed } = syncWith(parts, [beside, held])
  await sync.consider('peer')
  expect({ tip: chain.head.hash, blamed, moves: sync.headMoves }).toEqual({
    tip: held.parsed.hash,
    blamed: [],
    moves: 1,
  })
})

it('two chains that were mined apart for long: the one with more work wins, and its length is no offence', async () => {
  const parts = await openParts()
  const { chain } = parts
  const apart = (to: Address, blocks: number) => {
    const mined: Mined[] = []
    for (let parent = chain.head; mined.length < blocks; parent = (mined.at(-1) as Mined).entry)
      mined.push(minedOn(parts, parent, { to, now: parent.timestamp }))
    return mined
  }
  const [ours, theirs] = [apart(ALICE.address, 2_500), apart(BOB.address, 2_501)]
  await chain.importAll(await chain.read(ours.map(({ parsed }) => parsed.canonical)))
  const { sync, blamed } = syncWith(parts, theirs)
  await sync.consider('peer')
  expect({ tip: chain.head.hash, blamed }).toEqual({ tip: theirs.at(-1)?.parsed.hash, blamed: [] })
}, 60_000)
