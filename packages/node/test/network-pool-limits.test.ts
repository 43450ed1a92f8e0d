/** How much is asked of a pool, told of one, and taken from one: the conversation above its transport, in a time of its own. */
import {
  canonicalJson,
  type Hash,
  type JsonObject,
  type Pool,
  type PoolEntry,
  RuleError,
  type Transaction,
} from '@bc/core'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Conversations } from '../src/network/conversations.ts'
import { encode } from '../src/network/messages.ts'
import { PoolExchange } from '../src/network/relay/pool-exchange.ts'
import { Relay } from '../src/network/relay/relay.ts'
import { Reputation } from '../src/network/reputation.ts'
import type { Time } from '../src/network/time.ts'
import { PeerError, type RequestOptions, type Transport } from '../src/network/transport.ts'
import { ALICE, CAROL, memoryLog, person, signed } from './support/http-node.ts'
import { openParts, type Parts } from './support/http-parts.ts'

type Handler = Parameters<Transport['serve']>[1]
type Judge = Parameters<Transport['subscribe']>[1]

/** Goes on by what is slept, at once. */
class OwnTime implements Time {
  at = 0
  readonly slept: number[] = []
  now = () => this.at
  sleep = async (ms: number) => {
    this.slept.push(ms)
    this.at += ms
  }
}

class Wire implements Transport {
  readonly self = 'us'
  readonly others = ['peer', 'third']
  readonly handlers = new Map<string, Handler>()
  readonly judges = new Map<string, Judge>()
  readonly published: string[] = []
  readonly banned: string[] = []
  asked: RequestOptions | undefined
  answer: () => AsyncIterable<Uint8Array> = async function* () {}

  readonly owners = new Map<string, string>()
  peers = () => this.others
  ownerOf = (peer: string) => this.owners.get(peer) ?? peer
  listen = () => undefined
  serve = (protocol: string, handler: Handler) => void this.handlers.set(protocol, handler)
  subscribe = (topic: string, judge: Judge) => void this.judges.set(topic, judge)
  close = async () => undefined
  request(_peer: string, _protocol: string, _question: Uint8Array, options: RequestOptions) {
    this.asked = options
    return this.answer()
  }
  async publish(_topic: string, message: Uint8Array) {
    this.published.push(Buffer.from(message).toString())
  }
  async disconnect(peer: string, banMs?: number) {
    if (banMs !== undefined) this.banned.push(peer)
  }
}

let parts: Parts
let wire: Wire
let time: OwnTime
const fail = (error: unknown) => {
  throw error
}
beforeEach(async () => {
  // Enough for thousands of payments.
  parts = await openParts({ rules: { allocations: { [ALICE.address]: 100_000 } } })
  wire = new Wire()
  time = new OwnTime()
})

function conversationsOn(pool: Pick<Pool, 'inOrder'>): Conversations {
  const { chain, store } = parts
  const conversations = new Conversations({ chain, store, pool, transport: wire, time })
  conversations.serve()
  return conversations
}

async function collect(frames: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const frame of frames) all.push(frame)
  return all
}

describe('what a peer is told', () => {
  let steps: number
  /** Without an end; nobody looks at more of an entry than its transaction. */
  function* endless(memo: string): Generator<PoolEntry> {
    const transaction = signed(parts.chain.id, { memo })
    for (;;) {
      steps++
      yield { transaction } as PoolEntry
    }
  }
  const answerer = (memo: string) => {
    steps = 0
    conversationsOn({ inOrder: () => endless(memo) })
    const handler = wire.handlers.get(`/bc/${parts.chain.id}/pool/1`) as Handler
    return () => handler('peer', encode({}))
  }
  const answer = (memo: string) => answerer(memo)()

  it('is 2,000 transactions, and an empty frame after them', async () => {
    const frames = await collect(answer('short'))
    expect(frames).toHaveLength(2_001)
    expect(frames.at(-1)).toHaveLength(0)
    expect(JSON.parse(Buffer.from(frames[0] as Uint8Array).toString())).toMatchObject({ memo: 'short' })
    expect(steps).toBe(2_001)
  })

  it('is a megabyte', async () => {
    const frames = await collect(answer('x'.repeat(256)))
    const [longest = 0] = frames.map(({ length }) => length)
    const size = frames.reduce((sum, { length }) => sum + length, 0)
    expect(size).toBeLessThanOrEqual(1_000_000)
    expect(size + longest).toBeGreaterThan(1_000_000)
    expect(frames.at(-1)).toHaveLength(0)
  })

  it('is read no faster than it is taken, and others have their turn', async () => {
    const frames = answer('short')[Symbol.asyncIterator]()
    for (let i = 0; i < 3; i++) await frames.next()
    expect(steps).toBe(3)
    const before = time.slept.length
    for (let i = 3; i < 1_000; i++) await frames.next()
    expect(time.slept.length - before).toBeGreaterThanOrEqual(15)
  })

  it('costs whoever asks: for more than four answers he waits', async () => {
    const begin = answerer('short')
    for (let i = 0; i < 4; i++) await begin()[Symbol.asyncIterator]().next()
    expect(time.slept).toEqual([])
    await begin()[Symbol.asyncIterator]().next()
    expect(time.slept).toEqual([1_000])
  })
})

