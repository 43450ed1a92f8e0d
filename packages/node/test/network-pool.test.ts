/** What waits in a pool is told to those who connect later, over real sockets; and how little a liar can do with it. */
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { numberedKey } from '../../core/test/support/keys.ts'
import { pay, signedTransfer } from '../../core/test/support/site.ts'
import { FrameWriter } from '../src/network/libp2p/frames.ts'
import { encodeStatus, MOST_WAITING } from '../src/network/messages.ts'
import { alice, bob, genesisSite, type Site } from './support/network-chain.ts'
import { type Answer, frame } from './support/network-hostile.ts'
import { agree, connect, mine, startNetworkNode, statusOf, temporaryFolder, until } from './support/network-nodes.ts'
import { expectBan, expectKept, ordeals } from './support/network-ordeal.ts'
import { fastSigner } from './support/network-signer.ts'

async function handIn({ url }: { readonly url: string }, text: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetch(`${url}/transactions/new`, { method: 'POST', headers, body: text })
  expect(status).toBe(201)
}

function payment(amount = 5): string {
  return canonicalJson(signedTransfer(pay(genesisSite(), alice, bob, amount, 1), genesisSite()))
}

/** Gossip includes everybody, and everybody has asked everybody. */
const SETTLED_MS = 5_000

describe('a transaction that nobody was there to hear of', () => {
  test('reaches a node that connects later, and is mined there', async () => {
    const [lonely, miner] = [await startNetworkNode(), await startNetworkNode()]
    await handIn(lonely, payment())
    await connect(miner, lonely)
    await until(async () => (await statusOf(miner)).pool === 1)
    await mine(miner)
    await agree([lonely, miner])
    await until(async () => (await statusOf(lonely)).pool === 0)
  })

  test('reaches it after a restart with a restored pool as well, and once both have agreed on a branch', async () => {
    const dataDirectory = temporaryFolder()
    const first = await startNetworkNode({ dataDirectory })
    await handIn(first, payment())
    await first.stop()
    const [lonely, miner] = [await startNetworkNode({ dataDirectory }), await startNetworkNode()]
    for (let i = 0; i < 3; i++) await mine(miner)
    expect(await statusOf(lonely)).toMatchObject({ pool: 1, height: 1 })
    await connect(lonely, miner)
    await until(async () => (await statusOf(miner)).pool === 1)
    await mine(miner)
    await until(async () => (await statusOf(lonely)).pool === 0)
    expect((await agree([lonely, miner])).height).toBe(5)
  })

  test('reaches it where it was in a block that was abandoned for the other’s branch', async () => {
    const [lonely, miner] = [await startNetworkNode(), await startNetworkNode()]
    await handIn(lonely, payment())
    await mine(lonely)
    for (let i = 0; i < 3; i++) await mine(miner)
    expect((await statusOf(lonely)).pool).toBe(0)
    await connect(lonely, miner)
    await until(async () => (await statusOf(miner)).pool === 1)
  })

  test('travels on to those who were connected before', async () => {
    const [lonely, middle, end] = [await startNetworkNode(), await startNetworkNode(), await startNetworkNode()]
    await handIn(lonely, payment())
    await connect(middle, end)
    await delay(SETTLED_MS)
    await connect(lonely, middle)
    await until(async () => (await statusOf(end)).pool === 1)
  })
})

function statusAt({ parent: { index, hash, totalWork } }: Site): Answer {
  return (stream) => frame(stream, encodeStatus({ height: index, tip: hash, work: totalWork }))
}

/** The same frame so many times, and no end: as fast as they are taken. */
function frames(data: Uint8Array, count: number): Answer {
  return async (stream) => {
    const writer = new FrameWriter(stream)
    const signal = AbortSignal.timeout(60_000)
    for (let i = 0; i < count; i++) if (writer.add(data)) await writer.flush(signal)
    await writer.flush(signal)
  }
}

/** Frames, and the empty one at the end. */
function told(texts: readonly string[]): Answer {
  return async (stream) => {
    for (const text of [...texts, '']) await frame(stream, Buffer.from(text))
  }
}

