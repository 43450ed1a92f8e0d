/** Mining as clients see it: over real connections, with a real node's threads. */
import { once } from 'node:events'
import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { MAX_AMOUNT, sha256Hex } from '@bc/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SealThreads } from '../src/mining/seal-threads.ts'
import { LateNetwork } from '../src/network/late-network.ts'
import { answersIn, connected, exchange } from './support/http-client.ts'
import { type Answer, Contract } from './support/http-contract.ts'
import { ALICE, startTestNode, type TestNode } from './support/http-node.ts'
import { openParts } from './support/http-parts.ts'
import { watchedThreads } from './support/http-searches.ts'

/** No test lives long enough to see a block of this difficulty. */
const UNREACHABLE = { difficulty: 40 }

interface Mined {
  readonly index: number
  readonly hash: string
  readonly previous_hash: string
}

async function mining(node: TestNode, contract: Contract, expected: boolean): Promise<void> {
  while ((await contract.ask(node, { path: '/status' })).json.mining !== expected);
}

/** A listening server over parts whose next searches can be made endless. */
async function listening() {
  const { searches, threads } = watchedThreads()
  const parts = await openParts({ threads })
  await parts.app.listen({ host: '127.0.0.1', port: 0 })
  const address = parts.app.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return { searches, parts, target: { port: address.port }, contract: await Contract.of(parts.app) }
}

const MINE = 'GET /mine HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('GET /mine', () => {
  it('N clients at once get N different blocks in a row', async () => {
    const node = await startTestNode()
    const contract = await Contract.of(node.app)
    const path = '/mine'
    const methods = Array.from({ length: 32 }, (_, i) => (i % 2 ? 'GET' : 'POST'))
    const replies = await Promise.all(methods.map((method) => contract.ask<Mined>(node, { method, path })))
    expect(replies.every(({ status }) => status === 200)).toBe(true)
    const blocks = replies.map(({ json }) => json).sort((a, b) => a.index - b.index)
    expect(blocks.map(({ index }) => index)).toEqual(blocks.map((_, i) => i + 2))
    expect(blocks.map((block) => block.previous_hash)).toEqual([node.chain, ...blocks.slice(0, -1).map((b) => b.hash)])
  })

  it('tells the network of the block, once', async () => {
    onTestFinished(() => void vi.restoreAllMocks())
    const announced = vi.spyOn(LateNetwork.prototype, 'announceBlock')
    const node = await startTestNode()
    await node.app.inject('/mine')
    const { payload: canonical } = await node.app.inject('/blocks/2')
    expect(announced.mock.calls).toEqual([[expect.objectContaining({ canonical })]])
  })

  it('asked for several times on one connection: as many blocks, in order', async () => {
    const node = await startTestNode()
    const warnings: Error[] = []
    process.on('warning', (warning) => warnings.push(warning))
    const { text } = await exchange(node.port, MINE.repeat(12), { answers: 12 })
    const blocks = answersIn(text).map((reply) => JSON.parse(reply.text) as Mined)
    expect(blocks.map(({ index }) => index)).toEqual(Array.from({ length: 12 }, (_, i) => i + 2))
    expect(warnings).toEqual([])
  })

  it('mines nothing for a client that has gone away; the next one has its turn', async () => {
    const { parts, searches, target, contract } = await listening()
    searches.endless = 1
    const first = await connected(target.port)
    first.write(MINE)
    await searches.started(1)
    const waiting = await connected(target.port)
    waiting.write(MINE)
    const next = contract.ask<Mined>(target, { path: '/mine' })
    waiting.destroy()
    first.destroy()
    expect((await next).json.index).toBe(2)
    expect(parts.chain.head.index).toBe(2)
  })

  it('mines nothing for a client that asked for many blocks on one connection and has gone away', async () => {
    const { parts, searches, target, contract } = await listening()
    searches.endless = 1
    const client = await connected(target.port)
    client.write(MINE.repeat(30))
    await searches.started(1)
    client.destroy()
    await once(client, 'close')
    while (parts.miner.busy) await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await contract.ask<Mined>(target, { path: '/mine' })).json.index).toBe(2)
    expect(searches.jobs).toHaveLength(2)
  })

  it('may take its time on a connection that was used before', async () => {
    const { parts, searches, target, contract } = await listening()
    const accepted = once(parts.app.server, 'connection') as Promise<[Socket]>
    const agent = new Agent({ keepAlive: true })
    await contract.ask({ ...target, agent }, { path: '/health' })
    const [socket] = await accepted
    searches.endless = 1
    const answer = contract.ask<Mined>({ ...target, agent }, { path: '/mine' })
    await searches.started(1)
    expect(socket.timeout).toBe(0)
    parts.miner.headMoved()
    expect((await answer).json.index).toBe(2)
    agent.destroy()
  })

  it('a full queue: 503 node.busy for the 65th, answers for all others once it goes on', async () => {
    const { parts, searches, target, contract } = await listening()
    searches.endless = 1
    const first = contract.ask(target, { path: '/mine' })
    await searches.started(1)
    const answered: Answer[] = []
    const others = Array.from({ length: 80 }, async () => {
      const reply = await contract.ask(target, { path: '/mine' })
      answered.push(reply)
      return reply
    })
    while (answered.length < 17) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(answered.map(({ json }) => json)).toEqual(
      Array.from({ length: 17 }, () => expect.objectContaining({ statusCode: 503, code: 'node.busy' })),
    )
    parts.miner.headMoved()
    expect((await first).status).toBe(200)
    const statuses = (await Promise.all(others)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(63)
    expect(parts.chain.head.index).toBe(65)
  })

  it('the supply is used up: 422 block.reward, and the node goes on', async () => {
    const node = await startTestNode({ rules: { allocations: { [ALICE.address]: MAX_AMOUNT - 60 } } })
    const contract = await Contract.of(node.app)
    expect((await contract.ask(node, { path: '/mine' })).status).toBe(200)
    for (let i = 0; i < 3; i++)
      expect((await contract.ask(node, { path: '/mine' })).json).toMatchObject({
        statusCode: 422,
        code: 'block.reward',
      })
    expect((await contract.ask(node, { path: '/health' })).json).toEqual({ status: 'ok', height: 2 })
    expect(node.logged()).not.toContain('"level":50')
  })
})

