/** `GET /events` of whole nodes: what is told, in which order, and to whom it is told again. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transactionId } from '@bc/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, connected, post } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { type Heard, isOf, listen } from './support/http-events.ts'
import { ALICE, BOB, CAROL, signed, startTestNode, type TestNode } from './support/http-node.ts'
import { type Mined, minedOn, openParts, type PartsOptions } from './support/http-parts.ts'

const UNREACHABLE = { difficulty: 40 }

/** Parts that listen, for blocks that are handed in. */
async function listeningParts(options: PartsOptions = {}) {
  const parts = await openParts(options)
  await parts.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...parts, port: (parts.app.server.address() as AddressInfo).port }
}

async function mined(node: Pick<TestNode, 'port'>) {
  const { status, text } = await ask(node, { path: '/mine' })
  expect(status, text).toBe(200)
  return JSON.parse(text)
}

describe('a new listener', () => {
  it('hears where it begins, and then each block once, in the words of the schema', async () => {
    const node = await startTestNode()
    await mined(node)
    const client = await listen(node.port, { app: node.app })
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    })
    const blocks = [await mined(node), await mined(node)]
    const heard = await client.until(({ length }) => length >= 3)
    const { tip, chain } = JSON.parse((await ask(node, { path: '/status' })).text)
    expect(heard.map(({ event }) => event)).toEqual(['start', 'block', 'block'])
    expect(heard[0]?.data).toEqual({ chain, height: 2, tip: blocks[0].previous_hash })
    for (const [i, { message: _, transactions, ...block }] of blocks.entries())
      expect(heard[i + 1]?.data).toEqual({
        ...block,
        transactions: transactions.map((one: never) => transactionId(one, node.chain)),
      })
    expect(heard[2]?.data.hash).toBe(tip)
    expect(new Set(heard.map(({ id }) => id)).size).toBe(3)
  })

  it('is told what the pool takes in, and nothing that it refuses', async () => {
    const node = await startTestNode()
    const client = await listen(node.port, { app: node.app, types: 'transaction' })
    const sent = signed(node.chain, { memo: 'line\nbreak \u2028 茶' })
    expect((await ask(node, post('/transactions/new', sent))).status).toBe(201)
    expect((await ask(node, post('/transactions/new', sent))).status).toBe(409)
    await mined(node)
    const dearer = [signed(node.chain, { nonce: 1 }), signed(node.chain, { nonce: 1, fee: 1 })]
    for (const one of dearer) expect((await ask(node, post('/transactions/new', one))).status).toBe(201)
    const heard = await client.until(({ length }) => length >= 5)
    const [first, ...others] = [sent, ...dearer].map((transaction) => ({
      id: transactionId(transaction, node.chain),
      transaction,
    }))
    expect(heard.slice(1).map(({ data }) => data)).toEqual([
      { ...first, status: 'pending' },
      { ...others[0], status: 'pending' },
      { ...others[0], status: 'dropped', reason: 'replaced' },
      { ...others[1], status: 'pending' },
    ])
  })

  it('finds what it was told wherever else it looks', async () => {
    const node = await startTestNode()
    const client = await listen(node.port, { types: 'block' })
    const sent = signed(node.chain)
    await ask(node, post('/transactions/new', sent))
    const looked = client
      .until(({ length }) => length >= 2)
      .then(async ([, block]) => {
        const [found, pool] = await Promise.all(
          [`/transactions/${transactionId(sent, node.chain)}`, '/transactions'].map((path) => ask(node, { path })),
        )
        return { block, found: JSON.parse(found?.text ?? ''), pool: JSON.parse(pool?.text ?? '') }
      })
    await mined(node)
    const { block, found, pool } = await looked
    expect(found).toMatchObject({ status: 'confirmed', block: { hash: block?.data.hash } })
    expect(pool.length).toBe(0)
  })

  it('hears what it has asked for and nothing else; what is no type is refused', async () => {
    const node = await startTestNode()
    const contract = await Contract.of(node.app)
    const [blocks, transactions] = await Promise.all(
      ['block', 'transaction'].map((types) => listen(node.port, { types })),
    )
    await ask(node, post('/transactions/new', signed(node.chain)))
    await mined(node)
    await blocks?.until((heard) => heard.some(isOf('block')))
    await transactions?.until((heard) => heard.some(isOf('transaction')))
    expect(blocks?.heard.map(({ event }) => event)).toEqual(['start', 'block'])
    expect(transactions?.heard.map(({ event }) => event)).toEqual(['start', 'transaction'])
    for (const query of ['types=', 'types=blocks', 'types=block,', 'types=start', 'types=block&types=peer', 'x=1']) {
      const { status, json } = await contract.ask(node, { path: `/events?${query}` })
      expect([status, json.code], query).toEqual([400, 'request.invalid'])
    }
  })

  it('must name the node as its host, as everybody does', async () => {
    const node = await startTestNode()
    const contract = await Contract.of(node.app)
    const { json } = await contract.ask(node, { path: '/events', headers: { host: 'evil.example' } })
    expect(json.code).toBe('request.host')
    expect((await contract.ask(node, { method: 'POST', path: '/events' })).status).toBe(405)
  })
})

