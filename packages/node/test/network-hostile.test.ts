/**
 * Peers that lie, stall and flood, over real sockets, against a node in a process of its own. After each, the node has
 * its tip still, and takes the next block of an honest peer.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson, type Hash, type JsonObject, parseJson, sealOf } from '@bc/core'
import { RPC } from '@libp2p/gossipsub/message'
import type { Stream } from '@libp2p/interface'
import { describe, expect, test } from 'vitest'
import { numberedKey } from '../../core/test/support/keys.ts'
import { blockOn, pay, signedTransfer } from '../../core/test/support/site.ts'
import { decodeBlocksQuestion, encode, encodeHeaders, encodeStatus, MOST_HEADERS } from '../src/network/messages.ts'
import { alice, bob, emptyBlock, genesisSite, grown, parsedOf, type Site } from './support/network-chain.ts'
import { type Answer, frame, type Hostile } from './support/network-hostile.ts'
import { addressOf, connect, register, startNetworkNode, statusOf, until } from './support/network-nodes.ts'
import { expectBan, expectKept, headersOf, MOST_GROWTH, ordeals } from './support/network-ordeal.ts'
import { fastSigner } from './support/network-signer.ts'

/** Says that it has so much more than the victim. */
function boast({ parent }: Site, more = 1_000_000n): Answer {
  return (stream) =>
    frame(stream, encodeStatus({ height: parent.index + 1_000, tip: parent.hash, work: parent.totalWork + more }))
}

function statusAt({ parent: { index, hash, totalWork } }: Site): Answer {
  return (stream) => frame(stream, encodeStatus({ height: index, tip: hash, work: totalWork }))
}

/** The blocks after the victim's as `headers` are asked for, once. */
function headersFrom(texts: readonly string[]): Answer {
  let told = false
  return async (stream) => {
    const answer = told ? { headers: [], tip: undefined } : headersOf(texts)
    told = true
    await frame(stream, encodeHeaders(answer))
  }
}

function blocksFrom(texts: readonly string[]): Answer {
  const byHash = new Map(texts.map((text) => [parsedOf(text).hash, text]))
  return async (stream, question) => {
    for (const hash of decodeBlocksQuestion(question)) await frame(stream, Buffer.from(byHash.get(hash) ?? ''))
  }
}

/** What came after the victim's blocks. */
function newTexts(site: Site, longer: Site): string[] {
  return longer.texts.slice(site.texts.length)
}

/** To be cut off in the midst of it is one of the ways in which an attack may end. */
function unlessCutOff(attack: Promise<void>): Promise<void> {
  return attack.catch((error: Error) => {
    if (!/stream|connection/i.test(`${error.name} ${error.message}`)) throw error
  })
}

async function flood(stream: Stream, bytes: number, part: Uint8Array = randomBytes(64 * 1024)): Promise<void> {
  for (let sent = 0; sent < bytes && stream.status === 'open'; sent += part.length)
    if (!stream.send(part)) await Promise.race([once(stream as never, 'drain').catch(() => undefined), delay(100)])
}