/** Long enough for an answer that needs no mining. */
function quiet(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, 1_000, undefined))
}

describe('while a hard block is being mined', () => {
  it('everybody else is answered', async () => {
    const node = await startTestNode({ rules: UNREACHABLE })
    const contract = await Contract.of(node.app)
    const miner = await connected(node.port)
    miner.write(MINE)
    await mining(node, contract, true)
    for (const path of ['/status', '/chain', '/blocks', '/transactions', `/accounts/${ALICE.address}`, '/health'])
      for (let i = 0; i < 20; i++) expect((await contract.ask(node, { path })).status).toBe(200)
    expect((await contract.ask(node, { path: '/status' })).json.mining).toBe(true)
    miner.destroy()
    await mining(node, contract, false)
  })
})

describe('a node that mines on and on', () => {
  it('mines, also for those who ask, and stops', async () => {
    const node = await startTestNode({ mine: true })
    const contract = await Contract.of(node.app)
    const replies = await Promise.all(Array.from({ length: 70 }, () => contract.ask<Mined>(node, { path: '/mine' })))
    expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(64)
    const { height } = (await contract.ask<{ height: number }>(node, { path: '/status' })).json
    while ((await contract.ask<{ height: number }>(node, { path: '/status' })).json.height < height + 5);
    await node.stop()
    expect(node.logged()).not.toMatch(/"level":(?:40|50|60)/)
  })

  it('searches on upon a block that another node has found', async () => {
    const other = await startTestNode()
    await other.app.inject('/mine')
    const { payload } = await other.app.inject('/blocks/2')
    onTestFinished(() => void vi.restoreAllMocks())
    // One that finds nothing.
    const search = vi.spyOn(SealThreads.prototype, 'search').mockImplementation(async (_job, signal) => {
      signal.throwIfAborted()
      await once(signal, 'abort')
      throw signal.reason
    })
    const node = await startTestNode({ mine: true })
    await vi.waitFor(() => expect(search).toHaveBeenCalledTimes(1), 20_000)
    const headers = { 'content-type': 'application/x-ndjson' }
    const imported = await node.app.inject({ method: 'POST', url: '/blocks', payload, headers })
    expect(imported.json()).toMatchObject({ imported: 1 })
    // Not only once it would have been time for a new search anyway.
    expect(search.mock.calls[0]?.[1].aborted).toBe(true)
    const previousHash = sha256Hex(payload)
    await vi.waitFor(() => expect(search.mock.lastCall?.[0]).toMatchObject({ previousHash }), 20_000)
    await node.stop()
  })

  it('stops in the midst of a block that is too hard', async () => {
    const node = await startTestNode({ mine: true, rules: UNREACHABLE })
    const contract = await Contract.of(node.app)
    await mining(node, contract, true)
    const arrived = once(node.app.server, 'request')
    const waiting = contract.ask(node, { path: '/mine' })
    await arrived
    await node.stop()
    expect((await waiting).json).toMatchObject({ statusCode: 503, code: 'node.stopping' })
    expect(node.logged()).not.toMatch(/"level":(?:40|50|60)/)
  })

  it('goes on as a node once the supply is used up, and says why it mines no more', async () => {
    const node = await startTestNode({ mine: true, rules: { allocations: { [ALICE.address]: MAX_AMOUNT - 120 } } })
    const contract = await Contract.of(node.app)
    while ((await contract.ask<{ height: number }>(node, { path: '/status' })).json.height < 3);
    while (!node.logged().includes('block.reward')) await new Promise((resolve) => setTimeout(resolve, 10))
    const failed = await Promise.race([node.failed.then(() => true), quiet().then(() => false)])
    expect(failed).toBe(false)
    expect((await contract.ask(node, { path: '/health' })).json).toEqual({ status: 'ok', height: 3 })
    await node.stop()
  })
})
