/** Who is let in, who is not, and how many: those too who hold back what they would say until there are many of them. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from '@bc/core'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { Bans } from '../src/network/libp2p/bans.ts'
import { type Comer, Inbound, MOST_INBOUND } from '../src/network/libp2p/inbound.ts'
import { createNode, type Node } from '../src/network/libp2p/libp2p-node.ts'
import { Hostile, type HostileOptions } from './support/network-hostile.ts'
import { until } from './support/network-nodes.ts'

const CHAIN = 'c'.repeat(64) as Hash

type Host = (i: number) => string

class Connection extends EventTarget {
  readonly remoteAddr

  constructor(host: string) {
    super()
    this.remoteAddr = multiaddr(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/1`)
  }

  close(): void {
    this.dispatchEvent(new Event('close'))
  }
}

describe('those who come in', () => {
  const comers = (count: number, host: Host) => Array.from({ length: count }, (_, i) => new Connection(host(i)))
  const begin = (inbound: Inbound, all: readonly Connection[]) => all.filter((one) => inbound.begin(one as Comer))
  const enter = (inbound: Inbound, all: readonly Connection[]) => all.filter((one) => inbound.enter(one as Comer))

  test.each<[string, Host]>([
    ['one address', () => '192.0.2.7'],
    ['one network of IPv6', (i) => `2001:db8:${i}::1`],
  ])('from %s have half of the places, as soon as they have begun', (_, host) => {
    const inbound = new Inbound()
    const begun = begin(inbound, comers(MOST_INBOUND, host))
    expect(begun).toHaveLength(MOST_INBOUND / 2)
    expect(enter(inbound, begun)).toHaveLength(MOST_INBOUND / 2)
    expect(begin(inbound, comers(1, host))).toEqual([])
    expect(
      begin(
        inbound,
        comers(1, () => '198.51.100.1'),
      ),
    ).toHaveLength(1)
    begun[0]?.close()
    expect(begin(inbound, comers(2, host))).toHaveLength(1)
  })

  test.each<[string, Host]>([
    ['this machine', () => '127.0.0.1'],
    ['everywhere', (i) => `10.0.0.${i}`],
  ])('from %s have all of the places, also where more have begun', (_, host) => {
    const inbound = new Inbound()
    const begun = begin(inbound, comers(MOST_INBOUND + 4, host))
    expect(begun).toHaveLength(MOST_INBOUND + 4)
    expect(enter(inbound, begun)).toHaveLength(MOST_INBOUND)
    for (const other of ['127.0.0.1', '198.51.100.1'])
      expect(
        begin(
          inbound,
          comers(1, () => other),
        ),
      ).toEqual([])
    begun[0]?.close()
    expect(enter(inbound, begun.slice(-1))).toHaveLength(1)
  })

  test('and say nothing take no place from those of elsewhere', () => {
    const inbound = new Inbound()
    begin(
      inbound,
      comers(2 * MOST_INBOUND, (i) => `192.0.2.${i % 4}`),
    )
    const honest = comers(1, () => '198.51.100.1')
    expect(enter(inbound, begin(inbound, honest))).toEqual(honest)
  })

  test('and are gone before they have said who they are have none', () => {
    const inbound = new Inbound()
    const [gone] = begin(
      inbound,
      comers(1, () => '192.0.2.7'),
    )
    gone?.close()
    expect(inbound.enter(gone as Comer)).toBe(false)
  })
})

describe('a ban', () => {
  const banned = '12D3KooWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'

  test.each([
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.8']],
    ['2001:db8::1', ['2001:db8::2', '2001:DB8:0:0:ffff:1:2:3', '2001:db8::'], ['2001:db8:0:1::1', '2001:db9::1']],
    ['2001:db8:1:2:3:4:5:6', ['2001:db8:1:2::1', '2001:db8:1:2:ffff::'], ['2001:db8:1:3:3:4:5:6']],
    ['2001:db8:1::1', ['2001:db8:1:0:5::', '2001:db8:1:0:1:2:3:4'], ['2001:db8::1', '2001:db8:1:1::1']],
    // One's own network is full of others.
    ['fe80::1', ['fe80::1%eth0'], ['fe80::2']],
    ['fd00::1', ['FD00:0::1'], ['fd00::2']],
    [banned, [banned], [banned.replace('a', 'b')]],
  ])('of %s is one of whatever is the same owner’s, and of nobody else', (name, same, others) => {
    const bans = new Bans()
    bans.add(name, 60_000)
    for (const one of [name, ...same]) expect(bans.has(one), one).toBe(true)
    for (const one of others) expect(bans.has(one), one).toBe(false)
  })
})

test('a ban of a neighbour, who is in one subnet with us, is one of his address alone', () => {
  const bans = new Bans(() => ['192.0.2.1', '2001:db8:1:2::1'])
  for (const liar of ['2001:db8:1:2::7', '2001:db8:1:3::7']) bans.add(liar, 60_000)
  const met = ['2001:db8:1:2::7', '2001:db8:1:2::8', '2001:db8:1:3::7', '2001:db8:1:3::8']
  expect(met.map((host) => bans.has(host))).toEqual([true, false, true, true])
})

const closing: (() => unknown)[] = []
afterEach(() => Promise.all(closing.splice(0).map((close) => close())))

interface Opened {
  readonly node: Node
  /** How many connections others have begun. */
  readonly tried: () => number
}