describe('what a peer tells', () => {
  const read = () =>
    collect(
      conversationsOn({ inOrder: () => [][Symbol.iterator]() as never }).pool('peer', new AbortController().signal),
    )
  const tells = (frames: () => Generator<Uint8Array>, msEach = 0) => {
    wire.answer = async function* () {
      for (const frame of frames()) {
        time.at += msEach
        yield frame
      }
    }
  }

  it('has short frames, few of them, and the next in ten seconds', async () => {
    tells(function* () {
      yield Buffer.from('{}')
      yield Buffer.alloc(0)
    })
    expect(await read()).toEqual([Buffer.from('{}')])
    expect(wire.asked).toMatchObject({ maxFrameBytes: 4_000, frames: 2_001, stallMs: 10_000 })
  })

  it.each([
    ['2,000 transactions, with an empty frame after them', 2, 2_001],
    ['a megabyte', 4_000, 251],
  ])('is no more than %s', async (_, length, most) => {
    let told = 0
    tells(function* () {
      for (; ; told++) yield Buffer.alloc(length, 0x20)
    })
    await expect(read()).rejects.toMatchObject({ fault: 'oversized' })
    expect(told + 1).toBe(most)
  })

  it('doesn’t trickle', async () => {
    tells(function* () {
      for (let i = 0; i < 2_000; i++) yield Buffer.from('{}')
      yield Buffer.alloc(0)
    }, 9_000)
    await expect(read()).rejects.toMatchObject({ fault: 'stalled' })
  })
})

