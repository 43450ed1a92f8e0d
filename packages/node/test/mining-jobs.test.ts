/** The miner's jobs: one at a time, on the newest block, and none for nobody. */
import { type Amount, blockTemplate, MAX_AMOUNT, sealJobOf, transactionId } from '@bc/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SealThreads } from '../src/mining/seal-threads.ts'
import { post } from './support/http-client.ts'
import { ALICE, signed } from './support/http-node.ts'
import { GENESIS_TIME, injected, type Mined, minedOn, openParts, type Parts } from './support/http-parts.ts'
import { parentsOf, watchedThreads } from './support/http-searches.ts'

const forever = () => new AbortController().signal

afterEach(() => {
  vi.useRealTimers()
})

async function watched(rules = {}) {
  const { searches, threads } = watchedThreads()
  return { searches, parts: await openParts({ rules, threads }) }
}

/** Two turns of the event loop: what is already decided has happened then. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a job', () => {
  it('gives as many different blocks in a row as were asked for, one search at a time', async () => {
    const { parts, searches } = await watched()
    let [running, most] = [0, 0]
    const { search } = SealThreads.prototype
    const spy = vi.spyOn(SealThreads.prototype, 'search').mockImplementation(async function (
      this: SealThreads,
      ...args
    ) {
      most = Math.max(most, ++running)
      return search.apply(this, args).finally(() => running--)
    })
    const found = await Promise.all(Array.from({ length: 20 }, () => parts.miner.mine(forever())))
    spy.mockRestore()
    expect(most).toBe(1)
    expect(found.map(({ block }) => block.index)).toEqual(found.map((_, i) => i + 2))
    expect(found.slice(1).map(({ block }) => block.previous_hash)).toEqual(found.slice(0, -1).map(({ hash }) => hash))
    expect(parentsOf(searches)).toEqual([parts.chain.id, ...found.slice(0, -1).map(({ hash }) => hash)])
    expect(parts.chain.head.hash).toBe(found.at(-1)?.hash)
  })

  it('starts anew on the new tip when somebody else was faster', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    const mining = parts.miner.mine(forever())
    await searches.started(1)
    const foreign = minedOn(parts, parts.chain.head)
    await parts.chain.import(foreign.parsed)
    const { block } = await mining
    expect(parentsOf(searches)).toEqual([parts.chain.id, foreign.parsed.hash])
    expect([block.index, block.previous_hash]).toEqual([3, foreign.parsed.hash])
  })

  it('is not done with a block that came too late, though its nonce was found', async () => {
    let foreign: Mined | undefined
    const parts: Parts = await openParts({
      threads: (real) => ({
        async search(job, signal) {
          const nonce = await real.search(job, signal)
          foreign ??= minedOn(parts, parts.chain.head)
          await parts.chain.import(foreign.parsed)
          return nonce
        },
        close: () => real.close(),
        attempts: 0,
      }),
    })
    const { block, hash } = await parts.miner.mine(forever())
    expect([block.index, block.previous_hash]).toEqual([3, foreign?.parsed.hash])
    expect(parts.chain.head.hash).toBe(hash)
  })

  it('that begins while the pool still follows the head confirms nothing twice', async () => {
    const { parts } = await watched()
    const { chain, store, miner } = parts
    const payment = signed(chain.id)
    await injected(parts.app, post('/transactions/new', payment))
    const accounts = store.accounts.bind(store)
    let mining: ReturnType<typeof miner.mine> | undefined
    const following = vi.spyOn(store, 'accounts').mockImplementation(async (addresses, snapshot) => {
      // Nothing comes back from abandoned blocks: only the pool asks about nobody.
      if (addresses.length > 0) return accounts(addresses, snapshot)
      mining ??= miner.mine(forever())
      await new Promise((resolve) => setTimeout(resolve, 100))
      return new Map()
    })
    const foreign = minedOn(parts, chain.head, { transactions: [payment] })
    await chain.import(foreign.parsed)
    following.mockRestore()
    const mined = await mining
    expect(mined?.block.previous_hash).toBe(foreign.parsed.hash)
    expect(mined?.block.transactions).toHaveLength(1)
  })

  it('starts anew on the new branch after a reorganisation, and ignores a block beside the main chain', async () => {
    const { parts, searches } = await watched()
    const genesis = parts.chain.head
    const [a2, b2] = [minedOn(parts, genesis), minedOn(parts, genesis, { to: ALICE.address })]
    await parts.chain.import(a2.parsed)
    searches.endless = 1
    const mining = parts.miner.mine(forever())
    await searches.started(1)
    expect((await parts.chain.import(b2.parsed)).kind).toBe('beside')
    await settled()
    expect(searches.jobs).toHaveLength(1)
    const b3 = minedOn(parts, b2.entry)
    await parts.chain.import(b3.parsed)
    expect((await mining).block.previous_hash).toBe(b3.parsed.hash)
  })

  it('takes in new transactions and the new time now and then', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const mining = parts.miner.mine(forever())
    await searches.started(1)
    const sent = signed(parts.chain.id)
    await injected(parts.app, post('/transactions/new', sent))
    parts.clock.now += 10
    vi.advanceTimersByTime(10_000)
    const { block } = await mining
    expect(searches.jobs).toHaveLength(2)
    expect(block.transactions[1]).toEqual(sent)
    expect(block.timestamp).toBe(parts.clock.now)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends for nobody: the signal ends it, and the next one has its turn', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    // Nothing but the signal ends the search.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const gone = new AbortController()
    const first = parts.miner.mine(gone.signal)
    const second = parts.miner.mine(forever())
    await searches.started(1)
    gone.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    expect((await second).block.index).toBe(2)
    expect(parts.chain.head.index).toBe(2)
  })

  it('never begins for somebody who left while waiting', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    const [first, second] = [new AbortController(), new AbortController()]
    const mining = [parts.miner.mine(first.signal), parts.miner.mine(second.signal), parts.miner.mine(forever())]
    const outcomes = Promise.allSettled(mining)
    await searches.started(1)
    second.abort(new Error('gone'))
    first.abort(new Error('gone'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    expect(searches.jobs).toHaveLength(2)
    await expect(parts.miner.mine(AbortSignal.abort(new Error('never there')))).rejects.toThrow('never there')
  })

  it('ends with the node, and none begins after that', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const mining = [parts.miner.mine(forever()), parts.miner.mine(forever())]
    const outcomes = Promise.allSettled(mining)
    await searches.started(1)
    await parts.miner.stop()
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'node.stopping' } })
    await expect(parts.miner.mine(forever())).rejects.toMatchObject({ code: 'node.stopping' })
    expect(searches.jobs).toHaveLength(1)
    expect(parts.miner.busy).toBe(false)
  })

  it('holds at most 64 that wait; who leaves makes room at once, and for one alone', async () => {
    const { parts, searches } = await watched()
    // The second round finds as much room as the first one.
    for (let round = 1; round <= 2; round++) {
      searches.endless = 1
      const clients = Array.from({ length: 64 }, () => new AbortController())
      const outcomes = Promise.allSettled(clients.map(({ signal }) => parts.miner.mine(signal)))
      await searches.started(2 * round - 1)
      await expect(parts.miner.mine(forever())).rejects.toMatchObject({ code: 'node.busy' })
      clients[40]?.abort()
      const late = parts.miner.mine(forever())
      await expect(parts.miner.mine(forever())).rejects.toMatchObject({ code: 'node.busy' })
      for (const client of clients) client.abort()
      expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true)
      expect((await late).block.index).toBe(1 + round)
    }
  })

  it('that is done makes room as well', async () => {
    const { parts } = await watched()
    for (let i = 0; i < 70; i++) expect((await parts.miner.mine(forever())).block.index).toBe(i + 2)
  })
})

describe('where no block is possible', () => {
  /** Room for two more rewards. */
  const nearlyAll = { allocations: { [ALICE.address]: (MAX_AMOUNT - 120) as Amount } }

  it('says so once the supply is used up, and leaves no timer behind', async () => {
    const { parts } = await watched(nearlyAll)
    const ours = [await parts.miner.mine(forever()), await parts.miner.mine(forever())]
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    for (let i = 0; i < 3; i++)
      await expect(parts.miner.mine(forever())).rejects.toMatchObject({ code: 'block.reward' })
    expect(vi.getTimerCount()).toBe(0)
    expect(parts.chain.head.hash).toBe(ours[1]?.hash)
    expect(await injected(parts.app, { path: '/mine' })).toMatchObject({ status: 422 })
  })

  it('says so where the clock is too far behind the newest block, and goes on once it is set', async () => {
    const { parts, searches } = await watched()
    const { clock, chain, miner } = parts
    await chain.import(minedOn(parts, chain.head, { now: clock.now + 120 }).parsed)
    const tip = chain.head.timestamp
    expect((await miner.mine(forever())).block.timestamp).toBe(tip)
    clock.now -= 1
    await expect(miner.mine(forever())).rejects.toMatchObject({ code: 'block.timestamp' })
    expect(await injected(parts.app, { path: '/mine' })).toMatchObject({ status: 422 })
    expect(searches.jobs).toHaveLength(1)
    clock.now += 1
    expect((await miner.mine(forever())).block.timestamp).toBe(tip)
    expect(GENESIS_TIME).toBeLessThan(tip)
  })
})

