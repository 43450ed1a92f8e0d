/** The end of a node: it comes soon, whoever is connected and whatever they wait for, and nobody is told nonsense. */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Height } from '@bc/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StorageError } from '../src/errors.ts'
import { Admission } from '../src/pool/admission.ts'
import { ChainStore } from '../src/storage/chain-store.ts'
import { Database } from '../src/storage/database.ts'
import { answersIn, ask, connected, post } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { signed, startTestNode } from './support/http-node.ts'
import { openParts } from './support/http-parts.ts'
import { watchedThreads } from './support/http-searches.ts'

const UNREACHABLE = { difficulty: 40 }
const STATUS = 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** All that a socket receives until it is closed. */
function received(socket: Socket): Promise<string> {
  const parts: Buffer[] = []
  socket.on('data', (part) => parts.push(part))
  return once(socket, 'close').then(() => Buffer.concat(parts).toString('latin1'))
}

it('does not wait for connections that ask for nothing', async () => {
  const node = await startTestNode()
  const agent = new Agent({ keepAlive: true })
  await ask({ ...node, agent }, { path: '/status' })
  const silent = await connected(node.port)
  const half = await connected(node.port)
  half.write(STATUS.slice(0, 20))
  const idle = await connected(node.port)
  idle.write(STATUS)
  await once(idle, 'data')
  const closed = Promise.all([silent, half, idle].map((socket) => once(socket, 'close')))
  await node.stop()
  await closed
  agent.destroy()
})

it('tells everybody who waits for a block, whether it is being mined or not', async () => {
  const node = await startTestNode({ rules: UNREACHABLE })
  const contract = await Contract.of(node.app)
  let arrived = 0
  node.app.server.on('request', () => arrived++)
  const waiting = Array.from({ length: 30 }, () => contract.ask(node, { path: '/mine' }))
  const pipelined = await connected(node.port)
  pipelined.write(STATUS.replace('/status', '/mine').repeat(5))
  const text = received(pipelined)
  while (arrived < 35) await new Promise((resolve) => setTimeout(resolve, 5))
  while (!(await contract.ask(node, { path: '/status' })).json.mining);
  await node.stop()
  for (const { json } of await Promise.all(waiting))
    expect(json).toMatchObject({ statusCode: 503, code: 'node.stopping' })
  expect(answersIn(await text).map(({ status }) => status)).toEqual([503, 503, 503, 503, 503])
})

it('is over when the second call of stop says so as well', async () => {
  const node = await startTestNode()
  const first = node.stop()
  await node.stop()
  await expect(ask(node, { path: '/status' })).rejects.toThrow(/ECONNREFUSED/)
  await first
})