describe('hostile peers', () => {
  const survive = ordeals()

  test('a peer of another chain is hung up on, and who dials it is told', () =>
    survive('wrong chain id', async ({ hostile, address, victim }) => {
      const stranger = await hostile({ chain: 'f'.repeat(64) as Hash, waits: true })
      await stranger.dial(address)
      await until(async () => !stranger.connected)
      const { status, body } = await register(victim, [stranger.address])
      expect({ status, body }).toMatchObject({ status: 400, body: expect.stringContaining('another chain') })
    }))

  describe('gossiped blocks that break a rule', () => {
    const bad: Record<string, (site: Site) => string> = {
      'bad seal': (site) =>
        blockOn(site, { transfers: () => [], proof: (proof, target) => !sealMeets(site, proof, target) }),
      'bad target': (site) => blockOn(site, { transfers: () => [], fields: { target: 'f'.repeat(64) } }),
      'bad index': (site) => blockOn(site, { transfers: () => [], fields: { index: site.parent.index + 2 } }),
      'forged signature inside a block': (site) =>
        blockOn(site, {
          transfers: () => [{ ...pay(site, alice, bob, 1, 0), signature: (right) => right.replace(/^..../, '1234') }],
        }),
      'not canonical': (site) => `${emptyBlock(site).texts.at(-1)} `,
      'no JSON': () => '{"index": 1e3}',
    }
    test.each(Object.keys(bad))('%s: refused, its sender banned', (name) =>
      survive(name, async ({ hostile, address, site }) => {
        const liar = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        await liar.gossip('blocks', bad[name]?.(site) ?? '')
        await expectBan(liar, address)
      }),
    )
  })

  describe('gossiped blocks that the ledger alone refuses: its sender may have had them beside his head', () => {
    const bad: Record<string, (site: Site) => string> = {
      'overdrawn transfer inside a block': (site) =>
        blockOn(site, { transfers: () => [pay(site, alice, bob, 2_000_000, 0)] }),
      'reward too high': (site) =>
        blockOn(site, { transfers: () => [], reward: (right) => ({ ...right, amount: 1_000 }) }),
    }
    test.each(Object.keys(bad))('%s: refused, its sender kept', (name) =>
      survive(name, async ({ hostile, site }) => {
        const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        await peer.gossip('blocks', bad[name]?.(site) ?? '')
        await expectKept(peer)
      }),
    )
  })

  test('a bad body under a good header: the good body is taken from another', () =>
    survive(
      'bad body, good header',
      async ({ hostile, address, site, victim }) => {
        const good = blockOn(site, { transfers: () => [pay(site, alice, bob, 7, 0)] })
        const other = pay(site, alice, bob, 8, 0)
        const { transactions, ...header } = parseJson(good) as JsonObject & { transactions: JsonObject[] }
        const swapped = [transactions[0] as JsonObject, signedTransfer(other, site)]
        const liar = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        await liar.gossip('blocks', canonicalJson({ ...header, transactions: swapped }))
        await expectBan(liar, address)
        const honest = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        await honest.gossip('blocks', good)
        await until(async () => (await statusOf(victim)).tip === parsedOf(good).hash)
        await expectKept(honest)
      },
      { moves: true },
    ))

  test('a thousand orphans: held within bounds, nobody punished', () =>
    survive('a thousand orphans', async ({ hostile, site }) => {
      const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
      for (let i = 0; i < 1_000; i++) {
        const parent = { ...site.parent, hash: randomBytes(32).toString('hex') as Hash }
        await peer.gossip('blocks', blockOn({ ...site, parent }, { transfers: () => [], proof: () => true }))
      }
      await expectKept(peer)
    }))

  describe('big blocks that have to wait are not held, nor are their transactions read', () => {
    const waits: Record<string, (site: Site, i: number) => { site?: Site; fields?: JsonObject }> = {
      'orphans of 190 KB': ({ parent, ...site }) => ({
        site: { ...site, parent: { ...parent, hash: randomBytes(32).toString('hex') as Hash } },
      }),
      // By whole minutes, so that no two are the same block.
      'early blocks of 190 KB': (_, i) => ({ fields: { timestamp: Math.floor(Date.now() / 1000) + 10_000 + 60 * i } }),
    }
    test.each(Object.entries(waits))('%s', (name, wait) =>
      survive(`300 ${name}`, async ({ hostile, site }) => {
        const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        const transfer = signedTransfer(pay(site, alice, bob, 1, 0, { memo: 'x'.repeat(250) }), site)
        const transactions = Array.from({ length: 290 }, () => transfer)
        for (let i = 0; i < 300; i++) {
          const { site: at = site, fields = {} } = wait(site, i)
          const plan = { root: () => '0'.repeat(64), proof: () => true, transactions: () => transactions, fields }
          await peer.gossip('blocks', blockOn(at, plan))
        }
        await expectKept(peer)
      }),
    )
  })

  test('an invalid block, again and again, by one peer after another', () =>
    survive('re-sent invalid block', async ({ hostile, address, site }) => {
      const forged = { ...pay(site, alice, bob, 1, 0), signature: (right: string) => right.replace(/^..../, '1234') }
      const bad = blockOn(site, { transfers: () => [forged] })
      const first = await hostile({ gossip: true, answers: { status: statusAt(site) } })
      await first.gossip('blocks', bad)
      await expectBan(first, address)
      for (let i = 0; i < 8; i++) {
        // What was refused a moment ago isn't looked at again. As an answer it is, and costs its teller the connection.
        const answers = { status: boast(site, 256n), headers: headersFrom([bad]), blocks: blocksFrom([bad]) }
        const liar = await hostile({ gossip: true, answers })
        await Promise.race([liar.gossip('blocks', bad).catch(() => undefined), until(async () => !liar.connected)])
        await expectBan(liar, address)
      }
    }))

  test('a block from the future is held, and its sender not punished', () =>
    survive('future timestamps', async ({ hostile, site }) => {
      const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
      for (let i = 0; i < 50; i++) {
        const timestamp = Math.floor(Date.now() / 1000) + 10_000 + i
        await peer.gossip('blocks', blockOn(site, { transfers: () => [], fields: { timestamp } }))
      }
      await expectKept(peer)
    }))

  describe('answers', () => {
    test('headers without work: banned', () =>
      survive('header spam', async ({ hostile, address, site }) => {
        const { headers } = headersOf(newTexts(site, grown(site, 20)))
        const spam = Array.from({ length: MOST_HEADERS }, (_, i) => headers[i % 20] as (typeof headers)[0])
        const liar = await hostile({
          answers: { status: boast(site), headers: (s) => frame(s, encodeHeaders({ headers: spam, tip: site.chain })) },
        })
        await expectBan(liar, address)
      }))

    test('valid headers of a branch with less work: nothing of it is asked for or stored', () =>
      survive('low-work header chain', async ({ hostile, site }) => {
        const low = newTexts(genesisSite(), grown(genesisSite(), site.parent.index - 2, 7))
        const liar = await hostile({ answers: { status: boast(site), headers: headersFrom(low) } })
        await until(async () => liar.asked.filter((name) => name === 'headers').length >= 2)
        await delay(300)
        expect(liar.asked).not.toContain('blocks')
      }))

    test('the same headers for ever: not asked for ever', () =>
      survive('headers that go round', async ({ hostile, site }) => {
        const low = headersOf(newTexts(genesisSite(), grown(genesisSite(), 2, 7)))
        const liar = await hostile({
          answers: { status: boast(site), headers: (s) => frame(s, encodeHeaders(low)) },
        })
        // It is given up, and only asked how far it is again some time after.
        await until(async () => liar.asked.lastIndexOf('status') > liar.asked.indexOf('headers'))
        const rounds = liar.asked.slice(0, liar.asked.lastIndexOf('status')).filter((name) => name === 'headers')
        expect(rounds.length).toBeLessThan(10)
      }))

    test('headers with a lie about the hash of the last block; bodies withheld; no answer for bodies', () =>
      survive(
        'withheld bodies',
        async ({ hostile, site }) => {
          const lies: ((texts: readonly string[]) => Partial<Record<'headers' | 'blocks', Answer>>)[] = [
            (texts) => ({
              headers: (s) => frame(s, encodeHeaders({ ...headersOf(texts), tip: 'e'.repeat(64) as Hash })),
              blocks: blocksFrom(texts),
            }),
            (texts) => ({ headers: headersFrom(texts), blocks: blocksFrom([]) }),
            (texts) => ({ headers: headersFrom(texts), blocks: async (stream) => stream.abort(new Error('no')) }),
          ]
          for (const [i, lie] of lies.entries()) {
            // A branch of his own for each, and longer than the one before.
            const texts = newTexts(site, grown(site, 40 + 5 * i, i))
            const liar = await hostile({ answers: { status: boast(site), ...lie(texts) } })
            await until(async () => liar.asked.includes('blocks'))
          }
          await delay(500)
        },
        { moves: true },
      ))

    test('other blocks than those that were asked for: banned', () =>
      survive('other blocks', async ({ hostile, address, site }) => {
        const texts = newTexts(site, grown(site, 10))
        const other = emptyBlock(site, 99).texts.at(-1) as string
        const liar = await hostile({
          answers: {
            status: boast(site, 3_000n),
            headers: headersFrom(texts),
            blocks: (stream) => frame(stream, Buffer.from(other)),
          },
        })
        await expectBan(liar, address)
      }))

    test('a branch whose bodies the ledger refuses: its source is banned', () =>
      survive('invalid block in a branch', async ({ hostile, address, site }) => {
        const bad = blockOn(site, { transfers: () => [pay(site, alice, bob, 2_000_000, 0)] })
        const liar = await hostile({
          answers: { status: boast(site, 256n), headers: headersFrom([bad]), blocks: blocksFrom([bad]) },
        })
        await expectBan(liar, address)
      }))

    test('an answer without an end', () =>
      survive('endless answer', async ({ hostile, address }) => {
        const liar = await hostile({ answers: { status: (stream) => flood(stream, 1e9, Buffer.alloc(65_536, 0xff)) } })
        await expectBan(liar, address)
      }))

    test('frames that never end in a frame that was asked for', () =>
      survive(
        'endless blocks',
        async ({ hostile, site }) => {
          const texts = newTexts(site, grown(site, 3))
          const liar = await hostile({
            answers: {
              status: boast(site, 512n),
              headers: headersFrom(texts),
              // All that were asked for, and then a gigabyte.
              blocks: async (stream, question) => {
                await blocksFrom(texts)(stream, question)
                await flood(stream, 1e9)
              },
            },
          })
          await until(async () => liar.asked.includes('blocks'))
          await delay(1_000)
        },
        { moves: true },
      ))

    test('a frame longer than it says, and one shorter', () =>
      survive('lying lengths', async ({ hostile, address }) => {
        const huge = await hostile({
          answers: { status: async (stream) => void stream.send(Buffer.from('ffffffffffffff7f00', 'hex')) },
        })
        await expectBan(huge, address)
        const short = await hostile({
          answers: {
            status: async (stream) => {
              stream.send(Buffer.concat([Buffer.from([0xe0, 0x07]), Buffer.from('{"height"')]))
              await stream.close()
            },
          },
        })
        await until(async () => short.asked.includes('status'))
        await expectKept(short)
      }))

    test('an answer that doesn’t come, and one that trickles, keep nobody else waiting for long', () =>
      survive('slow answers', async ({ hostile, site, friend, victim }) => {
        const silent = await hostile({ answers: { status: () => delay(60_000, undefined, { ref: false }) } })
        const trickle: Answer = async (stream) => {
          for (let i = 0; i < 100 && stream.status === 'open'; i++) {
            stream.send(Buffer.from([0x80 - i]))
            await delay(1_000, undefined, { ref: false })
          }
        }
        const slow = await hostile({ answers: { status: boast(site), headers: trickle } })
        await until(async () => silent.asked.length + slow.asked.length > 0)
        // Gossip doesn't wait for sync.
        const { tip } = await statusOf(friend)
        expect((await statusOf(victim)).tip).toBe(tip)
      }))

    test.each(['{"height": 1.5}', '[]', '\u0000', '{"height":1,"tip":"","work":"1"}', `${'['.repeat(400)}`])(
      'garbage: %s',
      (garbage) =>
        survive(`garbage ${garbage.slice(0, 12)}`, async ({ hostile, address }) => {
          const liar = await hostile({ answers: { status: (stream) => frame(stream, Buffer.from(garbage)) } })
          await expectBan(liar, address)
        }),
    )
  })

  describe('floods', () => {
    test('transactions without coins, all well signed', () =>
      survive('5,000 unfunded transactions', async ({ hostile, site, victim }) => {
        const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        const key = numberedKey(4_711)
        const signed = fastSigner(key, site.chain)
        for (let i = 1; i <= 5_000; i++) {
          const fields = { amount: i, fee: 0, nonce: 0, recipient: bob.address, sender: key.address }
          await peer.gossip('transactions', signed(fields))
        }
        await delay(500)
        expect((await statusOf(victim)).pool).toBe(0)
      }))

    test('a forged transaction: banned', () =>
      survive('forged transaction', async ({ hostile, address, site }) => {
        const liar = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        const forged = { ...pay(site, alice, bob, 1, 0), signature: (right: string) => right.replace(/^..../, '1234') }
        await liar.gossip('transactions', canonicalJson(signedTransfer(forged, site)))
        await expectBan(liar, address)
      }))

    test('gossiped messages of 4 MB, and of 60 MB', () =>
      survive('huge gossip messages', async ({ hostile, site }) => {
        const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        await peer.gossip('blocks', Buffer.alloc(4_000_000, 0x20))
        await until(async () => !peer.connected)
        // By itself libp2p would send no more than 4 MB in one piece.
        const other = await hostile({ answers: { status: statusAt(site) } })
        const stream = await other.node.getConnections()[0]?.newStream('/meshsub/1.2.0')
        stream?.send(Buffer.from('8080801d', 'hex'))
        if (stream) await Promise.race([flood(stream, 6e7), delay(8_000)])
      }))

    test('bytes that are no gossip, by the hundred megabytes', () =>
      survive('malformed gossip frames', async ({ hostile, address, site }) => {
        const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        await peer.gossip('blocks', '{}').catch(() => undefined)
        const other = await hostile({ answers: { status: statusAt(site) } })
        const stream = await other.node.getConnections()[0]?.newStream('/meshsub/1.2.0')
        if (stream) await Promise.race([flood(stream, 1e8, framed(randomBytes(1_000))), delay(8_000)])
        void address
      }))

    test('messages of gossip that lack their end, on stream after stream', () =>
      survive('unfinished gossip', async ({ hostile, site }) => {
        const peer = await hostile({ answers: { status: statusAt(site) } })
        const begin = async () => {
          const stream = await peer.node.getConnections()[0]?.newStream('/meshsub/1.2.0', { maxOutboundStreams: 100 })
          stream?.send(Buffer.from('80808002', 'hex'))
          if (stream) await flood(stream, 2 ** 22 - 2 ** 17)
        }
        for (let i = 0; i < 12; i++) await unlessCutOff(begin())
        await delay(500)
      }))

    test('names of megabytes, of messages that it doesn’t want', () =>
      survive('long names of messages', async ({ hostile, site, victim }) => {
        const peer = await hostile({ answers: { status: statusAt(site) } })
        const stream = await peer.node.getConnections()[0]?.newStream('/meshsub/1.2.0')
        if (stream === undefined) throw new Error('not connected')
        const before = await victim.measure()
        for (let i = 0; i < 40; i++) {
          const control = {
            ihave: [],
            iwant: [],
            graft: [],
            prune: [],
            idontwant: [{ messageIDs: [randomBytes(4e6)] }],
          }
          await frame(stream, RPC.encode({ subscriptions: [], messages: [], control }))
          await until(async () => peer.isTaken)
        }
        // Longer than it stays in what is on its way, and less long than gossipsub would keep it.
        await delay(500)
        const { heapUsed, external } = await victim.measure()
        expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(MOST_GROWTH / 2)
        await expectKept(peer)
      }))

    test('ten thousand topics', () =>
      survive('invented topics', async ({ hostile, site }) => {
        const peer = await hostile({ gossip: true, answers: { status: statusAt(site) } })
        for (let i = 0; i < 10_000; i++) peer.node.services.pubsub?.subscribe(`topic ${i} ${'x'.repeat(200)}`)
        await delay(3_000)
      }))

    test('questions by the thousand, and answers that nobody reads', () =>
      survive('question flood', async ({ hostile, address, site, victim }) => {
        const peer = await hostile({ answers: { status: statusAt(site) } })
        const question = framed(encode({ limit: MOST_HEADERS, locator: [site.chain] }))
        for (let i = 0; i < 2_000; i++) {
          const asked = peer.open(address, 'headers').then((stream) => stream.send(question))
          await Promise.race([asked.catch(() => undefined), delay(20)])
        }
        expect((await statusOf(victim)).tip).toBe(site.parent.hash)
      }))

    test('questions that are answered, and whose asker sends on', () =>
      survive('endless questions', async ({ hostile, address, site }) => {
        const questions = {
          headers: framed(encode({ limit: 1, locator: [site.chain] })),
          ...{ status: framed(encode({})), pool: framed(encode({})), peers: framed(encode({})) },
        }
        const askOnAndOn = async (peer: Hostile, conversation: keyof typeof questions) => {
          const stream = await peer.open(address, conversation)
          stream.send(questions[conversation])
          // By then it is answered.
          await delay(500)
          await flood(stream, 1_000_000)
        }
        for (let i = 0; i < 6; i++) {
          const peer = await hostile({ answers: { status: statusAt(site) } })
          const streams = Array.from({ length: 6 }, () => ['headers', 'status', 'pool', 'peers'] as const).flat()
          await Promise.all(streams.map((conversation) => unlessCutOff(askOnAndOn(peer, conversation))))
        }
        await delay(500)
      }))

    test('streams that are opened and left', () =>
      survive('half-open streams', async ({ hostile, address, site }) => {
        const peer = await hostile({ answers: { status: statusAt(site) } })
        await Promise.allSettled(Array.from({ length: 1_000 }, () => peer.open(address, 'blocks')))
        await delay(500)
      }))

    test('questions that break the rules of a question', () =>
      survive('garbled questions', async ({ hostile, address, site }) => {
        const peer = await hostile({ answers: { status: statusAt(site) } })
        const questions = [
          encode({ limit: 1_000_000, locator: [] }),
          encode({ limit: 1, locator: Array.from({ length: 250 }, () => site.chain) }),
          Buffer.from('null'),
          Buffer.alloc(19_000, 0x5b),
        ]
        for (const question of questions) await expect(peer.ask(address, 'headers', question)).rejects.toThrow()
        await expect(peer.ask(address, 'blocks', encode({ hashes: Array(200).fill(site.chain) }))).rejects.toThrow()
      }))

    test('five hundred connections that say nothing', () =>
      survive('connection flood', async ({ address }) => {
        const port = Number(/tcp\/(\d+)/.exec(address)?.[1])
        const sockets: Socket[] = []
        for (let i = 0; i < 500; i++) sockets.push(connectSocket(port, '127.0.0.1').on('error', () => undefined))
        await delay(2_000)
        for (const socket of sockets) socket.write(randomBytes(100))
        await delay(500)
        for (const socket of sockets) socket.destroy()
      }))

    test('a hundred peers that are all the same one', () =>
      survive('a hundred identities', async ({ hostile, site, address, victim }) => {
        const many: Hostile[] = []
        for (let i = 0; i < 100; i++) many.push(await hostile({ waits: true, answers: { status: statusAt(site) } }))
        for (let i = 0; i < many.length; i += 10) {
          await Promise.allSettled(many.slice(i, i + 10).map((one) => one.dial(address)))
          await delay(600)
        }
        const { peers } = await statusOf(victim)
        expect(peers).toBeLessThanOrEqual(64)
        // Those whom the victim wants itself still find their place.
        const wanted = await startNetworkNode()
        await connect(victim, await addressOf(wanted))
        expect((await statusOf(victim)).peers).toBeGreaterThan(peers)
      }))
  })
})

function framed(data: Uint8Array): Buffer {
  const length = data.length < 0x80 ? [data.length] : [(data.length & 0x7f) | 0x80, data.length >> 7]
  return Buffer.concat([Buffer.from(length), data])
}

function sealMeets({ parent }: Site, proof: string, target: string): boolean {
  return sealOf(parent.proof, proof, parent.hash) <= target
}