/** Well signed, by somebody who has no coins. */
function unfunded(site: Site, count: number): string[] {
  const key = numberedKey(4_712)
  const sign = fastSigner(key, site.chain)
  return Array.from({ length: count }, (_, i) =>
    sign({ amount: i + 1, fee: 0, nonce: 0, recipient: bob.address, sender: key.address }),
  )
}

describe('a peer that is asked for its pool', () => {
  const survive = ordeals()
  const forged = (site: Site) => {
    const transfer = { ...pay(site, alice, bob, 1, 0), signature: (right: string) => right.replace(/^..../, '1234') }
    return canonicalJson(signedTransfer(transfer, site))
  }

  test('with frames without an end: banned', () =>
    survive('endless pool', async ({ hostile, address, site }) => {
      const [useless = ''] = unfunded(site, 1)
      const pool = frames(Buffer.from(useless), 1_000_000)
      await expectBan(await hostile({ answers: { status: statusAt(site), pool } }), address)
    }))

  test('with a frame longer than any transaction: banned', () =>
    survive('oversized pool frame', async ({ hostile, address, site }) => {
      const pool = frames(Buffer.alloc(4_001, 0x20), 1)
      await expectBan(await hostile({ answers: { status: statusAt(site), pool } }), address)
    }))

  test.each(['forged', 'another spelling', 'no transaction'])('with one that is %s: banned', (kind) =>
    survive(`pool: ${kind}`, async ({ hostile, address, site }) => {
      const good = canonicalJson(signedTransfer(pay(site, alice, bob, 1, 0), site))
      const bad = kind === 'forged' ? forged(site) : kind === 'no transaction' ? '[]' : good.replace(', ', ',')
      const pool = told([bad])
      await expectBan(await hostile({ answers: { status: statusAt(site), pool } }), address)
    }),
  )

  test('with thousands that are of no use: kept, and listened to still', () =>
    survive('useless pool', async ({ hostile, site, victim }) => {
      const useless = unfunded(site, MOST_WAITING.transactions)
      let over = false
      const pool: Answer = async (stream, question) => {
        await told(useless)(stream, question)
        over = true
      }
      const peer = await hostile({ gossip: true, answers: { status: statusAt(site), pool } })
      await until(async () => over)
      await delay(1_000)
      await peer.gossip('transactions', canonicalJson(signedTransfer(pay(site, alice, bob, 3, 2), site)))
      await until(async () => (await statusOf(victim)).pool === 1)
      await expectKept(peer)
    }))

  test('with nothing at all: nobody else waits for it, and it is asked once', () =>
    survive('silent pool', async ({ hostile, site, victim }) => {
      const wait: Answer = () => delay(60_000, undefined, { ref: false })
      const silent = await hostile({ answers: { status: statusAt(site), pool: wait } })
      await until(async () => silent.asked.includes('pool'))
      const honest = await hostile({
        answers: {
          status: statusAt(site),
          pool: told([canonicalJson(signedTransfer(pay(site, bob, alice, 4, 1), site))]),
        },
      })
      await until(async () => (await statusOf(victim)).pool === 1)
      // Until it has stalled, and has been looked at again.
      await delay(12_000)
      await expectKept(silent)
      for (const peer of [silent, honest]) expect(peer.asked.filter((name) => name === 'pool')).toHaveLength(1)
    }))

  test('is on the block that we are on, or isn’t asked', () =>
    survive('pool of another branch', async ({ hostile, site }) => {
      const status: Answer = (stream) => frame(stream, encodeStatus({ height: 1, tip: site.chain, work: 1n }))
      const behind = await hostile({ answers: { status, pool: told([forged(site)]) } })
      await delay(SETTLED_MS)
      expect(behind.asked).not.toContain('pool')
      await expectKept(behind)
    }))

  test('that is an older node and doesn’t know the question: kept', () =>
    survive('no pool', async ({ hostile, site }) => {
      const old = await hostile({ answers: { status: statusAt(site) } })
      await delay(SETTLED_MS)
      await expectKept(old)
    }))
})
