/** Who is dialled, who is remembered, and how little strangers can do about it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from '@bc/core'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerInfo } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../src/http/listen.ts'
import { groupOf, isLoopback, reachOf } from '../src/network/hosts.ts'
import type { NetworkOptions } from '../src/network/join.ts'
import { Copies } from '../src/network/libp2p/copies.ts'
import { createNode, type Node } from '../src/network/libp2p/libp2p-node.ts'
import { Libp2pTransport } from '../src/network/libp2p/libp2p-transport.ts'
import { decodePeers, encode, encodePeers } from '../src/network/messages.ts'
import { Connector, type Dialer } from '../src/network/peers/connector.ts'
import { hostOf, parsePeerAddress } from '../src/network/peers/peer-address.ts'
import { PeerExchange } from '../src/network/peers/peer-exchange.ts'
import { MOST_KNOWN, MOST_OF_A_SOURCE, PeerTable, type Source } from '../src/network/peers/peer-table.ts'
import { readPeers } from '../src/network/peers/stored-peers.ts'
import { machineTime } from '../src/network/time.ts'
import { PeerError, type Transport } from '../src/network/transport.ts'
import { memoryLog } from './support/http-node.ts'
import { genesisSite, networkRules } from './support/network-chain.ts'
import { frame, Hostile } from './support/network-hostile.ts'
import {
  addressOf,
  agree,
  connect,
  mine,
  register,
  resolve,
  startNetworkNode,
  statusOf,
  temporaryFolder,
  until,
} from './support/network-nodes.ts'

function invented(i: number, host = `${1 + (i % 200)}.${(i >> 3) % 256}.${i % 256}.7`): string {
  return `/ip4/${host}/tcp/${1 + (i % 60_000)}/p2p/12D3KooW${i.toString(16).replaceAll('0', 'x').padEnd(44, 'a')}`
}

function table(): PeerTable {
  return new PeerTable({ time: machineTime, clock: () => 1_700_000_000 })
}

function sizeOf(peers: PeerTable): number {
  return [...peers.list()].length
}

describe('the peer table', () => {
  test('ten thousand invented peers of one source take its share and no more', () => {
    const peers = table()
    peers.add(invented(0, '9.9.9.9'), 'peer 9.9.', { metAt: 1_600_000_000 })
    for (let i = 1; i <= 10_000; i++) peers.add(invented(i), 'peer 1.2.')
    expect(sizeOf(peers)).toBe(MOST_OF_A_SOURCE + 1)
    expect(peers.next(() => false)?.address).toBe(invented(0, '9.9.9.9'))
  })

  test('ten thousand of as many sources fill the table, and nobody whom we have met leaves it', () => {
    const peers = table()
    const met = Array.from({ length: 20 }, (_, i) => invented(i, `9.${i}.9.9`))
    for (const address of met) peers.add(address, 'discovery', { metAt: 1_600_000_000 })
    peers.add(invented(99, '8.8.8.8'), 'operator')
    for (let i = 100; i <= 10_000; i++) peers.add(invented(i), `peer ${i}`)
    expect(sizeOf(peers)).toBe(MOST_KNOWN)
    const known = new Set([...peers.list()].map(({ address }) => address))
    for (const address of [...met, invented(99, '8.8.8.8')]) expect(known).toContain(address)
    // And there is room for the operator's still, and for one that we have met elsewhere.
    expect(peers.add(invented(20_001, '7.7.7.7'), 'operator')).toBe(true)
    expect(peers.add(invented(20_002, '6.6.6.6'), 'discovery', { metAt: 1_600_000_000 })).toBe(true)
    expect(sizeOf(peers)).toBeLessThanOrEqual(MOST_KNOWN + 1)
  })

  describe('whom to dial next', () => {
    const [stranger, metOnce, metLately] = [invented(1), invented(2), invented(3)]
    const [named, namedAndMet] = [invented(4), invented(5)]
    let now: number
    let peers: PeerTable

    beforeEach(() => {
      now = 0
      peers = new PeerTable({ time: { ...machineTime, now: () => now }, clock: () => 1_700_000_000 })
      peers.add(stranger, 'discovery')
      peers.add(metOnce, 'discovery', { metAt: 1_699_000_000 })
      peers.add(metLately, 'discovery', { metAt: 1_699_000_001 })
      peers.add(named, 'operator')
      peers.add(namedAndMet, 'operator', { metAt: 1_699_000_000 })
    })

    /** All of them, once each may be dialled again. */
    function order(): string[] {
      now += 300_000
      const found: string[] = []
      const next = () => peers.next(({ address }) => found.includes(address))
      for (let peer = next(); peer; peer = next()) found.push(peer.address)
      return found
    }

    test('the operator’s, those whom we have met, any other; of each whom we met last', () =>
      expect(order()).toEqual([namedAndMet, named, metLately, metOnce, stranger]))

    test('of each who has failed least', () => {
      for (const address of [namedAndMet, metLately]) peers.failed(address)
      expect(order()).toEqual([named, namedAndMet, metOnce, metLately, stranger])
    })

    test.each([
      [7, [namedAndMet, named, metLately, metOnce, stranger]],
      [8, [namedAndMet, named, stranger, metLately, metOnce]],
      [200, [namedAndMet, named, stranger, metLately, metOnce]],
    ])('where all others have failed %i times, strangers last while it may be our own line', (failures, expected) => {
      for (let i = 0; i < failures; i++)
        for (const address of [named, namedAndMet, metOnce, metLately]) peers.failed(address)
      expect(order()).toEqual(expected)
    })
  })

  test('one network, and one peer, have a share as well', () => {
    const peers = table()
    for (let i = 0; i < 10_000; i++) peers.add(invented(i, `5.5.${i % 256}.${i >> 8}`), `peer ${i}`)
    expect(sizeOf(peers)).toBe(128)
    const one = table()
    for (let i = 1; i < 100; i++) one.add(invented(7, `5.${i}.5.5`), `peer ${i}`)
    expect(sizeOf(one)).toBe(2)
  })

  test('who fails is asked less and less, and forgotten unless we have met', () => {
    let now = 0
    const peers = new PeerTable({ time: { ...machineTime, now: () => now }, clock: () => 1_700_000_000 })
    peers.add(invented(1), 'discovery')
    peers.add(invented(2), 'operator')
    peers.add(invented(3), 'discovery', { metAt: 1_699_000_000 })
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      for (const n of [1, 2, 3]) peers.failed(invented(n))
      const before = now
      while (peers.next(({ address }) => address !== invented(3)) === undefined) now += 500
      waits.push(now - before)
    }
    expect(waits.slice(0, 3)).toEqual([2_000, 4_000, 8_000])
    expect(Math.max(...waits)).toBe(300_000)
    expect([...peers.list()].map(({ address }) => address)).toEqual([invented(2), invented(3)])
  })

  test('the operator waits for his own no longer than 15 seconds; whoever has answered is asked again soon', () => {
    let now = 0
    const peers = new PeerTable({ time: { ...machineTime, now: () => now }, clock: () => 1_700_000_000 })
    const [own, other] = [invented(1), invented(2)]
    peers.add(own, 'operator')
    peers.add(other, 'discovery', { metAt: 1_699_000_000 })
    const isDue = (wanted: string) => peers.next(({ address }) => address !== wanted) !== undefined
    for (let i = 0; i < 20; i++) for (const address of [own, other]) peers.failed(address)
    now = 14_999
    expect(isDue(own)).toBe(false)
    now = 15_000
    expect([isDue(own), isDue(other)]).toEqual([true, false])
    peers.met(other)
    expect(isDue(other)).toBe(true)
    peers.failed(other)
    now = 17_000
    expect(isDue(other)).toBe(true)
  })

  test('a full one has room for a stranger where one has failed: who has failed most goes', () => {
    const peers = table()
    for (let i = 1; i <= 2 * MOST_KNOWN; i++) peers.add(invented(i), `peer ${i}`)
    expect(sizeOf(peers)).toBe(MOST_KNOWN)
    expect(peers.add(invented(10_001), 'peer x')).toBe(false)
    for (const i of [7, 9, 9]) peers.failed(invented(i))
    expect(peers.add(invented(10_001), 'peer x')).toBe(true)
    const known = [...peers.list()].map(({ address }) => address)
    expect(known).toHaveLength(MOST_KNOWN)
    expect(known).toContain(invented(7))
    expect(known).not.toContain(invented(9))
  })

  test('who fails and was not met for a month is forgotten as well, so that others find room', () => {
    const peers = new PeerTable({ time: machineTime, clock: () => 1_700_000_000 })
    for (let i = 0; i < MOST_OF_A_SOURCE; i++) peers.add(invented(i), 'discovery', { metAt: 1_697_000_000 })
    expect(peers.add(invented(1_000), 'discovery')).toBe(false)
    for (let i = 0; i < 4; i++) peers.failed(invented(0))
    expect(peers.add(invented(1_000), 'discovery')).toBe(true)
  })

  describe('a peer that has left an address behind at each of its starts', () => {
    const at = (port: number) => invented(7, '5.5.5.5').replace(/tcp\/\d+/, `tcp/${port}`)
    const addresses = (peers: PeerTable) => [...peers.list()].map(({ address }) => address)

    function known(): PeerTable {
      const peers = table()
      for (const [i, port] of [4001, 4002].entries()) peers.add(at(port), 'discovery', { metAt: 1_699_000_000 + i })
      return peers
    }

    test('is believed where it is now', () => {
      const peers = known()
      expect(peers.add(at(4003), 'discovery', { ownWord: true })).toBe(true)
      expect(addresses(peers)).toEqual([at(4002), at(4003)])
      // On two networks it says two at once: the one doesn't displace the other.
      expect(peers.add(at(4004), 'peer 5.5.', { ownWord: true })).toBe(true)
      expect(addresses(peers)).toEqual([at(4003), at(4004)])
    })

    test('is not looked for where others say that it is', () => {
      const peers = known()
      expect(peers.add(at(4003), 'peer 6.6.')).toBe(false)
      expect(addresses(peers)).toEqual([at(4001), at(4002)])
    })

    test('loses neither the place where we have it nor the one that the operator has named', () => {
      const peers = known()
      peers.met(at(4001))
      peers.add(at(4005), 'operator')
      for (let port = 4010; port < 4020; port++) peers.add(at(port), 'discovery', { ownWord: true })
      expect(addresses(peers)).toContain(at(4001))
      expect(addresses(peers)).toContain(at(4005))
      expect(sizeOf(peers)).toBe(3)
    })

    test('is no longer believed where we had it and don’t find it any more', () => {
      const peers = known()
      peers.met(at(4001))
      peers.failed(at(4001))
      for (const port of [4003, 4004]) peers.add(at(port), 'discovery', { ownWord: true })
      expect(addresses(peers)).toEqual([at(4003), at(4004)])
    })

    test('has no more than its network’s share', () => {
      const peers = table()
      for (let i = 100; i < 300; i++) peers.add(invented(i, '5.5.1.1'), `peer ${i}`)
      expect(sizeOf(peers)).toBe(128)
      expect(peers.add(at(4003), 'discovery', { ownWord: true })).toBe(false)
    })
  })

  const NAME = '12D3KooWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'

  test.each(['ip4/1.2.3.4', 'ip6/2001:db8::1', 'dns/node.example', 'dns4/node.example', 'dns6/node.example'])(
    '/%s is where a peer can be, with its name or without',
    (place) => {
      const [kind, host] = place.split('/')
      const found = { host, named: kind?.startsWith('dns') }
      expect(parsePeerAddress(`/${place}/tcp/4001`)).toEqual({ ...found, peer: undefined })
      expect(parsePeerAddress(`/${place}/tcp/4001/p2p/${NAME}`)).toEqual({ ...found, peer: NAME })
      expect(hostOf(`/${place}/tcp/4001`)).toBe(host)
      expect(table().add(`/${place}/tcp/4001/p2p/${NAME}`, 'operator')).toBe(true)
      expect(table().add(`/${place}/tcp/4001`, 'operator')).toBe(false)
    },
  )

  test.each([
    `/ip4/1.2.3.4/udp/1/p2p/${NAME}`,
    `/ip4/1.2.3.4/tcp/0/p2p/${NAME}`,
    `/ip4/1.2.3.4/tcp/65536/p2p/${NAME}`,
    `/ip4/example.org/tcp/1/p2p/${NAME}`,
    `/ip4/1.2.3.4/tcp/1/ws/p2p/${NAME}`,
    'http://1.2.3.4:5000',
    '',
  ])('%j is no address', (address) => expect(parsePeerAddress(address)).toBeUndefined())

  test('networks and distances', () => {
    expect(['1.2.3.4', '1.2.9.9', '2001:db8:1::1', '2001:DB8:2::1'].map(groupOf)).toEqual([
      '1.2.',
      '1.2.',
      '2001:db8',
      '2001:db8',
    ])
    expect(
      ['127.0.0.1', '::1', '0.0.0.0', '10.1.1.1', '172.20.0.1', 'fe80::1', '8.8.8.8', '172.40.0.1'].map(reachOf),
    ).toEqual([0, 0, 0, 1, 1, 1, 2, 2])
  })

  test.each([
    ['127.0.0.1', 0, ['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:7F00:0001', '0:0:0:0:0:ffff:7f00:1']],
    ['::1', 0, ['0:0:0:0:0:0:0:1', '0000::0001', '::0:1']],
    ['::', 0, ['0:0:0:0:0:0:0:0', '::0', '::ffff:0.0.0.0']],
    ['10.1.2.3', 1, ['::ffff:10.1.2.3', '::ffff:a01:203', '0::ffff:0a01:0203']],
    ['fe80::1', 1, ['FE80::1', 'fe80:0::1', 'fe80::1%eth0', 'febf::1']],
    ['fd00::1', 1, ['FD00:0:0::1', 'fd00:0:0:0:0:0:0:1', 'fc12::1']],
    ['fc:1::1', 2, ['00FC:1::1', 'fc:1:0::1']],
    ['fe8::1', 2, ['0FE8::1', 'fe8:0::1']],
    ['8.8.8.8', 2, ['::ffff:8.8.8.8', '::ffff:808:808']],
    ['2001:0:1::1', 2, ['2001::1:0:0:0:0:1', '2001:0000:0001::1']],
  ] as const)('%s is as far away however it is written', (plain, reach, spellings) => {
    for (const host of [plain, ...spellings]) expect(reachOf(host), host).toBe(reach)
    for (const host of spellings) expect(isLoopback(host), host).toBe(isLoopback(plain))
    for (const host of spellings.slice(0, 2)) expect(groupOf(host), host).toBe(groupOf(plain))
  })
})