it('closes the store after what goes on at the door, also where nobody waits for that any more', async () => {
  onTestFinished(() => void vi.restoreAllMocks())
  const { writePool } = ChainStore.prototype
  let goOn = () => {}
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const write = vi.spyOn(ChainStore.prototype, 'writePool').mockImplementationOnce(async function (
    this: ChainStore,
    ...changes
  ) {
    await held
    return writePool.apply(this, changes)
  })
  const last = vi.spyOn(Admission.prototype, 'close')
  const closed = vi.spyOn(ChainStore.prototype, 'close')
  const node = await startTestNode()
  const client = await connected(node.port)
  const body = JSON.stringify(signed(node.chain))
  const head = ['POST /transactions/new HTTP/1.1', 'host: localhost', 'content-type: application/json']
  client.write(`${[...head, `content-length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`)
  await vi.waitFor(() => expect(write).toHaveBeenCalled(), 20_000)
  client.destroy()
  const stopped = node.stop()
  await vi.waitFor(() => expect(last).toHaveBeenCalled(), 20_000)
  for (let i = 0; i < 20; i++) await turnOfTheLoop()
  expect(closed).not.toHaveBeenCalled()
  goOn()
  await stopped
  expect(closed).toHaveBeenCalled()
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})

it('goes on where a part of it fails: the directory is free, and the fault is told', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'bc-node-stop-'))
  try {
    const node = await startTestNode({ dataDirectory })
    vi.spyOn(node.app, 'close').mockRejectedValueOnce(new Error('the server hangs'))
    await expect(node.stop()).rejects.toThrow('the server hangs')
    await (await startTestNode({ dataDirectory })).stop()
    await node.app.close()
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true })
  }
})

describe('on a disk that is full', () => {
  const full = new StorageError('no space left on device')
  const refusals: Record<string, (dataDirectory: string) => void> = {
    // A folder, where a file is to be.
    'the note of the tables that were read': (directory) => mkdirSync(join(directory, 'chain', 'tables-seen')),
    'the last batch': () => vi.spyOn(Database.prototype, 'write').mockRejectedValue(full),
  }

  it.each(Object.keys(refusals))(
    'it is a stop with a warning: %s is refused, and all is there after it',
    async (what) => {
      const dataDirectory = mkdtempSync(join(tmpdir(), 'bc-node-stop-'))
      try {
        const first = await startTestNode({ dataDirectory })
        await ask(first, post('/transactions/new', signed(first.chain)))
        // That it waits no more is written without waiting for the disk.
        expect((await ask(first, { path: '/mine' })).status).toBe(200)
        refusals[what]?.(dataDirectory)
        await first.stop()
        vi.restoreAllMocks()
        expect(first.logged()).toContain('The disk has not taken the last')
        rmSync(join(dataDirectory, 'chain', 'tables-seen'), { recursive: true, force: true })
        const second = await startTestNode({ dataDirectory })
        expect(JSON.parse((await ask(second, { path: '/status' })).text)).toMatchObject({ height: 2, pool: 0 })
        expect(second.logged()).not.toContain('damaged')
        await second.stop()
      } finally {
        rmSync(dataDirectory, { recursive: true, force: true })
      }
    },
  )
})

/** A server whose chain is far more than the buffers of a connection hold. */
async function withLongChain(blocks: number) {
  const parts = await openParts()
  const { store, app } = parts
  const head = { ...parts.chain.head, index: blocks as Height, refused: undefined }
  vi.spyOn(store, 'knownEntry').mockResolvedValue(head)
  vi.spyOn(store, 'mainBlockTexts').mockImplementation(async (from, to) =>
    Array.from({ length: to - from + 1 }, (_, i) => Buffer.from(`{"index": ${from + i}, "fill": "${FILL}"}`)),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(STATUS.replace('/status', '/chain'))
  return { app, socket }
}

const FILL = 'x'.repeat(100_000)

it('does not wait for long for somebody who takes nothing of the chain', async () => {
  const { app, socket } = await withLongChain(1_000)
  await once(socket, 'readable')
  const closed = once(socket, 'close')
  await app.close()
  socket.resume()
  await closed
})

it('answers whole to somebody who takes the chain slowly', async () => {
  const { app, socket } = await withLongChain(300)
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => {
    parts.push(part)
    socket.pause()
    setTimeout(() => socket.resume(), 1)
  })
  const closed = once(socket, 'close')
  await once(socket, 'data')
  await app.close()
  await closed
  const [reply] = answersIn(Buffer.concat(parts).toString('latin1'))
  expect(JSON.parse(reply?.text ?? '')).toMatchObject({ length: 300, chain: { length: 300 } })
})

it('while it waits for the last answers it refuses new requests, in the form of its API', async () => {
  const { searches, threads } = watchedThreads()
  const { app, miner } = await openParts({ threads })
  const contract = await Contract.of(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const agent = new Agent({ keepAlive: true })
  const target = { port: (app.server.address() as AddressInfo).port, agent }
  await contract.ask(target, { path: '/status' })
  searches.endless = 1
  const last = contract.ask({ port: target.port }, { path: '/mine' })
  await searches.started(1)
  const closing = app.close()
  for (const asked of [{ path: '/status' }, post('/transactions/new', {}), { path: '/nothing' }]) {
    const { json, headers } = await contract.ask(target, asked)
    expect(json).toMatchObject({ statusCode: 503, code: 'node.stopping' })
    expect(headers.connection).toBe('close')
  }
  miner.headMoved()
  expect((await last).status).toBe(200)
  await closing
  agent.destroy()
})

it('under load: every answer that was begun is whole, and 503 where it came too late', async () => {
  const node = await startTestNode()
  const contract = await Contract.of(node.app)
  const statuses = new Set<number>()
  const client = async (path: string) => {
    const agent = new Agent({ keepAlive: true })
    try {
      for (;;) statuses.add((await contract.ask({ port: node.port, agent }, { path })).status)
    } catch (error) {
      // Not an AssertionError: the node has hung up between two answers.
      expect((error as NodeJS.ErrnoException).code).toMatch(/ECONNREFUSED|ECONNRESET|EPIPE/)
    } finally {
      agent.destroy()
    }
  }
  const paths = ['/status', '/chain', '/mine', '/blocks', '/mine', '/transactions', '/headers', '/nope']
  const clients = paths.map(client)
  while (!statuses.has(404)) await new Promise((resolve) => setTimeout(resolve, 10))
  await node.stop()
  await Promise.all(clients)
  expect([...statuses].sort().filter((status) => ![200, 404, 503].includes(status))).toEqual([])
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})

it('a transaction that was accepted before the stop is there after it, and the directory is free', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'bc-node-stop-'))
  try {
    const first = await startTestNode({ dataDirectory })
    const sent = signed(first.chain)
    const answers = [ask(first, post('/transactions/new', sent)), ask(first, { path: '/mine' })]
    const [accepted] = await Promise.all(answers)
    expect(accepted?.status).toBe(201)
    await first.stop()
    const second = await startTestNode({ dataDirectory })
    expect(second.height).toBe(2)
    expect(second.address).toBe(first.address)
    const { json } = await (await Contract.of(second.app)).ask(second, { path: '/status' })
    const block = JSON.parse((await ask(second, { path: '/blocks/2' })).text)
    expect(Number(json.pool) + block.transactions.length - 1).toBe(1)
    await second.stop()
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true })
  }
})

it('finds no fault in transactions of somebody who has hung up, whose turn has not come', async () => {
  const node = await startTestNode()
  const bodies = Array.from({ length: 900 }, (_, nonce) => JSON.stringify(signed(node.chain, { nonce })))
  let arrived = 0
  node.app.server.on('request', () => arrived++)
  const socket = await connected(node.port)
  for (const body of bodies)
    socket.write(
      `POST /transactions/new HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  while (arrived < bodies.length) await new Promise((resolve) => setImmediate(resolve))
  socket.destroy()
  await node.stop()
  // Time enough for turns that come after the end.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})