describe('a reorganisation', () => {
  async function reorganised() {
    const parts = await listeningParts()
    const genesis = parts.chain.head
    const sent = signed(parts.chain.id)
    const rival = signed(parts.chain.id, { to: BOB.address, amount: 7 })
    const other = signed(parts.chain.id, { from: BOB, to: ALICE.address })
    const client = await listen(parts.port, { app: parts.app, types: 'block,transaction,reorganisation' })
    const [a2] = [minedOn(parts, genesis, { transactions: [sent, other] })]
    const a3 = minedOn(parts, a2.entry)
    const b2 = minedOn(parts, genesis, { to: ALICE.address, transactions: [rival] })
    const b3 = minedOn(parts, b2.entry, { to: ALICE.address })
    const b4 = minedOn(parts, b3.entry, { to: ALICE.address })
    for (const { parsed } of [a2, a3, b2, b3, b4]) await parts.chain.import(parsed)
    await client.until((heard) => heard.filter(isOf('transaction')).length >= 2)
    return { client, a: [a2, a3], b: [b2, b3, b4], sent, other, chain: parts.chain.id }
  }
  const placeOf = ({ entry }: Mined) => ({ index: entry.index, hash: entry.hash })

  it('is told before the blocks that it adopts, with what became of the transactions after them', async () => {
    const { client, a, b, sent, other, chain } = await reorganised()
    expect(client.heard.map(({ event }) => event)).toEqual([
      ...['start', 'block', 'block'],
      ...['reorganisation', 'block', 'block', 'block'],
      ...['transaction', 'transaction'],
    ])
    expect(client.heard[3]?.data).toEqual({ abandoned: a.map(placeOf).reverse(), adopted: b.map(placeOf) })
    const hashes = client.heard.filter(isOf('block')).map(({ data }) => data.hash)
    expect(hashes).toEqual([...a, ...b].map(({ entry }) => entry.hash))
    expect(client.heard.slice(-2).map(({ data }) => data)).toEqual([
      // Its nonce was used by another one on the new branch.
      { id: transactionId(sent, chain), status: 'dropped', reason: 'replaced', transaction: sent },
      { id: transactionId(other, chain), status: 'pending', transaction: other },
    ])
  })
})

describe('a transaction that leaves the pool', () => {
  const dropped = ({ event, data }: Heard) => event === 'transaction' && data.status === 'dropped'

  it('for a higher fee, or because it waited too long', async () => {
    const clock = { now: 1_700_001_000 }
    const poolLimits = { maxTransactions: 2, maxPerAccount: 10, expirySeconds: 100 }
    const node = await startTestNode({ poolLimits, clock: () => clock.now })
    const client = await listen(node.port, { app: node.app, types: 'transaction' })
    const [low, high] = [signed(node.chain, { fee: 1 }), signed(node.chain, { nonce: 1, fee: 5 })]
    const dearer = signed(node.chain, { from: BOB, fee: 9 })
    for (const one of [low, high, dearer])
      expect((await ask(node, post('/transactions/new', one))).status, JSON.stringify(one)).toBe(201)
    await client.until((heard) => heard.filter(dropped).length >= 1)
    clock.now += 100
    await client.until((heard) => heard.filter(dropped).length >= 3)
    const left = client.heard.filter(dropped).map(({ data }) => [data.reason, data.transaction])
    // The nonce after it can't be confirmed any more, but waits for another one.
    expect(left[0]).toEqual(['evicted', expect.objectContaining({ sender: ALICE.address })])
    expect(left.slice(1).map(([reason]) => reason)).toEqual(['expired', 'expired'])
  })

  it('because the coins that it spends are gone with an abandoned block', async () => {
    const parts = await listeningParts()
    const genesis = parts.chain.head
    const gift = signed(parts.chain.id, { to: CAROL.address, amount: 10 })
    const a2 = minedOn(parts, genesis, { transactions: [gift] })
    await parts.chain.import(a2.parsed)
    const client = await listen(parts.port, { types: 'transaction' })
    const spent = signed(parts.chain.id, { from: CAROL, amount: 3 })
    expect((await ask(parts, post('/transactions/new', spent))).status).toBe(201)
    const b2 = minedOn(parts, genesis, { to: ALICE.address })
    for (const { parsed } of [b2, minedOn(parts, b2.entry)]) await parts.chain.import(parsed)
    await client.until(({ length }) => length >= 4)
    expect(client.heard.slice(1).map(({ data: { id: _, ...data } }) => data)).toEqual([
      { status: 'pending', transaction: spent },
      { status: 'dropped', reason: 'unpayable', transaction: spent },
      { status: 'pending', transaction: gift },
    ])
  })
})