describe('what peers tell each other', () => {
  const NOW = 1_700_000_000
  const WEEK = 7 * 24 * 3600
  const [far, near, here] = [invented(1, '1.2.3.4'), invented(2, '10.0.0.9'), invented(3, '127.0.0.1')]
  const named = invented(4, 'node.example').replace('ip4', 'dns')
  const reaches = [
    ['8.8.8.8', [far]],
    ['10.0.0.5', [far, near]],
    ['127.0.0.1', [far, near, here]],
  ] as const

  /** @param host where the other one is */
  function exchange(host: string) {
    const peers = table()
    const handlers: Parameters<Transport['serve']>[1][] = []
    let told: readonly string[] = []
    const transport = {
      ownerOf: (peer: string) => peer,
      serve: (_: string, handler: (typeof handlers)[0]) => handlers.push(handler),
      async *request() {
        yield encodePeers(told)
      },
    } as unknown as Transport
    const clocks = { time: machineTime, clock: () => NOW }
    const addressOf = () => `/ip4/${host}/tcp/1`
    const one = new PeerExchange({ chain: 'c'.repeat(64) as Hash, table: peers, transport, addressOf, ...clocks })
    one.serve()
    const met = (address: string, metAt = NOW) => peers.add(address, 'discovery', { metAt })
    const ask = async (peer = 'somebody') => {
      for await (const answer of handlers[0]?.(peer, encode({})) ?? []) return decodePeers(answer)
      return undefined
    }
    const hear = async (addresses: readonly string[]) => {
      told = addresses
      await one.askFor('somebody', host)
      return [...peers.list()].map(({ address }) => address)
    }
    return { met, ask, hear }
  }

  test.each(reaches)('somebody at %s is sent no nearer to himself than we are', async (host, expected) => {
    const { met, ask } = exchange(host)
    for (const address of [named, far, near, here]) met(address)
    expect(await ask()).toEqual(expected)
  })

  test.each(reaches)('somebody at %s sends us no nearer to ourselves than he is', async (host, expected) =>
    expect(await exchange(host).hear([named, far, near, here])).toEqual(expected),
  )

  test('of whom we have met within a week, and not of whoever asks', async () => {
    const { met, ask } = exchange('8.8.8.8')
    const asker = invented(4)
    met(invented(1), NOW - WEEK)
    met(invented(2), NOW - WEEK + 1)
    met(invented(3), 0)
    met(asker)
    expect(await ask(parsePeerAddress(asker)?.peer)).toEqual([invented(2)])
  })

  test('of 32 at the most, those whom we have met last', async () => {
    const { met, ask } = exchange('8.8.8.8')
    for (let i = 0; i < 60; i++) met(invented(i), NOW - i - (i % 2) * 1_000)
    const even = Array.from({ length: 30 }, (_, i) => invented(2 * i))
    expect(await ask()).toEqual([...even, invented(1), invented(3)])
  })
})

