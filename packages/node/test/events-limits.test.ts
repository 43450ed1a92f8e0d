/** What listening to events may cost a node: slow readers, too many of them, those who vanish, those who wait. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { type RuleError, transactionId, type VerifiedTransaction } from '@bc/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EventFeed, type FeedOptions, MOST_OF_ONE, MOST_STRANGERS } from '../src/events/feed.ts'
import { EventHistory, type KeptEvent } from '../src/events/history.ts'
import { MiningMeter } from '../src/events/mining-meter.ts'
import type { EventStream } from '../src/events/stream.ts'
import { EVENT_TYPES } from '../src/http/event-schemas.ts'
import { connected } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { isOf, listen } from './support/http-events.ts'
import { signed } from './support/http-node.ts'
import { openParts } from './support/http-parts.ts'

afterEach(() => {
  vi.useRealTimers()
})

const HEAD = { chain: 'c'.repeat(64), height: 1, tip: 'c'.repeat(64) }
const TARGET = `0000${'f'.repeat(60)}` as never

function newFeed(options: Partial<FeedOptions> = {}): EventFeed {
  return new EventFeed({ head: HEAD, progress: () => undefined, ...options })
}

const stranger = (n: number) => ({ types: EVENT_TYPES, lastId: undefined, listener: `10.0.${n >> 8}.${n & 255}` })
const HERE = { types: EVENT_TYPES, lastId: undefined, listener: 'here' }

/** An event of this many bytes, more or less. */
function peerEvent(bytes: number) {
  return { peer: 'x'.repeat(bytes), status: 'connected' as const, peers: 1 }
}

async function listeningParts(limits = { events: 1_000, bytes: 1_000_000 }) {
  const parts = await openParts({ limits })
  await parts.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...parts, port: (parts.app.server.address() as AddressInfo).port }
}

function codeOf(attempt: () => unknown): string {
  try {
    attempt()
  } catch (error) {
    return (error as RuleError).code
  }
  return 'none'
}

function textOf(stream: EventStream): string {
  return String(stream.read() ?? '')
}

describe('a reader', () => {
  it('that takes nothing is cut off once it is behind what is kept; the others hear everything', async () => {
    const { events, port } = await listeningParts()
    const [slow, quick] = [await listen(port), await listen(port)]
    await Promise.all([slow, quick].map((client) => client.until(({ length }) => length >= 1)))
    slow.pause()
    let told = 0
    while (events.size > 1 && told < 2_000) {
      events.peersChanged(peerEvent(50_000))
      told++
      await quick.until((heard) => heard.filter(isOf('peer')).length >= told)
    }
    expect(events.size).toBe(1)
    slow.resume()
    expect(await slow.ended).toBe('broken')
    expect(quick.heard).toHaveLength(told + 1)
    const again = await listen(port, { lastId: slow.lastId() })
    expect((await again.until(({ length }) => length >= 1))[0]?.event).toBe('missed')
  })

  it('that takes nothing has nothing held for it but what is kept for all', async () => {
    const feed = newFeed()
    const streams = Array.from({ length: 20 }, () => feed.listen(HERE))
    for (let i = 0; i < 100; i++) feed.peersChanged(peerEvent(10_000))
    // Node asks for as much as one more than the mark of a stream's buffer.
    for (const stream of streams) expect(stream.readableLength).toBeLessThan(stream.readableHighWaterMark + 20_000)
    feed.close()
    for (const stream of streams) stream.destroy()
  })

  it('that is a little late hears all of it, in order, at its own pace', async () => {
    const { events, port } = await listeningParts({ events: 1_000, bytes: 50_000_000 })
    const client = await listen(port)
    await client.until(({ length }) => length >= 1)
    client.pause()
    for (let i = 0; i < 500; i++) events.peersChanged({ ...peerEvent(50_000), peers: i })
    client.resume()
    await client.until(({ length }) => length >= 501)
    expect(client.heard.slice(1).map(({ data }) => data.peers)).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })

  it('that hangs up is forgotten, whenever it does', async () => {
    const { events, port } = await listeningParts()
    const clients = await Promise.all(Array.from({ length: 10 }, () => listen(port)))
    expect(events.size).toBe(10)
    await Promise.all(clients.map((client) => client.close()))
    await vi.waitUntil(() => events.size === 0, 30_000)
    events.peersChanged(peerEvent(10))
  })

  it('that hangs up with several streams on one connection is forgotten with all of them', async () => {
    const { events, port } = await listeningParts()
    const socket = await connected(port)
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3))
    await vi.waitUntil(() => events.size === 3, 30_000)
    socket.destroy()
    await vi.waitUntil(() => events.size === 0, 30_000)
  })

  it('of a crowd hears the same as all the others', async () => {
    const { events, port } = await listeningParts({ events: 1_000, bytes: 50_000_000 })
    const clients = await Promise.all(Array.from({ length: MOST_OF_ONE }, () => listen(port, { types: 'peer' })))
    for (let i = 0; i < 200; i++) {
      events.peersChanged({ ...peerEvent(i * 10), peers: i })
      if (i % 10 === 0) await turn()
    }
    for (const client of clients) {
      await client.until(({ length }) => length >= 201)
      expect(client.heard.slice(1).map(({ data }) => data.peers)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    }
  })
})