describe('mining on and on', () => {
  it('has its turns beside a full queue, and ends with the node', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    const clients = Array.from({ length: 64 }, () => parts.miner.mine(forever()))
    await searches.started(1)
    const heard: string[] = []
    const mining = parts.miner.mineOn(({ code }) => heard.push(code))
    parts.miner.headMoved()
    await Promise.all(clients)
    await searches.started(80)
    await parts.miner.stop()
    await mining
    expect(heard).toEqual([])
    expect(parts.chain.head.index).toBeGreaterThanOrEqual(65)
  })
})

describe('a mining thread that dies', () => {
  const workersOf = ({ threads }: Parts) =>
    Reflect.get(threads, 'workers') as readonly {
      emit(event: string, error: Error): boolean
      terminate(): Promise<number>
    }[]

  it('fails its job, and the next one gets a new thread', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    const mining = injected(parts.app, { path: '/mine' })
    await searches.started(1)
    await Promise.all(workersOf(parts).map((worker) => worker.terminate()))
    expect(await mining).toMatchObject({ status: 500 })
    expect(parts.logged()).toContain('a mining thread has ended')
    expect(JSON.parse((await injected(parts.app, { path: '/mine' })).text)).toMatchObject({ index: 2 })
  })

  it('takes nothing down with it when it dies between two jobs', async () => {
    const { parts } = await watched()
    await parts.miner.mine(forever())
    for (const worker of workersOf(parts)) worker.emit('error', new Error('out of memory'))
    await Promise.all(workersOf(parts).map((worker) => worker.terminate()))
    expect((await parts.miner.mine(forever())).block.index).toBe(3)
  })

  it('is the failure of a miner that mines on and on', async () => {
    const { parts, searches } = await watched()
    searches.endless = 1
    const mining = parts.miner.mineOn(() => undefined)
    await searches.started(1)
    await Promise.all(workersOf(parts).map((worker) => worker.terminate()))
    await expect(mining).rejects.toThrow('a mining thread has ended')
  })
})