describe('the peers of the last stop', () => {
  function read(stored: readonly { readonly address: string; readonly source: Source; readonly metAt: number }[]) {
    const file = join(temporaryFolder(), 'peers.json')
    writeFileSync(file, JSON.stringify({ peers: stored }), { mode: 0o600 })
    const peers = table()
    readPeers(file, peers)
    return peers
  }

  test('find room before those whom we had met earlier', () => {
    const stored = Array.from({ length: 100 }, (_, i) => ({
      address: invented(i),
      source: 'discovery' as const,
      metAt: 1_699_000_000 + i,
    }))
    const latest = stored.slice(-MOST_OF_A_SOURCE).map(({ address }) => address)
    expect([...read(stored).list()].map(({ address }) => address)).toEqual(latest.reverse())
  })

  test('are not the operator’s any more', () => {
    const peers = read([
      { address: invented(1), source: 'operator', metAt: 1_699_000_000 },
      { address: invented(2), source: 'discovery', metAt: 1_699_000_001 },
    ])
    expect(peers.next(() => false)?.address).toBe(invented(2))
  })

  test.each(['', '{"peers": [', '7', `"${'x'.repeat(1_000_000)}"`])(
    'are found again where nothing of them is left',
    (text) => {
      const file = join(temporaryFolder(), 'peers.json')
      writeFileSync(file, text, { mode: 0o600 })
      const peers = table()
      readPeers(file, peers)
      expect(sizeOf(peers)).toBe(0)
    },
  )
})

