/** Nodes that catch up with each other and tell each other, over real sockets. */
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson, entryAfter, headerOf, type JsonValue } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { blockOn, nonceOf, pay, signedTransfer } from '../../core/test/support/site.ts'
import { decodeHeadersQuestion, encodeHeaders, encodeStatus } from '../src/network/messages.ts'
import { memoryLog } from './support/http-node.ts'
import {
  alice,
  bob,
  GENESIS_TIME,
  genesisSite,
  grown,
  networkRules,
  parsedOf,
  type Site,
} from './support/network-chain.ts'
import { type Answer, frame, Hostile } from './support/network-hostile.ts'
import {
  addressOf,
  agree,
  connect,
  load,
  mine,
  resolve,
  startNetworkNode,
  startVictim,
  statusOf,
  temporaryFolder,
  until,
} from './support/network-nodes.ts'
import { fastSigner } from './support/network-signer.ts'

/** Says what an honest peer with this chain would, but for the blocks. */
function answersOf(site: Site, blocks: Answer) {
  const parsed = site.texts.map((text, i) => (i === 0 ? undefined : parsedOf(text)))
  const hashes = parsed.map((one) => one?.hash ?? site.chain)
  const status: Answer = (stream) => {
    const { index, hash, totalWork } = site.parent
    return frame(stream, encodeStatus({ height: index, tip: hash, work: totalWork }))
  }
  const headers: Answer = async (stream, question) => {
    const { locator } = decodeHeadersQuestion(question)
    const from = 1 + Math.max(...locator.map((hash) => hashes.indexOf(hash)))
    const some = parsed.slice(from, from + 100).flatMap((one) => (one ? [headerOf(one.block)] : []))
    await frame(
      stream,
      encodeHeaders({ headers: some, tip: some.length > 0 ? hashes[from + some.length - 1] : undefined }),
    )
  }
  return { status, headers, blocks }
}

describe('gossip', () => {
  test('a block mined on one end of a line is on the other in a moment, both ways', async () => {
    const [a, b, c] = [await startNetworkNode(), await startNetworkNode(), await startNetworkNode()]
    await connect(a, b)
    await connect(b, c)
    const took: number[] = []
    for (const miner of [a, c, b, a, c]) {
      const tip = await mine(miner)
      const start = performance.now()
      await until(async () => (await Promise.all([a, b, c].map(statusOf))).every((status) => status.tip === tip))
      took.push(Math.round(performance.now() - start))
    }
    console.log(`blocks were on all three nodes after ${took.join(', ')} ms`)
    expect((await agree([a, b, c])).height).toBe(6)
  })

  test('a transaction handed in on one end is in the pool on the other, and mined there', async () => {
    const [a, b, c] = [await startNetworkNode(), await startNetworkNode(), await startNetworkNode()]
    await connect(a, b)
    await connect(b, c)
    const signed = signedTransfer(pay(genesisSite(), alice, bob, 5, 1), genesisSite())
    const headers = { 'content-type': 'application/json' }
    const handIn = () => fetch(`${a.url}/transactions/new`, { method: 'POST', headers, body: canonicalJson(signed) })
    // Until gossip has found its ways nobody further off hears of it.
    await delay(1_500)
    expect((await handIn()).status).toBe(201)
    await until(async () => (await statusOf(c)).pool === 1)
    await mine(c)
    await until(async () =>
      (await Promise.all([a, b, c].map(statusOf))).every(({ pool, height }) => pool + height === 2),
    )
  })
})