describe('threads', () => {
  it('try other nonces when they search for the same once more', async () => {
    const { chain, threads } = await openParts()
    const parent = chain.head
    const template = blockTemplate({ parent, rules: chain.rules, miner: ALICE.address, now: 0, select: () => [] })
    const search = () => threads.search(sealJobOf(template, parent), forever())
    const nonces = [await search(), await search(), await search(), await search()]
    expect(new Set(nonces).size).toBe(4)
  })

  const hard = (parts: Parts) => ({
    previousProof: parts.chain.head.proof,
    previousHash: parts.chain.id,
    commitment: parts.chain.id,
    target: '0'.repeat(64) as never,
  })

  it('share a search, drop it when it is called off, and are free for the next one', async () => {
    const { parts } = await watched()
    const threads = new SealThreads(2)
    const easy = { ...hard(parts), target: 'f'.repeat(64) as never }
    for (let i = 0; i < 5; i++) {
      const stop = new AbortController()
      const search = threads.search(hard(parts), stop.signal)
      stop.abort(new Error(`called off ${i}`))
      await expect(search).rejects.toThrow(`called off ${i}`)
      // Any nonce is good: it is the one with which a thread has begun, in the first half of its share.
      expect((await threads.search(easy, forever())) % 2n ** 63n).toBeLessThan(2n ** 62n)
    }
    await expect(threads.search(easy, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    await threads.close()
  })

  it('rest when nothing is wanted: they look at the number of the task that is', async () => {
    const { parts } = await watched()
    const threads = new SealThreads(2)
    const wanted = () => Atomics.load(Reflect.get(threads, 'word') as Int32Array, 0)
    const stop = new AbortController()
    const search = threads.search(hard(parts), stop.signal)
    expect(wanted()).toBeGreaterThan(0)
    stop.abort(new Error('called off'))
    await expect(search).rejects.toThrow('called off')
    expect(wanted()).toBe(0)
    await threads.search({ ...hard(parts), target: 'f'.repeat(64) as never }, forever())
    expect(wanted()).toBe(0)
    await threads.close()
  })

  it('that find a nonce for the search before have not found one for this', async () => {
    const { parts } = await watched()
    const threads = new SealThreads(2)
    const easy = { ...hard(parts), target: 'f'.repeat(64) as never }
    await threads.search(easy, forever())
    for (let i = 0; i < 20; i++) {
      // Both threads have one at once; the second one is told when the next search has begun.
      await threads.search(easy, forever())
      const stop = new AbortController()
      const search = threads.search(hard(parts), stop.signal)
      setTimeout(() => stop.abort(new Error('called off')), 20)
      await expect(search).rejects.toThrow('called off')
    }
    await threads.close()
  })
})

it('a block that was mined holds what was waiting, by fee', async () => {
  const { parts } = await watched()
  const low = signed(parts.chain.id, { fee: 1 })
  await injected(parts.app, post('/transactions/new', low))
  const { block } = await parts.miner.mine(forever())
  expect(block.transactions).toHaveLength(2)
  expect(parts.admission.pool.size).toBe(0)
  const found = await parts.store.transactionPlace(transactionId(low, parts.chain.id))
  expect(found).toEqual({ index: 2, position: 1 })
})

describe('threads', () => {
  it('of a machine with many cores leave no warning of a leak behind', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    const threads = new SealThreads(6)
    const parts = await openParts({ threads: () => threads })
    await parts.miner.mine(forever())
    await settled()
    await threads.close()
    process.off('warning', warned)
    expect(warned.mock.calls).toEqual([])
  })
})