describe('the connector', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const answers = async (address: string) => parsePeerAddress(address)?.peer as string
  const isSilent = () => new Promise<never>(() => {})
  const inventedIn = (network: string) => Array.from({ length: 12 }, (_, i) => invented(i, `${network}.1.${i}`))

  /** @returns whom it has dialled after so many looks around that it would have dialled all */
  async function dialled(
    peers: { readonly known?: readonly string[]; readonly source?: Source; readonly named?: readonly string[] },
    dial: (address: string, before: number) => Promise<string>,
  ): Promise<string[]> {
    const addresses: string[] = []
    const connected = new Map<string, string>()
    const dialer: Dialer = {
      self: 'us',
      peers: () => [...connected.keys()],
      directionOf: () => 'outbound',
      addressOf: (peer) => connected.get(peer),
      refuses: () => false,
      async dial(address) {
        const peer = await dial(address, addresses.push(address) - 1)
        connected.set(peer, address)
        return peer
      },
    }
    const waiting: (() => void)[] = []
    const sleep = () => new Promise<void>((resolve) => waiting.push(resolve))
    const known = table()
    for (const address of peers.known ?? []) known.add(address, peers.source ?? 'discovery')
    const modules = { table: known, dialer, onConnected: async () => undefined, log: memoryLog().log }
    const connector = new Connector({ ...modules, time: { ...machineTime, sleep } })
    connector.start(peers.named ?? [])
    for (let look = 0; look < 20; look++) {
      await turn()
      for (const wake of waiting.splice(0)) wake()
    }
    connector.close()
    return addresses
  }

  test.each([
    ['who answers', answers],
    ['who is silent', isSilent],
  ])('chooses two of one network: %s', async (_, dial) =>
    expect(await dialled({ known: inventedIn('5.5') }, dial)).toHaveLength(2),
  )

  test('chooses eight, and counts who is silent among them', async () => {
    const known = Array.from({ length: 20 }, (_, i) => invented(i))
    expect(await dialled({ known }, answers)).toHaveLength(8)
    const six = (address: string, before: number) => (before < 6 ? answers(address) : isSilent())
    expect(await dialled({ known }, six)).toHaveLength(8)
  })

  test('chooses as many as that of our own network', async () =>
    expect(await dialled({ known: inventedIn('10.5') }, answers)).toHaveLength(8))

  test('dials all of the operator’s, in whatever network', async () =>
    expect(await dialled({ known: inventedIn('5.5'), source: 'operator' }, answers)).toHaveLength(12))

  test.each([
    ['once, asks again', 1, 2],
    ['twice in a row, gives up', 2, 2],
  ])('who finds itself %s', async (_, times, dials) => {
    const dial = async (_: string, before: number) => {
      if (before < times) throw new PeerError('self', 'it is this node itself')
      return 'another'
    }
    expect(await dialled({ named: ['/ip4/127.0.0.1/tcp/1'] }, dial)).toHaveLength(dials)
  })
})