async function openNode(): Promise<Opened> {
  let knocks = 0
  const options = { chain: CHAIN, seed: crypto.getRandomValues(new Uint8Array(32)), host: '0.0.0.0', port: 0 }
  const door = { refuses: () => false, knocked: () => knocks++, found: () => undefined, timesUnheard: () => 0 }
  const node = await createNode({ ...options, discovery: false }, door)
  await node.start()
  closing.push(() => node.stop())
  return { node, tried: () => knocks }
}

async function hostiles(count: number, options: Partial<HostileOptions> = {}): Promise<Hostile[]> {
  const all = await Promise.all(Array.from({ length: count }, () => Hostile.start({ chain: CHAIN, ...options })))
  closing.push(...all.map((one) => () => one.stop()))
  return all
}

/** Each dials so often, by ways on which nothing gets through until all have begun; then everything at once. */
async function dialTogether(dialers: readonly Hostile[], times: number, node: Node, from: Host): Promise<void> {
  const port = Number(String(node.getMultiaddrs()[0]).split('/')[4])
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const dials: unknown[] = []
  for (let i = 0; i < dialers.length * times; i++) {
    const near: Server = createServer({ pauseOnConnect: true }, (socket) => {
      const localAddress = from(i)
      const far = connect({ host: localAddress, port, localAddress })
      for (const [one, other] of [
        [socket, far],
        [far, socket],
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
      void gate.then(() => socket.pipe(far).pipe(socket))
    })
    await once(near.listen(0, '127.0.0.1'), 'listening')
    const way = `/ip4/127.0.0.1/tcp/${(near.address() as AddressInfo).port}`
    const dial = dialers[i % dialers.length]?.dial(way)
    dials.push(dial?.catch(() => undefined).then(() => near.close()))
    // One address may begin twenty in a second.
    await delay(55)
  }
  open()
  await Promise.all(dials)
  await until(async () => node.getConnections().length > 0)
  // Those who shouldn't be in would be by now.
  await delay(500)
}

const outside = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

describe('of those who hold back what they say, and then say it together', () => {
  const hereOf = (node: Node) => String(node.getMultiaddrs().find((one) => /127\.0\.0\.1/.test(String(one))))
  const isIn = ({ node: { peerId } }: Hostile, node: Node) => node.getConnections(peerId).length > 0

  test('no more come in than there are places, and others once they are gone', async () => {
    const { node, tried } = await openNode()
    const all = await hostiles(MOST_INBOUND / 2 + 2)
    await dialTogether(all, 2, node, () => '127.0.0.1')
    expect(tried()).toBeGreaterThan(MOST_INBOUND)
    expect(node.getConnections().length).toBeLessThanOrEqual(MOST_INBOUND)
    await Promise.all(all.map((one) => one.stop()))
    await until(async () => node.getConnections().length === 0)
    const [honest] = (await hostiles(1)) as [Hostile]
    await honest.dial(hereOf(node))
    await until(async () => isIn(honest, node))
  }, 40_000)

  test.each(['at once', 'later'])(
    'no more come in of one peer than two: how it goes on it says %s',
    async (when) => {
      const { node, tried } = await openNode()
      await dialTogether(await hostiles(1, { muxerLater: when === 'later' }), 8, node, () => '127.0.0.1')
      expect(tried()).toBe(8)
      expect(node.getConnections()).toHaveLength(2)
    },
    30_000,
  )

  test.skipIf(outside === undefined)(
    'half of the places are for those of one address',
    async () => {
      const { node, tried } = await openNode()
      await dialTogether(await hostiles(MOST_INBOUND / 4 + 3), 2, node, () => outside as string)
      expect(tried()).toBeGreaterThan(MOST_INBOUND / 2)
      expect(node.getConnections().length).toBeLessThanOrEqual(MOST_INBOUND / 2)
      const [honest] = (await hostiles(1)) as [Hostile]
      await honest.dial(hereOf(node))
      await until(async () => isIn(honest, node))
    },
    30_000,
  )
})