describe('more at once than is kept', () => {
  it('reaches who was up to date, in the midst of what comes after it; who takes nothing is cut off', async () => {
    const { events, chain, port } = await listeningParts({ events: 10, bytes: 1_000_000 })
    const [quick, slow] = [await listen(port), events.listen(HERE)]
    await quick.until(({ length }) => length >= 1)
    const changes = Array.from({ length: 5_000 }, (_, nonce) => {
      const transaction = { ...signed(chain.id), nonce } as VerifiedTransaction
      return { kind: 'pending', entry: { id: transactionId(transaction, chain.id), transaction } } as const
    })
    events.poolChanged(changes)
    for (let i = 0; i < 5; i++) events.peersChanged(peerEvent(10))
    for (const change of changes.slice(0, 5)) events.poolChanged([change])
    const heard = await quick.until(({ length }) => length >= 5_011)
    const told = heard.slice(1, 5_001).map(({ data }) => (data.transaction as { nonce: number }).nonce)
    expect(told).toEqual(Array.from({ length: 5_000 }, (_, nonce) => nonce))
    expect(slow.destroyed).toBe(false)
    for (const change of changes.slice(0, 6)) events.poolChanged([change])
    expect(slow.destroyed).toBe(true)
  })
})

describe('a revert in dev mode', () => {
  it('is told as a reorganisation that adopts nothing, where blocks were left, and as what it made of the pool', async () => {
    const { events, chain, app, port } = await listeningParts()
    const client = await listen(port, { app })
    const { head } = chain
    const transaction = signed(chain.id) as VerifiedTransaction
    const id = transactionId(transaction, chain.id)
    const pool = [{ kind: 'dropped', entry: { id, transaction }, reason: 'reverted' }] as const
    events.headMoved({ head, abandoned: [], adopted: [] }, [])
    events.headMoved({ head, abandoned: [{ entry: head }], adopted: [] }, pool)
    const heard = await client.until(({ length }) => length >= 3)
    const data = { abandoned: [{ index: head.index, hash: head.hash }], adopted: [] }
    expect(heard.slice(1)).toMatchObject([
      { event: 'reorganisation', data },
      { event: 'transaction', data: { id, status: 'dropped', reason: 'reverted', transaction } },
    ])
  })
})