describe('a node among peers', () => {
  test('finds its neighbour again after a cut, and after a restart of its own, without being told', async () => {
    const port = await freePort('127.0.0.1')
    const [dataA, dataB] = [temporaryFolder(), temporaryFolder()]
    const startB = () => startNetworkNode({ dataDirectory: dataB, network: { port } })
    let a = await startNetworkNode({ dataDirectory: dataA })
    let b = await startB()
    await connect(a, await addressOf(b))
    await mine(a)
    await agree([a, b])
    await b.stop()
    await until(async () => (await statusOf(a)).peers === 0)
    await mine(a)
    b = await startB()
    expect((await agree([a, b])).height).toBe(3)
    await a.stop()
    expect(statSync(join(dataA, 'neighbours.json')).mode & 0o777).toBe(0o600)
    await mine(b)
    a = await startNetworkNode({ dataDirectory: dataA })
    expect((await agree([a, b])).height).toBe(4)
    expect(await (await fetch(`${a.url}/nodes`)).json()).toMatchObject({ length: 1 })
  })

  test('finds a neighbour that it knows by its URL under another peer address', async () => {
    const a = await startNetworkNode()
    const port = await freePort('127.0.0.1')
    const first = await startNetworkNode({ port })
    await connect(a, first)
    await first.stop()
    await until(async () => (await statusOf(a)).peers === 0)
    await mine(a)
    const second = await startNetworkNode({ port })
    expect((await agree([a, second])).height).toBe(2)
  })

  test('asked to catch up now it looks for a neighbour that was gone when it last looked', async () => {
    const { log, logged } = memoryLog('info')
    const a = await startNetworkNode({ log })
    const port = await freePort('127.0.0.1')
    const first = await startNetworkNode({ port })
    await connect(a, first)
    await first.stop()
    // After the second look it waits for 8 seconds.
    await until(async () => logged().split('A neighbour is out of reach.').length > 2, 30_000)
    const second = await startNetworkNode({ port })
    await addressOf(second)
    const tip = await mine(second)
    expect(await resolve(a)).toBe('Our chain was replaced')
    expect(await statusOf(a)).toMatchObject({ tip, peers: 1 })
  })

  test('asked to catch up now it finds whoever has a neighbour’s address by now, also where that one is elsewhere', async () => {
    const [port, dataDirectory] = [await freePort('127.0.0.1'), temporaryFolder()]
    const b = await startNetworkNode()
    const a = await startNetworkNode({ port, dataDirectory })
    await connect(b, a)
    await a.stop()
    await until(async () => (await statusOf(b)).peers === 0)
    await startNetworkNode({ dataDirectory, network: { peers: [await addressOf(b)] } })
    await until(async () => (await statusOf(b)).peers === 1)
    const c = await startNetworkNode({ port })
    await addressOf(c)
    const tip = await mine(c)
    await resolve(b)
    expect(await statusOf(b)).toMatchObject({ tip, peers: 2 })
  })

  test('asked to catch up now it meets the peer that has a tutorial node’s address by now', async () => {
    const server = createServer(({ url }, response) => {
      if (url === '/chain') response.end(`{"chain": [${genesisSite().texts[0]}], "length": 1}`)
      else response.writeHead(404).end()
    })
    const port = await freePort('127.0.0.1')
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const a = await startNetworkNode()
    expect(await register(a, [`127.0.0.1:${port}`])).toMatchObject({ status: 201 })
    await new Promise((resolve) => server.close(resolve))
    const b = await startNetworkNode({ port })
    await addressOf(b)
    await resolve(a)
    expect(await statusOf(a)).toMatchObject({ peers: 1 })
  })

  test('dials what was named at its start until it is there, with the peer’s name or without', async () => {
    const [p, q] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')]
    const data = temporaryFolder()
    const early = await startNetworkNode({ dataDirectory: data, network: { port: p } })
    const full = await addressOf(early)
    await early.stop()
    const a = await startNetworkNode({ network: { peers: [full, `/ip4/127.0.0.1/tcp/${q}`] } })
    await delay(500)
    await startNetworkNode({ dataDirectory: data, network: { port: p } })
    await startNetworkNode({ network: { port: q } })
    await until(async () => (await statusOf(a)).peers === 2)
  })

  test.each(['/dns4/localhost', '/dns/localhost'])(
    'dials what was named as %s again when it was gone',
    async (place) => {
      const port = await freePort('127.0.0.1')
      const startNamed = () => startNetworkNode({ dataDirectory, network: { port } })
      const dataDirectory = temporaryFolder()
      const named = await startNamed()
      const node = await startNetworkNode({ network: { peers: [`${place}/tcp/${port}`] } })
      await until(async () => (await statusOf(node)).peers === 1)
      await named.stop()
      await until(async () => (await statusOf(node)).peers === 0)
      await startNamed()
      await until(async () => (await statusOf(node)).peers === 1)
    },
  )

  test('meets whoever answers at an address without a name, also another than before', async () => {
    const port = await freePort('127.0.0.1')
    const first = await startNetworkNode({ network: { port } })
    const a = await startNetworkNode({ network: { peers: [`/ip4/127.0.0.1/tcp/${port}`] } })
    await until(async () => (await statusOf(a)).peers === 1)
    await first.stop()
    await until(async () => (await statusOf(a)).peers === 0)
    const second = await startNetworkNode({ network: { port } })
    await until(async () => (await statusOf(a)).peers === 1)
    expect((await statusOf(second)).peers).toBe(1)
  }, 60_000)

  test('starts with what is left of its peers', async () => {
    const dataDirectory = temporaryFolder()
    const junk = {
      peers: [
        ...[1, null, { address: 'x', source: 'operator', metAt: 1 }, { address: 5 }],
        // A name that looks like one, and is none: libp2p throws for it.
        { address: `/ip4/127.0.0.1/tcp/1/p2p/${'2'.repeat(46)}`, source: 'discovery', metAt: 1 },
      ],
    }
    writeFileSync(join(dataDirectory, 'peers.json'), JSON.stringify(junk))
    const node = await startNetworkNode({ dataDirectory, rules: { miningReward: 60 }, network: { discovery: true } })
    expect((await statusOf(node)).height).toBe(1)
    // Before that it knows of no peers that it would have to keep.
    await until(async () => (await statusOf(node)).p2p.length > 0)
    await node.stop()
    const kept = JSON.parse(readFileSync(join(dataDirectory, 'peers.json'), 'utf8'))
    expect(kept).toEqual({ peers: junk.peers.slice(-1) })
  })

  test('without discovery dials nobody whom it found with it, and keeps them for later', async () => {
    const rules = { miningReward: 59 }
    const [found, named] = [await startNetworkNode({ rules }), await startNetworkNode({ rules })]
    const dataDirectory = temporaryFolder()
    const start = (discovery: boolean, peers: readonly string[] = []) =>
      startNetworkNode({ rules, dataDirectory, network: { discovery, peers } })
    const kept = () => readFileSync(join(dataDirectory, 'peers.json'), 'utf8')
    const first = await start(true, [await addressOf(found)])
    await until(async () => (await statusOf(first)).peers === 1)
    await first.stop()
    expect(statSync(join(dataDirectory, 'peers.json')).mode & 0o777).toBe(0o600)
    const before = kept()
    expect(before).toContain(await addressOf(found))
    const alone = await start(false, [await addressOf(named)])
    await until(async () => (await statusOf(named)).peers === 1)
    expect(await statusOf(found)).toMatchObject({ peers: 0 })
    await alone.stop()
    expect(kept()).toBe(before)
    const again = await start(true)
    await until(async () => (await statusOf(found)).peers === 1)
    await again.stop()
  })

  describe('that was started from a copy of another’s directory', () => {
    const WARNING = "Another node has this one's peer-key: delete `peer-key` in the copy."
    const rules = { miningReward: 64 }

    /** Two nodes of one name, and what the first has logged. */
    async function twins(first: Partial<NetworkOptions> = {}, second: Partial<NetworkOptions> = {}) {
      const { log, logged } = memoryLog('info')
      const folders = [temporaryFolder(), temporaryFolder()] as const
      for (const folder of folders) writeFileSync(join(folder, 'peer-key'), 'ab'.repeat(32), { mode: 0o600 })
      const copy = await startNetworkNode({ rules, dataDirectory: folders[1], network: second })
      await addressOf(copy)
      const node = await startNetworkNode({ rules, dataDirectory: folders[0], network: first, log })
      await addressOf(node)
      return { node, copy, warnings: () => logged().split(WARNING).length - 1, logged }
    }

    test('says so where the other is registered, and once in its log', async () => {
      const { node, copy, warnings } = await twins()
      for (const name of [copy.url, await addressOf(copy)])
        expect(await register(node, [name])).toMatchObject({
          status: 400,
          body: expect.stringContaining('in the copy'),
        })
      expect(warnings()).toBe(1)
    })

    test('says so where the other is named at its start, with its name or without', async () => {
      const port = await freePort('127.0.0.1')
      const place = `/ip4/127.0.0.1/tcp/${port}`
      const { peer = '' } = parsePeerAddress(await addressOf((await twins()).node)) ?? {}
      for (const address of [place, `${place}/p2p/${peer}`]) {
        const { copy, warnings } = await twins({ peers: [address] }, { port })
        await until(async () => warnings() === 1)
        await copy.stop()
      }
    })

    test('is none of a third node’s neighbours where the other is one, and that node says why', async () => {
      const { node, copy } = await twins()
      const dataDirectory = temporaryFolder()
      const third = await startNetworkNode({ rules, dataDirectory })
      await addressOf(third)
      const refused = { status: 400, body: expect.stringContaining('in the copy') }
      expect(await register(third, [node.url, copy.url])).toMatchObject(refused)
      expect(await (await fetch(`${third.url}/nodes`)).json()).toMatchObject({ length: 0 })
      const first = await until(async () => {
        for (const one of [node, copy]) if ((await statusOf(one)).peers > 0) return one
        return undefined
      })
      const second = first === node ? copy : node
      for (let i = 0; i < 2; i++) {
        expect(await register(third, [first.url])).toMatchObject({ status: 201 })
        expect(await register(third, [second.url])).toMatchObject(refused)
      }
      expect(await statusOf(second)).toMatchObject({ peers: 0 })
      await third.stop()
      const neighbours = { neighbours: [node.url, copy.url] }
      writeFileSync(join(dataDirectory, 'neighbours.json'), JSON.stringify(neighbours))
      const { log, logged } = memoryLog('info')
      await startNetworkNode({ rules, dataDirectory, log })
      await until(async () => logged().includes('in the copy'))
    })

    test('says so where it finds the other on the local network (mDNS)', async (context) => {
      const { warnings } = await twins({ discovery: true }, { discovery: true })
      const third = await startNetworkNode({ rules, network: { discovery: true } })
      const found = await until(async () => (await statusOf(third)).peers > 0, 25_000).catch(() => false)
      if (!found) context.skip('no multicast on this machine')
      await until(async () => warnings() === 1)
    })
  })

  test('logs no address of a copy that would draw on a terminal: anybody on the local network may tell one', async () => {
    const id = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const { log, logged } = memoryLog('info')
    const copies = new Copies(log)
    const notice = (...texts: string[]) => copies.notice({ id, multiaddrs: texts.map(multiaddr) }, id.toString(), [])
    notice('/dns4/\u009b31mEVIL/tcp/1')
    expect(logged()).toBe('')
    notice('/dns4/\u009b31mEVIL/tcp/1', '/ip4/10.0.0.7/tcp/4001')
    expect(JSON.parse(logged())).toMatchObject({ address: `/ip4/10.0.0.7/tcp/4001/p2p/${id}` })
  })

  test('takes itself for no copy, by whatever address it is named', async () => {
    const { log, logged } = memoryLog('info')
    const port = await freePort('127.0.0.1')
    const peers = [`/ip4/127.0.0.3/tcp/${port}`]
    const node = await startNetworkNode({ host: '0.0.0.0', network: { port, peers }, log })
    const { peer } = parsePeerAddress(await addressOf(node)) ?? {}
    for (const name of [node.url, `/ip4/127.0.0.2/tcp/${port}`, `/ip4/127.0.0.2/tcp/${port}/p2p/${peer}`])
      expect(await register(node, [name])).toMatchObject({
        status: 400,
        body: expect.stringContaining('this node itself'),
      })
    await until(async () => logged().includes('this node itself'))
    expect(logged()).not.toContain('in the copy')
  })

  test('hears of others from its peers, and makes connections of its own', async () => {
    const rules = { miningReward: 61 }
    const network = { discovery: true }
    const [a, b, c] = [
      await startNetworkNode({ rules, network }),
      await startNetworkNode({ rules, network }),
      await startNetworkNode({ rules, network }),
    ]
    await connect(b, await addressOf(a))
    await connect(c, await addressOf(b))
    await until(async () => (await statusOf(a)).peers === 2 && (await statusOf(c)).peers === 2)
  })

  test('a peer that tells of thousands of others wins nothing', async () => {
    const rules = { miningReward: 62 }
    const chain = genesisSite(networkRules(rules)).chain
    const dataDirectory = temporaryFolder()
    const node = await startNetworkNode({ rules, dataDirectory, network: { discovery: true } })
    const friend = await startNetworkNode({ rules })
    await connect(node, await addressOf(friend))
    for (let round = 0; round < 6; round++) {
      // More than may be told; as many as may be told; addresses on this machine, where services listen.
      const lists = [
        Array.from({ length: 10_000 }, (_, i) => invented(i)),
        Array.from({ length: 32 }, (_, i) => invented(round * 100 + i)),
        Array.from({ length: 32 }, (_, i) => invented(round * 100 + i, '10.0.0.1')),
      ]
      const peers = encode({ peers: lists[round % 3] as string[] })
      const liar = await Hostile.start({ chain, answers: { peers: (stream) => frame(stream, peers) } })
      await connect(node, liar.address)
      await liar.stop()
    }
    await mine(friend)
    await agree([node, friend])
    await node.stop()
    const { peers } = JSON.parse(readFileSync(join(dataDirectory, 'peers.json'), 'utf8'))
    expect(peers.length).toBeLessThanOrEqual(2 * MOST_OF_A_SOURCE)
    expect(peers.some(({ metAt }: { metAt: number }) => metAt > 0)).toBe(true)
  })

  test('two nodes on one network find each other (mDNS)', async (context) => {
    const rules = { miningReward: 63 }
    const [a, b] = [
      await startNetworkNode({ rules, network: { discovery: true } }),
      await startNetworkNode({ rules, network: { discovery: true } }),
    ]
    const found = await until(async () => (await statusOf(a)).peers === 1, 25_000).catch(() => false)
    if (!found) context.skip('no multicast on this machine')
    const tip = await mine(b)
    await until(async () => (await statusOf(a)).tip === tip)
  })
})

