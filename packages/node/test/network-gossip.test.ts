/** What libp2p makes of gossip: judges that say what the test wants, over real sockets. */
import { networkInterfaces } from 'node:os'
import type { Hash } from '@bc/core'
import { afterEach, describe, expect, test } from 'vitest'
import { Libp2pTransport } from '../src/network/libp2p-transport.ts'
import { protocolName, topicName } from '../src/network/messages.ts'
import type { PeerId, Verdict } from '../src/network/transport.ts'
import { memoryLog } from './support/http-node.ts'
import { until } from './support/network-nodes.ts'

const CHAIN = 'c'.repeat(64) as Hash
const [BLOCKS, TRANSACTIONS] = [topicName(CHAIN, 'blocks'), topicName(CHAIN, 'transactions')]

const open: Libp2pTransport[] = []
afterEach(() => Promise.all(open.splice(0).map((transport) => transport.close())))

interface Listener {
  readonly transport: Libp2pTransport
  /** `<sender> <topic> <message>` of each that was judged. */
  readonly judged: string[]
}

async function listener(judge: (from: PeerId) => Verdict = () => 'accept', host = '127.0.0.1'): Promise<Listener> {
  const options = { chain: CHAIN, seed: crypto.getRandomValues(new Uint8Array(32)), host, port: 0, discovery: false }
  const transport = await Libp2pTransport.create({ ...options, maxMessageBytes: 100_000, log: memoryLog().log })
  open.push(transport)
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