describe('places', () => {
  it('are limited for one address, and free again when somebody leaves', async () => {
    const { app, port, events } = await listeningParts()
    const clients = await Promise.all(Array.from({ length: MOST_OF_ONE }, () => listen(port)))
    const { status, json } = await (await Contract.of(app)).ask({ port }, { path: '/events' })
    expect([status, json.code]).toEqual([503, 'node.busy'])
    await clients[0]?.close()
    await vi.waitUntil(() => events.size < MOST_OF_ONE, 30_000)
    await (await listen(port)).until(({ length }) => length >= 1)
  })

  it('are limited for one network: who has an IPv6 address has more than he can count', async () => {
    const { app, events } = await listeningParts()
    const ask = (remoteAddress: string) =>
      app.inject({ url: '/events', headers: { host: '[2001:db8::1]' }, remoteAddress, payloadAsStream: true })
    const streams = []
    for (let i = 0; i < MOST_OF_ONE; i++) streams.push(await ask(`2001:db8:${i}::1`))
    expect(streams.map(({ statusCode }) => statusCode)).toEqual(Array(MOST_OF_ONE).fill(200))
    expect((await ask('2001:db8:ffff::1')).statusCode).toBe(503)
    streams.push(await ask('2001:db9::1'))
    expect(events.size).toBe(MOST_OF_ONE + 1)
    for (const stream of streams) stream.stream().destroy()
  })

  it('are limited for all strangers together, and never taken from this machine', () => {
    const feed = newFeed()
    const streams = Array.from({ length: MOST_STRANGERS }, (_, i) => feed.listen(stranger(i)))
    expect(codeOf(() => feed.listen(stranger(MOST_STRANGERS)))).toBe('node.busy')
    streams.push(feed.listen(HERE))
    feed.close()
    expect(codeOf(() => feed.listen(HERE))).toBe('node.stopping')
    for (const stream of streams) stream.destroy()
  })
})

describe('time', () => {
  it('that passes in silence is filled with comments, and leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const feed = newFeed()
    const [one, two] = [feed.listen(HERE), feed.listen(HERE)]
    expect(textOf(one)).toMatch(/^retry: \d+\nid: [0-9a-f]{16}-0\nevent: start\n/)
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(15_000)
      expect(textOf(one)).toBe(':\n\n')
    }
    // Who hasn't taken the first words isn't bothered with these.
    expect(textOf(two)).not.toContain(':\n\n')
    for (const stream of [one, two]) {
      stream.destroy()
      await once(stream, 'close')
    }
    expect(vi.getTimerCount()).toBe(0)
    const again = feed.listen(HERE)
    textOf(again)
    vi.advanceTimersByTime(15_000)
    expect(textOf(again)).toBe(':\n\n')
    feed.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of mining is told to those who asked for it, twice a second', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let now = { job: 1, index: 2, target: TARGET, attempts: 0, milliseconds: 0 }
    const feed = newFeed({ progress: () => now })
    const [miner, other] = [['mining'], ['block']].map((types) => feed.listen({ ...HERE, types: types as never }))
    textOf(miner as EventStream)
    textOf(other as EventStream)
    const heard: unknown[] = []
    for (let i = 0; i < 4; i++) {
      now = { ...now, attempts: now.attempts + 1000, milliseconds: now.milliseconds + 500 }
      vi.advanceTimersByTime(500)
      const text = textOf(miner as EventStream)
      expect(text).toMatch(/^event: mining\ndata: .*\n\n$/)
      heard.push(JSON.parse(text.split('data: ')[1] ?? ''))
    }
    expect(heard.at(-1)).toEqual({ index: 2, attempts: 4000, rate: 2000, expected: '65536', milliseconds: 2000 })
    expect(textOf(other as EventStream)).toBe('')
    feed.close()
  })
})

describe('the meter', () => {
  const at = (job: number, attempts: number, milliseconds: number) => ({
    ...{ job, attempts, milliseconds },
    index: job + 1,
    target: TARGET,
  })

  it('measures each job from its own beginning', () => {
    const meter = new MiningMeter()
    expect(meter.read(undefined)).toBeUndefined()
    expect(meter.read(at(1, 0, 0))?.rate).toBe(0)
    expect(meter.read(at(1, 500, 250))?.rate).toBe(2000)
    expect(meter.read(at(1, 600, 350))?.rate).toBe(1000)
    expect(meter.read(at(2, 50, 100))?.rate).toBe(500)
    expect(meter.read(undefined)).toBeUndefined()
    expect(meter.read(at(2, 100, 200))?.rate).toBe(500)
  })
})