describe('catching up', () => {
  test('nodes that start on different branches agree on the one with the most work', async () => {
    const [a, b] = [await startNetworkNode(), await startNetworkNode()]
    for (let i = 0; i < 3; i++) await mine(a)
    for (let i = 0; i < 5; i++) await mine(b)
    const { tip } = await statusOf(b)
    await connect(a, b)
    expect(await agree([a, b])).toMatchObject({ height: 6, tip })
  })

  test('a reorganisation 500 blocks deep', async () => {
    const [a, b] = [await startNetworkNode(), await startNetworkNode()]
    await load(a, grown(genesisSite(), 500).texts)
    const longer = grown(genesisSite(), 501, 5)
    await load(b, longer.texts)
    await connect(a, b)
    expect(await agree([a, b], 50_000)).toMatchObject({ height: 502, tip: longer.parent.hash })
  })

  test('a peer that stalls is left for another, and progress is told', async () => {
    const site = grown(genesisSite(), 300)
    const honest = await startNetworkNode()
    await load(honest, site.texts)
    const staller = await Hostile.start({
      chain: site.chain,
      answers: answersOf(site, () => delay(60_000, undefined, { ref: false })),
    })
    const fresh = await startNetworkNode({ level: process.env.VICTIM_LOG ?? 'silent' })
    const seen: unknown[] = []
    await connect(fresh, staller.address)
    await until(async () => staller.asked.includes('blocks'))
    seen.push((await statusOf(fresh)).sync)
    await connect(fresh, await addressOf(honest))
    expect(await agree([fresh, honest], 50_000)).toMatchObject({ height: 301 })
    expect(seen).toEqual([{ from: 1, to: 301 }])
    await until(async () => (await statusOf(fresh)).sync === null)
    await staller.stop()
  })

  test('a node whose clock is behind says so once, and asks for nothing from what is the future to it', async () => {
    const now = GENESIS_TIME + 1_000
    const [due, early] = [grown(genesisSite(), 5), grown(grown(genesisSite(), 5), 5, 1_121)]
    const [honest, future] = [
      await startNetworkNode(),
      await Hostile.start({
        chain: due.chain,
        answers: answersOf(grown(genesisSite(), 12, 1_121), () => delay(60_000, undefined, { ref: false })),
      }),
    ]
    await load(honest, early.texts)
    const { log, logged } = memoryLog('warn')
    const slow = await startNetworkNode({ clock: () => now, log })
    await connect(slow, future.address)
    await connect(slow, honest)
    await until(async () => (await statusOf(slow)).height === 6)
    for (let i = 0; i < 3; i++) await resolve(slow)
    expect(await statusOf(slow)).toMatchObject({ height: 6, tip: due.parent.hash, sync: null, peers: 2 })
    expect(future.asked).not.toContain('blocks')
    const warnings = logged().trim().split('\n')
    expect(warnings.map((line) => JSON.parse(line))).toMatchObject([
      {
        lead: 121,
        msg: expect.stringMatching(
          /^The newest block is 121 seconds ahead of this node's clock, .* is the clock right\?$/,
        ),
      },
    ])
    await future.stop()
  })

  test('nobody waits for peers that never say what they have', async () => {
    const site = grown(genesisSite(), 20)
    const honest = await startNetworkNode()
    await load(honest, site.texts)
    const silent = () => delay(60_000, undefined, { ref: false })
    const stallers = await Promise.all(
      Array.from({ length: 12 }, () => Hostile.start({ chain: site.chain, answers: { status: silent } })),
    )
    const fresh = await startNetworkNode()
    for (const { address } of stallers) await connect(fresh, address)
    await until(async () => stallers.every(({ asked }) => asked.includes('status')))
    await connect(fresh, await addressOf(honest))
    expect(await agree([fresh, honest])).toMatchObject({ height: 21 })
    for (const staller of stallers) await staller.stop()
  })

  test('goes on after kill -9 where it was', async () => {
    const site = grown(genesisSite(), 400)
    const dataDirectory = temporaryFolder()
    const first = await startVictim({ dataDirectory })
    // The first source has no more than a part of what it speaks of.
    const half = new Map(site.texts.slice(1, 201).map((text) => [parsedOf(text).hash, text]))
    const answers = answersOf(site, async (stream, question) => {
      for (const hash of JSON.parse(Buffer.from(question).toString()).hashes)
        await frame(stream, Buffer.from(half.get(hash) ?? (await delay(60_000, '', { ref: false }))))
    })
    const source = await Hostile.start({ chain: site.chain, answers })
    await connect(first, source.address)
    await until(async () => (await statusOf(first)).height > 100)
    await first.kill()
    await source.stop()
    const second = await startVictim({ dataDirectory })
    const { height } = await statusOf(second)
    expect(height).toBeGreaterThan(100)
    const honest = await startNetworkNode()
    await load(honest, site.texts)
    await connect(second, honest)
    expect(await agree([second, honest], 50_000)).toMatchObject({ height: 401 })
  })

  test('blocks near the limit, faster than they are imported', async () => {
    const rules = { maxBlockBytes: 1_000_000 }
    const site = genesisSite(networkRules(rules))
    const big = bigBlocks(site, 12)
    const [a, b] = [await startNetworkNode({ rules }), await startNetworkNode({ rules })]
    await load(a, big.texts)
    await connect(b, a)
    expect(await agree([a, b], 50_000)).toMatchObject({ height: 13 })
  }, 120_000)
})

/** So many blocks of half a megabyte each. */
function bigBlocks(site: Site, count: number): Site {
  const sign = fastSigner(alice, site.chain)
  const memo = 'm'.repeat(250)
  let at = site
  for (let i = 0; i < count; i++) {
    const first = nonceOf(at, alice)
    const transactions = Array.from({ length: 700 }, (_, n) => {
      const fields = { amount: 1, fee: 0, memo, nonce: first + n, recipient: bob.address, sender: alice.address }
      return JSON.parse(sign(fields)) as JsonValue
    })
    at = unchecked(
      at,
      blockOn(at, {
        transfers: () => [],
        fields: { timestamp: at.parent.timestamp },
        transactions: ([reward]) => [reward as JsonValue, ...transactions],
      }),
    )
    at = { ...at, accounts: new Map(at.accounts).set(alice.address, { balance: 0 as never, nonce: first + 700 }) }
  }
  return at
}

/** The site after a block that nobody has looked at. */
function unchecked(site: Site, text: string): Site {
  const { block, hash } = parsedOf(text)
  return { ...site, texts: [...site.texts, text], parent: entryAfter(site.parent, block, hash) }
}
