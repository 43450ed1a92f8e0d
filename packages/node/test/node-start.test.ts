/** The beginning of a node: where it listens, and what it leaves behind when it can't start. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_POOL_LIMITS } from '@bc/core'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { StartError } from '../src/errors.ts'
import { freePort } from '../src/http/listen.ts'
import { Admission } from '../src/pool/admission.ts'
import { ask, post } from './support/http-client.ts'
import { memoryLog, signed, startTestNode, type TestNode } from './support/http-node.ts'

let dataDirectory: string
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'bc-node-start-'))
})
afterEach(() => rmSync(dataDirectory, { recursive: true, force: true }))

async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

describe('a node', () => {
  it.each([
    ['127.0.0.1', 'localhost'],
    ['localhost', 'localhost'],
    ['0.0.0.0', 'localhost'],
    ['::', 'localhost'],
    ['::1', '[::1]'],
    ['127.0.0.2', '127.0.0.2'],
  ])('on the host %s is found at http://%s, with all its limits', async (host, name) => {
    const node = await startTestNode({ host })
    expect(node.url).toBe(`http://${name}:${node.port}`)
    const ip = host === '::1' ? '::1' : host === '127.0.0.2' ? host : '127.0.0.1'
    const headers = { host: `${name}:${node.port}` }
    expect((await ask({ port: node.port, ip }, { path: '/status', headers })).status).toBe(200)
    expect(node.app.server.maxConnections).toBe(800)
    // For the name of this machine there is one server, and it is the one that has the limits.
    if (host === 'localhost') expect(await listens('::1', node.port)).toBe(false)
    await node.stop()
    expect(await listens(ip, node.port)).toBe(false)
  })

  it('on a port that is taken: a StartError, and the directory is free again', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const error = new StartError(`Port ${port} is in use on 127.0.0.1: choose another with -p.`)
    await expect(startTestNode({ port, dataDirectory, mine: true })).rejects.toThrow(error)
    other.close()
    const node = await startTestNode({ port, dataDirectory })
    expect(node.port).toBe(port)
    await node.stop()
  })

  it('on a port for other nodes that is taken: a StartError, before it says that it listens', async () => {
    const { log, logged } = memoryLog()
    const start = (port: number, p2pPort: number) =>
      startTestNode({ port, dataDirectory, log, network: { port: p2pPort, discovery: false, peers: [] } })
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const error = new StartError(`Port ${port} is in use on 127.0.0.1: choose another with --p2p-port.`)
    await expect(start(0, port)).rejects.toThrow(error)
    other.close()
    await once(other, 'close')
    // Of one port it can't make two.
    await expect(start(port, port)).rejects.toThrow(`Port ${port} is in use`)
    expect(logged()).not.toContain('Listening')
    const node = await start(0, port)
    while (!(await listens('127.0.0.1', port))) await new Promise((resolve) => setTimeout(resolve, 20))
    await node.stop()
  })

  it.each(['192.0.2.1', 'no-such-host.invalid'])('on the host %s: a StartError', async (host) => {
    await expect(startTestNode({ host })).rejects.toThrow(StartError)
  })

  it('on a directory of another chain: a StartError, and the directory is free again', async () => {
    await (await startTestNode({ dataDirectory })).stop()
    await expect(startTestNode({ dataDirectory, rules: { miningReward: 51 } })).rejects.toThrow(/belongs to the chain/)
    await (await startTestNode({ dataDirectory })).stop()
  })

  it('on a directory that another one uses: a StartError, and the first goes on', async () => {
    const first = await startTestNode({ dataDirectory })
    await expect(startTestNode({ dataDirectory })).rejects.toThrow(StartError)
    expect((await ask(first, { path: '/mine' })).status).toBe(200)
    await first.stop()
  })

  /** What is logged of transactions that are too old. */
  function toldOfClock({ logged }: TestNode): unknown {
    const told = logged()
      .split('\n')
      .find((line) => line.includes('is the clock right'))
    return JSON.parse(told ?? '{}')
  }

  it('by whose clock what waited is too old says how much of it is dropped', async () => {
    const first = await startTestNode({ dataDirectory })
    for (const nonce of [0, 1])
      expect((await ask(first, post('/transactions/new', signed(first.chain, { nonce })))).status).toBe(201)
    await first.stop()
    expect(first.logged()).not.toContain('is the clock right')
    const days = (count: number) => () => Math.floor(Date.now() / 1000) + count * 24 * 3600
    const again = await startTestNode({ dataDirectory, clock: days(2) })
    await again.stop()
    expect(again.logged()).not.toContain('is the clock right')
    const late = await startTestNode({ dataDirectory, clock: days(4) })
    expect(toldOfClock(late)).toMatchObject({ level: 40, expired: 2 })
    await late.stop()
  })

  it('whose clock is put forward says how much of what waited is dropped', async () => {
    let ahead = 0
    const node = await startTestNode({ clock: () => Math.floor(Date.now() / 1000) + ahead })
    for (const nonce of [0, 1])
      expect((await ask(node, post('/transactions/new', signed(node.chain, { nonce })))).status).toBe(201)
    ahead = 10 * 24 * 3600
    await vi.waitFor(() => expect(toldOfClock(node)).toMatchObject({ level: 40, expired: 2 }), { timeout: 20_000 })
    await node.stop()
  })

  it('says nothing of what has waited for as long as it may', async () => {
    let ahead = 0
    const node = await startTestNode({ clock: () => Math.floor(Date.now() / 1000) + ahead })
    expect((await ask(node, post('/transactions/new', signed(node.chain)))).status).toBe(201)
    const expire = vi.spyOn(Admission.prototype, 'expire')
    onTestFinished(() => expire.mockRestore())
    ahead = DEFAULT_POOL_LIMITS.expirySeconds - 30
    // By then it is long ago that the clock was put forward.
    await vi.waitFor(() => expect(expire.mock.calls.length).toBeGreaterThan(1), { timeout: 20_000 })
    ahead += 31
    const dropped = async () => (await Promise.all(expire.mock.results.map(({ value }) => value))).includes(1)
    await vi.waitFor(async () => expect(await dropped()).toBe(true), { timeout: 20_000 })
    await node.stop()
    expect(toldOfClock(node)).toEqual({})
  })

  it('finds a free port', async () => {
    const port = await freePort('127.0.0.1')
    const node = await startTestNode({ port })
    expect(node.port).toBe(port)
    await node.stop()
  })
})