describe('what is kept', () => {
  const message = (peers: number, bytes = 10) => ({ type: 'peer' as const, data: { ...peerEvent(bytes), peers } })

  it('is bounded by number and by bytes, for each type alone; the newest stays whatever its length', () => {
    const history = new EventHistory({ events: 2, bytes: 1_000 })
    for (let i = 1; i <= 5; i++) history.add([message(i)])
    expect(history.reaches(1, ['peer'])).toBe(false)
    expect(history.reaches(2, ['peer'])).toBe(true)
    expect(history.reaches(0, ['block', 'transaction', 'reorganisation'])).toBe(true)
    expect(history.after(0, ['peer'])?.sequence).toBe(3)
    for (const i of [6, 7]) history.add([message(i, 5_000)])
    expect(history.after(0, ['peer'])?.sequence).toBe(6)
    history.add([message(8)])
    expect(history.after(0, ['peer'])?.sequence).toBe(7)
    expect(history.after(8, ['peer'])).toBeUndefined()
    expect(history.newest).toBe(8)
  })

  it('holds what happened at once as a whole until the limits are full of what came after it', () => {
    const history = new EventHistory({ events: 3, bytes: 1_000_000 })
    const add = (events: number) => history.add(Array.from({ length: events }, () => message(0)))
    const oldest = () => history.after(0, ['peer'])?.sequence
    for (const events of [1, 1, 6]) add(events)
    expect(oldest()).toBe(1)
    add(1)
    expect(oldest()).toBe(3)
    for (let at = 3; at <= 9; at++) expect(history.after(at - 1, ['peer'])?.sequence).toBe(at)
    add(2)
    expect([oldest(), history.reaches(2, ['peer']), history.reaches(1, ['peer'])]).toEqual([3, true, false])
    add(1)
    expect([oldest(), history.reaches(8, ['peer']), history.reaches(7, ['peer'])]).toEqual([9, true, false])
    // One that comes after another of them takes its place.
    for (let i = 0; i < 4; i++) add(50)
    expect(oldest()).toBe(history.newest - 99)
  })

  it('is bounded also where very much happens at once', () => {
    const history = new EventHistory()
    history.add(Array.from({ length: 100 }, () => message(0, 1_000_000)))
    let [kept, at] = [0, 0]
    for (let next = history.after(at, ['peer']); next; next = history.after(at, ['peer']))
      [kept, at] = [kept + 1, next.sequence]
    expect(at).toBe(100)
    expect(kept).toBeLessThanOrEqual(64)
    expect(history.reaches(100 - kept, ['peer'])).toBe(true)
    expect(history.reaches(100 - kept - 1, ['peer'])).toBe(false)
  })

  it('keeps no memory but its own', () => {
    const history = new EventHistory()
    history.add([message(1)])
    const { text } = history.after(0, ['peer']) as KeptEvent
    expect(text.buffer.byteLength).toBe(text.length)
  })

  it('is told in the order in which it happened, whatever its type', () => {
    const history = new EventHistory()
    const reorganisation = { type: 'reorganisation' as const, data: { abandoned: [], adopted: [] } }
    for (let i = 0; i < 20; i++) history.add([i % 3 === 0 ? reorganisation : message(i)])
    const told: number[] = []
    for (let at = 0; ; at = told.at(-1) ?? 0) {
      const event = history.after(at, ['reorganisation', 'peer', 'block'])
      if (event === undefined) break
      told.push(event.sequence)
    }
    expect(told).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(history.after(0, ['peer'])?.sequence).toBe(2)
  })
})