function relayOn(onMissed: (peer: string) => void = () => undefined, node = parts): Relay {
  const { chain, store, admission } = node
  const reputation = new Reputation({ transport: wire, time, log: memoryLog().log })
  return new Relay({
    chain,
    store,
    admission,
    transport: wire,
    reputation,
    sync: {} as never,
    time,
    onFailure: fail,
    onMissed,
  })
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const bytesOf = (transaction: Transaction) => Buffer.from(canonicalJson(transaction as unknown as JsonObject))

describe('what was taken', () => {
  it('is told to others no faster than what they let a peer send for nothing', async () => {
    const { chain, admission } = parts
    const entries: PoolEntry[] = []
    for (let nonce = 0; nonce < 1_600; nonce++)
      entries.push(
        await admission.submit({ fields: signed(chain.id, { nonce, amount: 1 }) as never, namesNonce: true }),
      )
    const relay = relayOn()
    relay.tellOf('peer', entries)
    await vi.waitFor(() => expect(wire.published).toHaveLength(1_600))
    expect(time.slept).toHaveLength(100)
    // FUTILE refills with 100 a second.
    expect(time.at).toBeGreaterThanOrEqual(1_200)
    expect(time.at).toBeLessThanOrEqual(1_300)
  })

  it('is told to nobody who has it, or when it is gone', async () => {
    const relay = relayOn()
    const entry = await relay.takeTransaction('peer', bytesOf(signed(parts.chain.id)))
    if (typeof entry === 'string') throw new TypeError(`it is ${entry}`)
    wire.others.pop()
    relay.tellOf('peer', [entry])
    await turn()
    expect(wire.published).toEqual([])
    wire.others.push('third')
    relay.tellOf('peer', [{ ...entry, transaction: { ...entry.transaction, nonce: 1 as never } }])
    await turn()
    expect(wire.published).toEqual([])
    relay.tellOf('peer', [entry])
    await turn()
    expect(wire.published).toHaveLength(1)
  })

  it('and what was refused leaves its teller all that gossip allows for', async () => {
    const relay = relayOn()
    relay.start()
    const { id } = parts.chain
    const message = bytesOf(signed(id))
    for (let i = 0; i < 2_100; i++) await relay.takeTransaction('peer', message)
    const judge = wire.judges.get(`bc/${id}/transactions/1`) as Judge
    expect(await judge('peer', bytesOf(signed(id, { nonce: 1 })))).toBe('accept')
  })

  it('is judged when somebody else brings it, who isn’t overdrawn', async () => {
    relayOn().start()
    const { id } = parts.chain
    const judge = wire.judges.get(`bc/${id}/transactions/1`) as Judge
    const [known, news] = [bytesOf(signed(id)), bytesOf(signed(id, { nonce: 1 }))]
    expect(await judge('peer', known)).toBe('accept')
    for (let i = 0; i < 2_000; i++) expect(await judge('peer', known)).toBe('ignore')
    expect(await judge('peer', news)).toBe('unheard')
    expect(await judge('third', news)).toBe('accept')
  })

  it('is looked at once, whoever else has it', async () => {
    const relay = relayOn()
    let checks = 0
    const check = parts.admission.check.bind(parts.admission)
    parts.admission.check = (some) => {
      checks += some.length
      return check(some)
    }
    const message = bytesOf(signed(parts.chain.id))
    expect(await relay.takeTransaction('peer', message)).toMatchObject({ transaction: { nonce: 0 } })
    expect(await relay.takeTransaction('third', message)).toBe('ignore')
    expect(checks).toBe(1)
    // With another signature it is another one.
    const forged = bytesOf({ ...signed(parts.chain.id), signature: '1'.repeat(128) as never })
    expect(await relay.takeTransaction('third', forged)).toBe('reject')
    expect(wire.banned).toEqual(['third'])
  })
})

describe('what is handed in', () => {
  const nonces = () => wire.published.map((text) => JSON.parse(text).nonce)
  const handIn = async (count: number, payment: Parameters<typeof signed>[1] = {}) => {
    const entries: PoolEntry[] = []
    for (let nonce = 0; nonce < count; nonce++) {
      const fields = signed(parts.chain.id, { nonce, amount: 1, ...payment })
      entries.push(await parts.admission.submit({ fields: fields as never, namesNonce: true }))
    }
    return entries
  }
  /** Until somebody lets it go on. */
  const standStill = () => {
    let go = () => {}
    const stopped = new Promise<void>((resolve) => {
      go = resolve
    })
    time.sleep = () => stopped
    return go
  }

  it('is told at once, but no more than a peer could refuse, and each sender’s by nonce', async () => {
    const relay = relayOn()
    const entries = await handIn(2_000)
    for (const { transaction } of entries) relay.announceTransaction(transaction)
    await vi.waitFor(() => expect(wire.published).toHaveLength(2_000))
    expect(time.slept).toHaveLength(500)
    expect(nonces()).toEqual(entries.map((_, nonce) => nonce))
  })

  it('arrives whole at a peer that takes its time, however many of how many senders; nobody is banned', async () => {
    const senders = [1, 2, 3, 4, 5].map(person)
    const rules = { allocations: Object.fromEntries(senders.map(({ address }) => [address, 1_000_000])) }
    const [ours, theirs] = [await openParts({ rules }), await openParts({ rules })]
    const [teller, listener] = [relayOn(undefined, ours), relayOn(undefined, theirs)]
    listener.start()
    const judge = wire.judges.get(`bc/${theirs.chain.id}/transactions/1`) as Judge
    wire.publish = async (_, message) => void judge('us', message)
    time.sleep = async (ms) => {
      time.at += ms
      await listener.idle()
    }
    const transactions = Array.from({ length: 800 }, (_, nonce) =>
      senders.map((from) => signed(ours.chain.id, { from, nonce, amount: 1 })),
    ).flat()
    const submitted = transactions.map((fields) => ours.admission.submit({ fields: fields as never, namesNonce: true }))
    for (const { transaction } of await Promise.all(submitted)) teller.announceTransaction(transaction)
    await vi.waitFor(() => expect(theirs.admission.pool.size).toBe(transactions.length), 30_000)
    expect(wire.banned).toEqual([])
  })

  it('and replaced before its turn, keeps that; what has left the pool, or comes after the end, is not told', async () => {
    const relay = relayOn()
    const go = standStill()
    const entries = await handIn(1_520)
    for (const { transaction } of entries) relay.announceTransaction(transaction)
    await vi.waitFor(() => expect(wire.published).toHaveLength(1_500))
    const dearer = signed(parts.chain.id, { nonce: 1_510, amount: 1, fee: 5 })
    await parts.admission.submit({ fields: dearer as never, namesNonce: true })
    relay.announceTransaction(dearer)
    parts.admission.pool.settle(dearer.sender, { balance: 1_000_000 as never, nonce: 1_505 })
    go()
    await vi.waitFor(() => expect(wire.published).toHaveLength(1_515))
    expect(nonces().slice(1_500)).toEqual(Array.from({ length: 15 }, (_, i) => 1_505 + i))
    expect(JSON.parse(wire.published[1_505] as string)).toMatchObject({ nonce: 1_510, fee: 5 })
    relay.close()
    relay.announceTransaction((entries[1_519] as PoolEntry).transaction)
    await turn()
    expect(wire.published).toHaveLength(1_515)
  })

  it('holds no more places than the pool, however much passes through that', async () => {
    const relay = relayOn()
    standStill()
    for (const { transaction } of await handIn(1_510)) relay.announceTransaction(transaction)
    await vi.waitFor(() => expect(wire.published).toHaveLength(1_500))
    const one = signed(parts.chain.id)
    for (let nonce = 2_000; nonce < 10_000; nonce++) relay.announceTransaction({ ...one, nonce: nonce as never })
    const { places } = Reflect.get(relay, 'announcements') as { places: Map<string, unknown> }
    expect(places.size).toBeLessThanOrEqual(2 * 1_510 + 1_000)
  })
})

describe('gossip that is of no use here', () => {
  let missed: number
  const gossiping = () => {
    missed = 0
    const relay = relayOn(() => missed++)
    relay.start()
    const judge = wire.judges.get(`bc/${parts.chain.id}/transactions/1`) as Judge
    return (payment: Parameters<typeof signed>[1]) => judge('peer', bytesOf(signed(parts.chain.id, payment)))
  }

  it('is not looked at beyond 2,000, until time has passed; nobody is banned for it', async () => {
    const gossip = gossiping()
    const submit = vi.spyOn(parts.admission, 'submit')
    const unfunded = { from: CAROL, amount: 1 }
    for (let i = 0; i < 50; i++)
      await Promise.all(Array.from({ length: 200 }, (_, j) => gossip({ ...unfunded, memo: `${i} ${j}` })))
    expect(submit).toHaveBeenCalledTimes(2_000)
    expect(missed).toBe(10_000)
    expect(await gossip({ nonce: 0 })).toBe('unheard')
    time.at += 1_000
    expect(await gossip({ nonce: 0 })).toBe('accept')
    for (let i = 0; i < 500; i++) await gossip({ ...unfunded, memo: `later ${i}` })
    expect(submit).toHaveBeenCalledTimes(2_000 + 101)
    expect(wire.banned).toEqual([])
  })

  it('is a flood where it is more than the pool of an honest peer holds, and goes on unheard', async () => {
    gossiping()
    const judge = wire.judges.get(`bc/${parts.chain.id}/transactions/1`) as Judge
    const messages = Array.from({ length: 2_000 }, (_, i) =>
      bytesOf(signed(parts.chain.id, { from: CAROL, memo: `${i}` })),
    )
    await Promise.all(messages.map((message) => judge('peer', message)))
    const again = async (count: number) => {
      for (let i = 0; i < count; i++) await judge('peer', messages[0] as Uint8Array)
    }
    await again(50_000)
    expect(wire.banned).toEqual([])
    await again(10)
    expect(wire.banned).toEqual(['peer'])
  })

  it('is counted for whoever stands behind it, whatever his peers are called', async () => {
    gossiping()
    const judge = wire.judges.get(`bc/${parts.chain.id}/transactions/1`) as Judge
    const submit = vi.spyOn(parts.admission, 'submit')
    const message = (nonce: number) => bytesOf(signed(parts.chain.id, { nonce }))
    expect(await judge('first', message(0))).toBe('accept')
    wire.owners.set('next', 'he').set('after that', 'he').set('last', 'he')
    for (let i = 0; i < 2_000; i++) await judge(i % 2 ? 'next' : 'after that', message(0))
    expect(await judge('last', message(1))).toBe('unheard')
    for (let i = 1; i < 50_000; i++) await judge(i % 2 ? 'next' : 'after that', message(1))
    expect(wire.banned).toEqual([])
    expect(await judge('last', message(1))).toBe('unheard')
    expect(wire.banned).toEqual(['last'])
    expect(submit).toHaveBeenCalledTimes(1)
    expect(await judge('first', message(1))).toBe('accept')
  })

  it('is worth asking for where another time it may be of use: coins are missing, or one before it, or time', async () => {
    const gossip = gossiping()
    expect(await gossip({ from: CAROL, amount: 1 })).toBe('ignore')
    expect(await gossip({ nonce: 65 })).toBe('ignore')
    vi.spyOn(parts.admission, 'submit').mockRejectedValueOnce(new RuleError('node.busy', 'Too many wait.'))
    expect(await gossip({ nonce: 0 })).toBe('ignore')
    expect(missed).toBe(3)
    expect(await gossip({ nonce: 0 })).toBe('accept')
    expect(await gossip({ nonce: 0 })).toBe('ignore')
    expect(await gossip({ nonce: 0, memo: 'for no higher fee' })).toBe('ignore')
    expect(missed).toBe(3)
  })
})

it('who offends again before it is hung up on is banned once, and the log says so once', async () => {
  const { log, logged } = memoryLog()
  const reputation = new Reputation({ transport: wire, time, log })
  const offend = () => reputation.offend('peer', new PeerError('garbled', 'nonsense'), 'conversation')
  await Promise.all(Array.from({ length: 100 }, offend))
  expect(wire.banned).toEqual(['peer'])
  expect(logged().match(/refused for a while/g)).toHaveLength(1)
  time.at += 10 * 60_000
  await offend()
  expect(wire.banned).toEqual(['peer', 'peer'])
})

const [TIP, NEXT_TIP] = ['a', 'b'].map((digit) => digit.repeat(64)) as [Hash, Hash]

describe('who is asked', () => {
  let asked: string[]
  let ends: (() => void)[]

  /** The whole of it, as far as the transport. */
  function overWire(relay: Pick<Relay, 'takeTransaction' | 'tellOf'> = relayOn()): PoolExchange {
    const { log } = memoryLog()
    const conversations = conversationsOn(parts.admission.pool)
    const reputation = new Reputation({ transport: wire, time, log })
    return new PoolExchange({ conversations, relay, reputation, transport: wire, time, log, onFailure: fail })
  }

  function exchange(): PoolExchange {
    asked = []
    ends = []
    const conversations = {
      async *pool(peer: string, signal: AbortSignal) {
        asked.push(peer)
        await new Promise<void>((resolve, reject) => {
          ends.push(resolve)
          signal.addEventListener('abort', () => reject(signal.reason))
        })
        yield* []
      },
    }
    const { log } = memoryLog()
    const reputation = new Reputation({ transport: wire, time, log })
    return new PoolExchange({
      conversations,
      relay: relayOn(),
      reputation,
      transport: wire,
      time,
      log,
      onFailure: fail,
    })
  }

  const finish = async () => {
    for (const end of ends.splice(0)) end()
    await turn()
  }

  it('is a peer that gossip has included, once in a connection', async () => {
    const pools = exchange()
    pools.ask('peer', TIP)
    expect(asked).toEqual([])
    for (let i = 0; i < 3; i++) {
      pools.expect('peer')
      pools.ask('peer', TIP)
      await finish()
    }
    expect(asked).toEqual(['peer'])
    pools.forget('peer')
    pools.expect('peer')
    pools.ask('peer', TIP)
    expect(asked).toEqual(['peer', 'peer'])
  })

  it('is asked again when we have missed what it told, and on another block as long as it has news for us', async () => {
    let asked = 0
    let nonces: readonly number[] = []
    wire.answer = async function* () {
      asked++
      for (const nonce of nonces) yield bytesOf(signed(parts.chain.id, { nonce, amount: 1 }))
      yield Buffer.alloc(0)
    }
    const pools = overWire()
    const askOn = async (tip: Hash) => {
      time.at += 60_000
      pools.ask('peer', tip)
      await (Reflect.get(pools, 'underWay') as Map<string, Promise<void>>).get('peer')
      return asked
    }
    pools.missed('peer')
    expect(await askOn(TIP), 'before gossip has included it').toBe(0)
    pools.expect('peer')
    nonces = [0, 1]
    expect(await askOn(TIP)).toBe(1)
    expect(await askOn(TIP)).toBe(1)
    nonces = [2]
    expect(await askOn(NEXT_TIP)).toBe(2)
    expect(await askOn(TIP)).toBe(3)
    for (const tip of [TIP, NEXT_TIP]) expect(await askOn(tip), 'without news').toBe(3)
    pools.missed('peer')
    nonces = []
    expect(await askOn(NEXT_TIP)).toBe(4)
    nonces = [3]
    expect(await askOn(TIP), 'what was missed may be told after the next block').toBe(5)
    expect(parts.admission.pool.size).toBe(4)
    await pools.close()
  })

  it('is not one that is being asked still: that comes after', async () => {
    const pools = exchange()
    const comes = () => {
      pools.forget('peer')
      pools.expect('peer')
      pools.ask('peer', TIP)
    }
    comes()
    comes()
    expect(asked).toEqual(['peer'])
    await finish()
    pools.ask('peer', TIP)
    expect(asked).toEqual(['peer', 'peer'])
  })

  it('is asked four times, and once in a minute after that, however often it comes', async () => {
    const pools = exchange()
    const comes = async (times: number) => {
      for (let i = 0; i < times; i++) {
        pools.forget('peer')
        pools.expect('peer')
        pools.ask('peer', TIP)
        await finish()
      }
    }
    await comes(20)
    expect(asked).toHaveLength(4)
    time.at += 60_000
    await comes(20)
    expect(asked).toHaveLength(5)
    time.at += 60_000
    pools.ask('peer', TIP)
    expect(asked).toHaveLength(6)
  })

  it('is no more often one of those behind whom the same one stands', async () => {
    const pools = exchange()
    for (let i = 0; i < 20; i++) {
      wire.owners.set(`name ${i}`, 'he')
      pools.expect(`name ${i}`)
      pools.ask(`name ${i}`, TIP)
      await finish()
    }
    pools.expect('peer')
    pools.ask('peer', TIP)
    expect(asked).toEqual(['name 0', 'name 1', 'name 2', 'name 3', 'peer'])
  })

  it('is read no further, and not wanted any more, when one of what it tells breaks a rule that nobody can overlook', async () => {
    let told = 0
    let ended = false
    const forged = bytesOf({ ...signed(parts.chain.id), signature: '1'.repeat(128) as never })
    const good = Array.from({ length: 63 }, (_, nonce) => bytesOf(signed(parts.chain.id, { nonce, amount: 1 })))
    const frames = [...good.slice(0, 30), forged, ...good.slice(30)]
    wire.answer = async function* () {
      try {
        for (; told < 2_000; told++) yield frames[told] ?? bytesOf(signed(parts.chain.id, { nonce: told, amount: 1 }))
      } finally {
        ended = true
      }
    }
    const pools = overWire()
    pools.expect('peer')
    pools.ask('peer', TIP)
    await vi.waitFor(() => expect(wire.published).toHaveLength(63))
    expect([told, ended]).toEqual([63, true])
    expect(wire.banned).toEqual(['peer'])
    await pools.close()
  })

  it('is left in the midst of its answer when we close; what it has told is judged by then, and it is not to blame', async () => {
    let [waits, left] = [false, false]
    wire.answer = async function* () {
      const { signal } = wire.asked as RequestOptions
      try {
        for (let nonce = 0; nonce < 3; nonce++) yield bytesOf(signed(parts.chain.id, { nonce, amount: 1 }))
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          waits = true
        })
      } finally {
        left = true
      }
    }
    let judged = 0
    let judge = () => {}
    const mayJudge = new Promise<void>((resolve) => {
      judge = resolve
    })
    const relay = relayOn()
    const pools = overWire({
      tellOf: (...args) => relay.tellOf(...args),
      takeTransaction: async (...args) => {
        await mayJudge
        const answer = await relay.takeTransaction(...args)
        judged++
        return answer
      },
    })
    pools.expect('peer')
    pools.ask('peer', TIP)
    await vi.waitFor(() => expect(waits).toBe(true))
    const closed = pools.close()
    judge()
    await closed
    expect(left).toBe(true)
    expect([judged, parts.admission.pool.size]).toEqual([3, 3])
    expect(wire.banned).toEqual([])
    expect(wire.published).toEqual([])
  })

  it('and nobody is asked any more when we close, nor waited for', async () => {
    const pools = exchange()
    for (const peer of ['peer', 'third']) {
      pools.expect(peer)
      pools.ask(peer, TIP)
    }
    pools.expect('fourth')
    await pools.close()
    pools.ask('fourth', TIP)
    expect(asked).toEqual(['peer', 'third'])
    expect(wire.banned).toEqual([])
  })
})