describe('a listener that comes back', () => {
  it('goes on where it was, whatever it listens to', async () => {
    const node = await startTestNode()
    const first = await listen(node.port)
    await mined(node)
    await first.until((heard) => heard.some(isOf('block')))
    await first.close()
    const missed = [await mined(node), await mined(node)]
    await ask(node, post('/transactions/new', signed(node.chain)))
    const [all, blocks] = await Promise.all(
      [undefined, 'block'].map((types) => listen(node.port, { lastId: first.lastId(), ...(types && { types }) })),
    )
    await all?.until(({ length }) => length >= 3)
    expect(all?.heard.map(({ event }) => event)).toEqual(['block', 'block', 'transaction'])
    const next = await mined(node)
    await blocks?.until(({ length }) => length >= 3)
    expect(blocks?.heard.map(({ data }) => data.hash)).toEqual([...missed, next].map(({ hash }) => hash))
  })

  it('before anything has happened hears all of it', async () => {
    const node = await startTestNode()
    const first = await listen(node.port)
    await first.until(({ length }) => length >= 1)
    await first.close()
    const { hash } = await mined(node)
    const again = await listen(node.port, { lastId: first.lastId() })
    const [heard] = await again.until(({ length }) => length >= 1)
    expect(heard).toMatchObject({ event: 'block', data: { hash } })
  })

  it('is told where it has missed something: after a restart, with a strange id, or one that is to come', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'bc-events-'))
    onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }))
    const before = await startTestNode({ dataDirectory })
    const first = await listen(before.port)
    await mined(before)
    const [, block] = await first.until(({ length }) => length >= 2)
    await before.stop()
    expect(await first.ended).toBe('ended')
    const node = await startTestNode({ dataDirectory })
    const run = first.lastId()?.split('-')[0]
    for (const lastId of [first.lastId(), 'nonsense', `${run}-0`, '-1', `${run}-99999999999999999999`]) {
      const again = await listen(node.port, { lastId, app: node.app, types: 'block' })
      const [heard] = await again.until(({ length }) => length >= 1)
      expect(heard).toMatchObject({ event: 'missed', data: { height: 2, tip: block?.data.hash, chain: node.chain } })
    }
    const later = await listen(node.port, { types: 'block' })
    await later.until(({ length }) => length >= 1)
    const tooFar = (later.lastId() ?? '').replace(/\d+$/, '7')
    const again = await listen(node.port, { lastId: tooFar })
    expect((await again.until(({ length }) => length >= 1))[0]?.event).toBe('missed')
  })

  it('misses nothing of a type whose events are still kept, however many others there were', async () => {
    const parts = await listeningParts({ limits: { events: 3, bytes: 1_000_000 } })
    const { port, chain } = parts
    const first = await listen(port)
    await first.until(({ length }) => length >= 1)
    await first.close()
    const { parsed, entry } = minedOn(parts, chain.head)
    await chain.import(parsed)
    for (let nonce = 0; nonce < 5; nonce++) await ask(parts, post('/transactions/new', signed(chain.id, { nonce })))
    const blocks = await listen(port, { lastId: first.lastId(), types: 'block' })
    expect((await blocks.until(({ length }) => length >= 1))[0]).toMatchObject({ data: { hash: entry.hash } })
    const both = await listen(port, { lastId: first.lastId(), types: 'block,transaction' })
    expect((await both.until(({ length }) => length >= 1))[0]?.event).toBe('missed')
  })
})

describe('mining', () => {
  it('is told while it goes on, with what it takes on average, and is not kept', async () => {
    const node = await startTestNode({ rules: UNREACHABLE })
    const client = await listen(node.port, { app: node.app, types: 'mining' })
    const mining = ask(node, { path: '/mine' })
    const heard = await client.until((all) => all.filter(isOf('mining')).length >= 3)
    const events = heard.slice(1)
    expect(events.every(({ id }) => id === undefined)).toBe(true)
    const attempts = events.map(({ data }) => Number(data.attempts))
    expect(attempts).toEqual([...attempts].sort((a, b) => a - b))
    expect(attempts.at(-1)).toBeGreaterThan(0)
    expect(events.at(-1)?.data).toMatchObject({ index: 2, expected: String(16n ** 40n) })
    expect(Math.max(...events.map(({ data }) => Number(data.rate)))).toBeGreaterThan(0)
    const again = await listen(node.port, { lastId: client.lastId(), types: 'all' })
    expect((await again.until(({ length }) => length >= 1))[0]?.event).toBe('mining')
    await node.stop()
    expect((await mining).status).toBe(503)
  })
})

describe('the end of a node', () => {
  it('ends the stream in order and at once, also for who takes nothing, and takes nobody more', async () => {
    const node = await startTestNode()
    const client = await listen(node.port)
    const pipelined = await connected(node.port)
    pipelined.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2))
    await client.until(({ length }) => length >= 1)
    await node.stop()
    expect(await client.ended).toBe('ended')
    await expect(listen(node.port)).rejects.toThrow(/ECONNREFUSED/)
    pipelined.destroy()
  })
})