describe('in libp2p’s own books, which have no end, nobody is', () => {
  const CHAIN = 'c'.repeat(64) as Hash
  const some = (discovery: boolean) => {
    const seed = crypto.getRandomValues(new Uint8Array(32))
    return { chain: CHAIN, seed, host: '127.0.0.1', port: 0, discovery }
  }
  const booked = async (node: Node) => (await node.peerStore.all()).map(({ id }) => id.toString())

  test('who was found on the local network (mDNS)', async (context) => {
    const found: string[] = []
    const lookout = (peer: PeerInfo) => void found.push(peer.id.toString())
    const door = { refuses: () => false, knocked: () => undefined, found: lookout, timesUnheard: () => 0 }
    const [a, b] = await Promise.all([createNode(some(true), door), createNode(some(true), door)])
    try {
      await Promise.all([a.start(), b.start()])
      const other = await until(async () => found.length > 0, 25_000).catch(() => false)
      if (!other) context.skip('no multicast on this machine')
      // Libp2p writes down whom it hears of at once.
      await delay(500)
      for (const node of [a, b]) for (const id of found) expect(await booked(node)).not.toContain(id)
    } finally {
      await Promise.all([a.stop(), b.stop()])
    }
  }, 40_000)

  test('who was dialled in vain', async () => {
    const transport = await Libp2pTransport.create({ ...some(false), maxMessageBytes: 1_000, log: memoryLog().log })
    const node: Node = Reflect.get(transport, 'node')
    const nobody = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    await transport.open()
    try {
      const port = await freePort('127.0.0.1')
      const dial = transport.dial(`/ip4/127.0.0.1/tcp/${port}/p2p/${nobody}`)
      await expect(dial).rejects.toMatchObject({ fault: 'gone' })
      expect(await booked(node)).toContain(nobody)
      await until(async () => !(await booked(node)).includes(nobody))
    } finally {
      await transport.close()
    }
  })

  test('who has gossiped and is gone', async () => {
    const door = { refuses: () => false, knocked: () => undefined, found: () => undefined, timesUnheard: () => 0 }
    const node = await createNode(some(false), door)
    const peer = await Hostile.start({ chain: CHAIN, gossip: true })
    await node.start()
    try {
      const scored: Map<string, unknown> = Reflect.get(node.services.pubsub, 'score').peerStats
      await peer.dial(String(node.getMultiaddrs()[0]))
      await until(async () => scored.size === 1)
      await peer.stop()
      await until(async () => scored.size === 0)
    } finally {
      await Promise.all([node.stop(), peer.stop()])
    }
  })
})
