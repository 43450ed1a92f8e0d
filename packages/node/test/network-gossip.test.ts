/** What libp2p makes of gossip: judges that say what the test wants, over real sockets. */
import { networkInterfaces } from 'node:os'
import type { Hash } from '@bc/core'
import { RPC } from '@libp2p/gossipsub/message'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { Libp2pTransport } from '../src/network/libp2p/libp2p-transport.ts'
import { protocolName, topicName } from '../src/network/messages.ts'
import type { PeerId, Verdict } from '../src/network/transport.ts'
import { memoryLog } from './support/http-node.ts'
import { frame, Hostile } from './support/network-hostile.ts'
import { until } from './support/network-nodes.ts'

const CHAIN = 'c'.repeat(64) as Hash
const [BLOCKS, TRANSACTIONS] = [topicName(CHAIN, 'blocks'), topicName(CHAIN, 'transactions')]

const open: (() => Promise<void>)[] = []
afterEach(() => Promise.all(open.splice(0).map((close) => close())))

interface Listener {
  readonly transport: Libp2pTransport
  /** `<sender> <topic> <message>` of each that was judged. */
  readonly judged: string[]
}

async function listener(judge: (from: PeerId) => Verdict = () => 'accept', host = '127.0.0.1'): Promise<Listener> {
  const options = { chain: CHAIN, seed: crypto.getRandomValues(new Uint8Array(32)), host, port: 0, discovery: false }
  const transport = await Libp2pTransport.create({ ...options, maxMessageBytes: 100_000, log: memoryLog().log })
  open.push(() => transport.close())
  const judged: string[] = []
  transport.serve(protocolName(CHAIN, 'status'), async function* () {})
  await transport.open()
  for (const topic of [BLOCKS, TRANSACTIONS])
    transport.subscribe(topic, async (from, message) => {
      judged.push(`${from} ${topic} ${Buffer.from(message)}`)
      return judge(from)
    })
  return { transport, judged }
}

/** Takes gossip, as a node does. */
async function hostile(): Promise<Hostile> {
  const one = await Hostile.start({ chain: CHAIN, gossip: true })
  one.node.services.pubsub?.subscribe(BLOCKS)
  open.push(() => one.stop())
  return one
}

/** The stream on which the peer itself gossips. */
async function rawGossip(peer: Hostile, address: string): Promise<Stream> {
  const { streams } = await peer.node.dial(multiaddr(address))
  return until(async () =>
    streams.find(({ protocol, direction }) => /meshsub/.test(protocol) && direction === 'outbound'),
  )
}

