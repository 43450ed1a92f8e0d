/** What clients see of a node that finds its data damaged, and what a connection leaves behind. */
import { EventEmitter, once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Height } from '@bc/core'
import Fastify from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { DamageError, StorageError } from '../src/errors.ts'
import { Connections } from '../src/http/connections.ts'
import { poolStream } from '../src/http/pool-stream.ts'
import { key } from '../src/storage/layout.ts'
import { connected, exchange, post } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { ALICE, signed } from './support/http-node.ts'
import { injected, minedOn, openParts, type Parts } from './support/http-parts.ts'

const damage = new DamageError('the record is not what was written')
const CHAIN = 'GET /chain HTTP/1.1\r\nHost: localhost\r\n\r\n'

async function damagedAt(
  method: 'account' | 'blockText' | 'knownEntries' | 'mainBlockText' | 'mainBlockTexts' | 'head' | 'transactionPlace',
): Promise<Parts> {
  const parts = await openParts()
  await parts.chain.import(minedOn(parts, parts.chain.head).parsed)
  vi.spyOn(parts.store, method).mockImplementation(() => {
    throw damage
  })
  return parts
}

describe('damage that a request meets', () => {
  it.each([
    ['a history that leads to a block in which the address has no part', 2],
    ['a history that leads to a block that is not there', 9],
  ])('%s: 503', async (_, index) => {
    const parts = await openParts()
    await parts.chain.import(minedOn(parts, parts.chain.head).parsed)
    await parts.store.writeRecords(new Map([[key.account(ALICE.address), `[1000,0,${index}]`]]))
    expect((await injected(parts.app, { path: `/accounts/${ALICE.address}/transactions` })).status).toBe(503)
  })

  it.each([
    ['account', `/accounts/${ALICE.address}`],
    ['mainBlockText', '/blocks/2'],
    ['mainBlockTexts', '/blocks'],
    ['blockText', '/blocks/latest'],
    ['knownEntries', '/headers'],
    ['head', '/blocks/latest'],
    ['head', '/chain'],
    ['mainBlockTexts', '/chain'],
    ['mainBlockTexts', '/nodes/resolve'],
    ['transactionPlace', `/transactions/${'0'.repeat(64)}`],
  ] as const)('(%s) is told to nobody as data: GET %s is 503, and the node stops', async (method, path) => {
    const parts = await damagedAt(method)
    const reply = await injected(parts.app, { path }).catch((error: Error) => error)
    // A stream that has begun can only be cut off.
    if (reply instanceof Error) expect(path).toMatch(/chain|resolve/)
    else {
      const { json } = (await Contract.of(parts.app)).check({ path }, reply)
      expect(json).toMatchObject({ statusCode: 503, code: 'node.damaged' })
      expect(reply.text).not.toContain(damage.message)
    }
    expect(parts.failures.length).toBeGreaterThan(0)
    expect(parts.failures[0]).toBe(damage)
  })

  it('a place that holds another transaction: 503, and the node stops', async () => {
    const parts = await openParts()
    await parts.chain.import(minedOn(parts, parts.chain.head).parsed)
    vi.spyOn(parts.store, 'transactionPlace').mockResolvedValue({ index: 2, position: 0 })
    const path = `/transactions/${'0'.repeat(64)}`
    const { json } = (await Contract.of(parts.app)).check({ path }, await injected(parts.app, { path }))
    expect(json).toMatchObject({ statusCode: 503, code: 'node.damaged' })
    expect(parts.failures).toMatchObject([{ name: 'DamageError', message: expect.stringContaining('block 2') }])
  })

  it('in the midst of the chain cuts the answer off, and the node stops', async () => {
    const parts = await openParts()
    const { store, app } = parts
    await endlessChain(parts, async (from) => {
      if (from > 1) throw damage
      return [Buffer.from('{}')]
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { text, closed } = await exchange((app.server.address() as AddressInfo).port, CHAIN)
    expect(closed).toBe(true)
    expect(text).toContain('{"chain": [')
    expect(text.endsWith('0\r\n\r\n')).toBe(false)
    expect(parts.failures).toEqual([damage])
    expect(store).toBeDefined()
  })

  it('of the disk under a transaction or a block: 503, and the node stops', async () => {
    for (const asked of [{ path: '/mine' }, 'transaction'] as const) {
      const parts = await openParts()
      const failure = new StorageError('no space left')
      vi.spyOn(parts.store, 'writeHead').mockRejectedValue(failure)
      vi.spyOn(parts.store, 'writePool').mockRejectedValue(failure)
      const sent = asked === 'transaction' ? post('/transactions/new', signed(parts.chain.id)) : asked
      const { json } = (await Contract.of(parts.app)).check(sent, await injected(parts.app, sent))
      expect(json).toMatchObject({ statusCode: 503, code: 'node.damaged' })
      expect(parts.failures).toContain(failure)
    }
  })

  it('a bug of ours is a 500 that tells nothing, and is in the log', async () => {
    const parts = await openParts()
    vi.spyOn(parts.store, 'account').mockRejectedValue(new TypeError('x is undefined, of all things'))
    const path = `/accounts/${ALICE.address}`
    const reply = await injected(parts.app, { path })
    expect((await Contract.of(parts.app)).check({ path }, reply).json).toMatchObject({
      statusCode: 500,
      code: 'node.internal',
    })
    expect(reply.text).not.toContain('of all things')
    expect(parts.logged()).toContain('of all things')
    expect(parts.failures).toEqual([])
  })
})

/** A chain of very many blocks whose texts are made on demand. */
async function endlessChain(
  { chain, store }: Parts,
  texts: (from: number, to: number) => Promise<Buffer[]>,
): Promise<void> {
  vi.spyOn(store, 'knownEntry').mockResolvedValue({ ...chain.head, index: 1_000_000 as Height, refused: undefined })
  vi.spyOn(store, 'mainBlockTexts').mockImplementation(texts)
}

describe('a reader of the chain', () => {
  const block = Buffer.alloc(1_000_000, 'x')

  async function reading(answers = 1) {
    const parts = await openParts()
    const asked: number[] = []
    await endlessChain(parts, async (from, to) => {
      asked.push(to - from + 1)
      return Array.from({ length: to - from + 1 }, () => block)
    })
    const closed: Promise<unknown>[] = []
    const open = parts.store.snapshot.bind(parts.store)
    vi.spyOn(parts.store, 'snapshot').mockImplementation(() => {
      const snapshot = open()
      const close = snapshot.close.bind(snapshot)
      closed.push(new Promise((resolve) => vi.spyOn(snapshot, 'close').mockImplementation(() => close().then(resolve))))
      return snapshot
    })
    await parts.app.listen({ host: '127.0.0.1', port: 0 })
    const accepted = once(parts.app.server, 'connection') as Promise<[Socket]>
    const reader = connect((parts.app.server.address() as AddressInfo).port, '127.0.0.1')
    reader.write(CHAIN.repeat(answers))
    const [socket] = await accepted
    await once(reader, 'readable')
    return { parts, reader, socket, asked, closed }
  }

  it('who takes nothing makes the node read little, and has a limited time', async () => {
    const { reader, socket, asked } = await reading()
    while (socket.writableLength === 0 || asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await new Promise((resolve) => setTimeout(resolve, 300))
    // What the buffers of the connection take, and not the chain. Full blocks come one by one.
    expect(asked.length).toBeLessThan(40)
    expect(Math.max(...asked)).toBe(1)
    expect(socket.timeout).toBe(30_000)
    reader.destroy()
  })

  it.each([1, 3])('who goes away leaves no snapshot behind, of %i pipelined answers', async (answers) => {
    const { reader, closed } = await reading(answers)
    await vi.waitUntil(() => closed.length === answers, 30_000)
    reader.destroy()
    await Promise.all(closed)
  })
})

it.each(['/chain', '/blocks?limit=1000'])('reads small blocks in pages of 16: %s', async (path) => {
  const parts = await openParts()
  const asked: number[] = []
  const genesis = parts.chain.head
  for (let i = 0; i < 40; i++) await parts.chain.import(minedOn(parts, parts.chain.head).parsed)
  const texts = parts.store.mainBlockTexts.bind(parts.store)
  vi.spyOn(parts.store, 'mainBlockTexts').mockImplementation((from, to, snapshot) => {
    asked.push(to - from + 1)
    return texts(from, to, snapshot)
  })
  const { json } = (await Contract.of(parts.app)).check<{ chain?: object[]; blocks?: object[] }>(
    { path },
    await injected(parts.app, { path }),
  )
  expect(json.chain ?? json.blocks).toHaveLength(41)
  expect(asked).toEqual([1, 2, 4, 8, 16, 10])
  expect(genesis.index).toBe(1)
})

describe('of full blocks', () => {
  /** Every block takes a megabyte, most of it space. */
  async function full(blocks: number) {
    const parts = await openParts()
    for (let i = 0; i < blocks; i++) {
      const transactions = [0, 1, 2].map((k) => signed(parts.chain.id, { nonce: 3 * i + k }))
      await parts.chain.import(minedOn(parts, parts.chain.head, { transactions }).parsed)
    }
    let count = 0
    const filled = (text: Buffer) => {
      count++
      return Buffer.concat([text, Buffer.alloc(1_000_000, ' ')])
    }
    const { store } = parts
    const [text, texts] = [store.blockText.bind(store), store.blockTexts.bind(store)]
    vi.spyOn(store, 'blockText').mockImplementation(async (...asked) => filled(await text(...asked)))
    vi.spyOn(store, 'blockTexts').mockImplementation(async (...asked) => (await texts(...asked)).map(filled))
    const read = () => count
    const told = await Contract.of(parts.app)
    const get = async <T>(path: string) => told.check<T>({ path }, await injected(parts.app, { path })).json
    return { get, read }
  }

  interface Listed {
    readonly index: number
  }
  const indicesOf = (listed: readonly Listed[]) => listed.map(({ index }) => index)
  const TEN = Array.from({ length: 10 }, (_, i) => i + 1)

  it('a page of blocks holds four', async () => {
    const { get, read } = await full(9)
    const indices: number[] = []
    for (let from: number | null = 1; from !== null; ) {
      const page: { blocks: Listed[]; next: number | null } = await get(`/blocks?from=${from}&limit=1000`)
      expect(page.blocks.length).toBeLessThanOrEqual(4)
      indices.push(...indicesOf(page.blocks))
      from = page.next
    }
    expect(indices).toEqual(TEN)
    expect(read()).toBe(10)
  })

  it('a page of headers reads none', async () => {
    const { get, read } = await full(9)
    const page = await get<{ headers: Listed[]; next: number | null }>('/headers?limit=1000')
    expect([indicesOf(page.headers), page.next]).toEqual([TEN, null])
    expect(read()).toBe(0)
  })

  it('a page of a history reads four, and again the one that it goes on from', async () => {
    const { get, read } = await full(9)
    interface Page {
      readonly transactions: readonly { transaction: { nonce: number } }[]
      readonly next: string | null
    }
    const nonces: number[] = []
    for (let next: string | null = ''; next !== null; ) {
      const cursor: string = next && `&before=${next}`
      const page: Page = await get(`/accounts/${ALICE.address}/transactions?limit=1000${cursor}`)
      expect(page.transactions.length).toBeLessThanOrEqual(12)
      nonces.push(...page.transactions.map(({ transaction }) => transaction.nonce))
      next = page.next
    }
    expect(nonces).toEqual(Array.from({ length: 27 }, (_, i) => 26 - i))
    expect(read()).toBe(9 + 2)
  })
})

it('a long list of waiting transactions comes whole, also when they are confirmed meanwhile', async () => {
  const parts = await openParts()
  const { app, chain, admission } = parts
  const sent = Array.from({ length: 200 }, (_, nonce) => signed(chain.id, { nonce }))
  for (const one of sent) await injected(app, post('/transactions/new', one))
  const asked = { path: '/transactions' }
  const { json } = (await Contract.of(app)).check(asked, await injected(app, asked))
  expect(json).toEqual({ transactions: sent, length: 200 })
  const texts: string[] = []
  for await (const part of poolStream(admission.pool)) {
    texts.push(String(part))
    if (texts.length === 1) await chain.import(minedOn(parts, chain.head, { transactions: sent }).parsed)
  }
  expect(JSON.parse(texts.join(''))).toEqual({ transactions: sent.slice(0, 64), length: 64 })
  expect(admission.pool.size).toBe(0)
})

it('a reader of the pool comes to an end, however many more arrive meanwhile', async () => {
  const { app, chain, admission } = await openParts()
  // Far more than the stream reads ahead.
  const sent = Array.from({ length: 700 }, (_, nonce) => signed(chain.id, { nonce }))
  for (const one of sent.slice(0, 500)) await injected(app, post('/transactions/new', one))
  const texts: string[] = []
  for await (const part of poolStream(admission.pool)) {
    texts.push(String(part))
    if (texts.length === 1) for (const one of sent.slice(500)) await injected(app, post('/transactions/new', one))
  }
  expect(admission.pool.size).toBe(700)
  expect(JSON.parse(texts.join(''))).toEqual({ transactions: sent.slice(0, 500), length: 500 })
})

it('a connection that is gone leaves nothing behind, whatever was still to be answered', async () => {
  const connections = new Connections()
  const app = Fastify({ clientErrorHandler: connections.refuseUnreadable })
  connections.watch(app)
  app.get('/slow', () => new Promise(() => undefined))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const owed = Reflect.get(connections, 'owed') as Map<unknown, Set<unknown>>
  const client = await connected((app.server.address() as AddressInfo).port)
  client.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50))
  while ([...owed.values()].reduce((sum, { size }) => sum + size, 0) < 50)
    await new Promise((resolve) => setTimeout(resolve, 5))
  client.destroy()
  while (owed.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await app.close()
})

it('a slow answer that was asked for behind a quick one has all the time it needs, and its reader has not', async () => {
  const connections = new Connections()
  const app = Fastify()
  connections.watch(app)
  let finish: (text: string) => void = () => undefined
  app.get('/quick', async () => 'quick')
  app.get('/slow', () => new Promise((resolve) => (finish = resolve)))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const accepted = once(app.server, 'connection') as Promise<[Socket]>
  const client = await connected((app.server.address() as AddressInfo).port)
  let text = ''
  client.on('data', (data) => (text += data))
  client.write(['/quick', '/slow'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
  const [socket] = await accepted
  while (!text.includes('quick')) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(socket.timeout).toBe(0)
  finish('slow')
  while (!text.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(socket.timeout).toBeGreaterThan(0)
  client.destroy()
  await app.close()
})

describe('connections of one network', () => {
  /** As much of a socket as is looked at. */
  class Comer extends EventEmitter {
    readonly remoteAddress: string
    destroyed = false

    constructor(remoteAddress: string) {
      super()
      this.remoteAddress = remoteAddress
    }

    destroy(): void {
      this.destroyed = true
    }
  }

  function comers(count: number, address: (i: number) => string): { all: Comer[]; come: () => Comer } {
    const server = new EventEmitter() as Server
    new Connections().watch({ addHook: () => undefined, server } as never)
    const come = (i: number) => {
      const comer = new Comer(address(i))
      server.emit('connection', comer as never)
      return comer
    }
    return { all: Array.from({ length: count }, (_, i) => come(i)), come: () => come(count) }
  }

  it.each([
    ['one address', () => '192.0.2.7'],
    ['one address, as IPv6 has it', () => '::ffff:192.0.2.7'],
    ['one network of IPv6', (i: number) => `2001:db8:${i.toString(16)}::1`],
  ])('(%s) are half of all there may be, and again when one has gone', (_, address) => {
    const { all, come } = comers(420, address)
    expect(all.filter(({ destroyed }) => destroyed).length).toBe(20)
    expect(all.slice(0, 400).some(({ destroyed }) => destroyed)).toBe(false)
    all[0]?.emit('close')
    expect(come().destroyed).toBe(false)
    expect(come().destroyed).toBe(true)
  })

  it('are as many as come from this machine, and from others beside it', () => {
    for (const address of [() => '127.0.0.1', () => '::1', (i: number) => `192.0.2.${i % 250}`])
      expect(comers(900, address).all.some(({ destroyed }) => destroyed)).toBe(false)
  })
})