/** Until each takes gossip of the other. */
async function connect(one: Listener, other: Listener): Promise<void> {
  await one.transport.dial(other.transport.addresses()[0] as string)
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    for (let i = 0; !to.judged.some((line) => line.startsWith(`${from.transport.self} ${BLOCKS} hello`)); i++) {
      await from.transport.publish(BLOCKS, Buffer.from(`hello ${from.transport.self} ${i}`))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
}

describe('who isn’t listened to doesn’t decide what others may say', () => {
  /** The first copy goes to the judge at once, the other one by way of somebody else. */
  test.each([30, 2_000])('with a message of %i bytes', async (length) => {
    const message = 'x'.repeat(length)
    let hears = true
    const v = await listener((from) => (hears || from !== loud.transport.self ? 'accept' : 'unheard'))
    const [loud, way, origin] = [await listener(), await listener(), await listener()]
    await connect(loud, v)
    await connect(way, v)
    await connect(origin, way)
    hears = false
    await loud.transport.publish(TRANSACTIONS, Buffer.from(message))
    await until(async () => v.judged.includes(`${loud.transport.self} ${TRANSACTIONS} ${message}`))
    await origin.transport.publish(TRANSACTIONS, Buffer.from(message))
    await until(async () => v.judged.includes(`${way.transport.self} ${TRANSACTIONS} ${message}`))
    // Once it has been heard it is not looked at again.
    expect(v.judged.filter((line) => line.endsWith(` ${message}`))).toHaveLength(2)
  })

  test('nor by what he says elsewhere', async () => {
    const v = await listener()
    const [loud, other] = [await listener(), await listener()]
    await connect(loud, v)
    await connect(other, v)
    await loud.transport.publish(BLOCKS, Buffer.from('a transaction'))
    await until(async () => v.judged.includes(`${loud.transport.self} ${BLOCKS} a transaction`))
    await other.transport.publish(TRANSACTIONS, Buffer.from('a transaction'))
    await until(async () => v.judged.includes(`${other.transport.self} ${TRANSACTIONS} a transaction`))
  })
})

const outside = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

/** On this machine's own addresses all are alike, so none of them is refused. */
describe.skipIf(outside === undefined)('whoever is refused', () => {
  test.each(['stays', 'has hung up before'])('and %s: his host is refused with him', async (which) => {
    const v = await listener(() => 'accept', outside)
    const [liar, next] = [await listener(), await listener()]
    await connect(liar, v)
    if (which !== 'stays') {
      await liar.transport.disconnect(v.transport.self)
      await until(async () => v.transport.peers().length === 0)
    }
    await v.transport.disconnect(liar.transport.self, 60_000)
    await expect(next.transport.dial(v.transport.addresses()[0] as string)).rejects.toMatchObject({ fault: 'gone' })
    expect(v.transport.peers()).toEqual([])
  })
})

test.skipIf(outside === undefined)(
  'one owner stands behind all peers of an address, but for our own machine',
  async () => {
    const v = await listener(() => 'accept', '0.0.0.0')
    const ownersAt = async (host: string) => {
      const address = v.transport.addresses().find((one) => one.includes(`/${host}/`)) as string
      const names: PeerId[] = []
      for (let i = 0; i < 2; i++) {
        const { transport } = await listener()
        await transport.dial(address)
        names.push(transport.self)
      }
      await until(async () => names.every((name) => v.transport.peers().includes(name)))
      const owners = () => names.map((name) => v.transport.ownerOf(name))
      const before = owners()
      await v.transport.disconnect(names[0] as PeerId)
      await until(async () => !v.transport.peers().includes(names[0] as PeerId))
      // What a peer has said may be judged once it is gone.
      expect(owners()).toEqual(before)
      return { names, owners: before }
    }
    const here = await ownersAt('127.0.0.1')
    expect(here.owners).toEqual(here.names)
    expect((await ownersAt(outside as string)).owners).toEqual([outside, outside])
  },
)

test('an answer of many messages comes in one piece, and more after it', async () => {
  const v = await listener()
  const peer = await hostile()
  const stream = await rawGossip(peer, v.transport.addresses()[0] as string)
  const send = (messages: readonly string[]) => {
    const all = messages.map((message) => ({ topic: TRANSACTIONS, data: Buffer.from(message) }))
    return frame(stream, RPC.encode({ subscriptions: [], messages: all }))
  }
  await send(Array.from({ length: 2_000 }, (_, i) => `${i} `.padEnd(2_000, 'x')))
  await until(async () => v.judged.length === 2_000)
  await send(['one more'])
  await until(async () => v.judged.length === 2_001)
  expect(v.transport.peers()).toHaveLength(1)
})

test('on one connection there is one stream of it', async () => {
  const v = await listener()
  const peer = await Hostile.start({ chain: CHAIN })
  open.push(() => peer.stop())
  const connection = await peer.node.dial(multiaddr(v.transport.addresses()[0] as string))
  const versions = ['/meshsub/1.2.0', '/meshsub/1.1.0', '/meshsub/1.0.0', '/floodsub/1.0.0']
  const opened = versions.map((version) => connection.newStream(version).then(({ protocol }) => protocol))
  const protocols = (await Promise.allSettled(opened)).flatMap((one) => ('value' in one ? one.value : []))
  expect(protocols).toEqual(['/meshsub/1.2.0'])
})

/** Or it would stay connected, and never be heard again. */
describe('is hung up on, and may come again:', () => {
  const ends: Record<string, (peer: Hostile, address: string) => Promise<unknown>> = {
    'who sends too long a message': (peer) => peer.gossip('blocks', 'x'.repeat(200_000)),
    'who sends too much in one piece': async (peer, address) =>
      (await rawGossip(peer, address)).send(Buffer.from('80808020', 'hex')),
    'whose gossip breaks off': async (peer, address) => (await rawGossip(peer, address)).abort(new Error('too slow')),
  }
  test.each(Object.entries(ends))('%s', async (_, end) => {
    const v = await listener()
    const [peer, address] = [await hostile(), v.transport.addresses()[0] as string]
    await peer.dial(address)
    await peer.gossip('blocks', 'before')
    await until(async () => v.judged.length === 1)
    await end(peer, address)
    await until(async () => v.transport.peers().length === 0 && !peer.connected)
    await peer.dial(address)
    await peer.gossip('blocks', 'after')
    const said = (message: string) => `${peer.node.peerId} ${BLOCKS} ${message}`
    await until(async () => v.judged.length === 2)
    expect(v.judged).toEqual([said('before'), said('after')])
  })
})
