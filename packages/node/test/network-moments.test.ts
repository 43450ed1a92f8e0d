/** The network above its transport, where one thing ends at the moment at which another begins. */
import {
  type Block,
  canonicalJson,
  commitmentTo,
  type Hash,
  type JsonObject,
  type JsonValue,
  merkleRoot,
  proofOf,
  sha256Hex,
} from '@bc/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Libp2pTransport } from '../src/network/libp2p/libp2p-transport.ts'
import { encodeStatus, protocolName, topicName } from '../src/network/messages.ts'
import { Neighbours } from '../src/network/neighbours/neighbours.ts'
import { Network } from '../src/network/network.ts'
import { machineTime } from '../src/network/time.ts'
import { PeerError, type PeerListener, type Transport } from '../src/network/transport.ts'
import { ALICE, memoryLog, signed } from './support/http-node.ts'
import { type Mined, minedOn, openParts, type Parts } from './support/http-parts.ts'

afterEach(() => void vi.restoreAllMocks())

type Judge = Parameters<Transport['subscribe']>[1]

/** A network whose peers have no more work than it has, and whose time stands still. */
function networkOver({ chain, store, admission }: Parts, onAsked: (peer: string) => void = () => undefined) {
  const judges = new Map<string, Judge>()
  const failures: unknown[] = []
  const banned: string[] = []
  let listener: PeerListener | undefined
  const transport: Transport = {
    self: 'us',
    peers: () => [],
    ownerOf: (peer) => peer,
    listen: (given) => {
      listener = given
    },
    async *request(peer) {
      onAsked(peer)
      yield encodeStatus({ height: chain.head.index, tip: chain.head.hash, work: chain.head.totalWork })
    },
    serve: () => undefined,
    subscribe: (topic, judge) => judges.set(topic, judge),
    publish: async () => undefined,
    disconnect: async (peer) => void banned.push(peer),
    close: async () => undefined,
  }
  const network = new Network({
    ...{ chain, store, admission, transport },
    time: { now: () => 0, sleep: () => new Promise(() => {}) },
    log: memoryLog().log,
    onFailure: (error) => failures.push(error),
  })
  network.start()
  /** @param message what goes as canonical JSON; or the text itself */
  const gossip = (topic: 'blocks' | 'transactions', message: object | string) => {
    const judge = judges.get(topicName(chain.id, topic)) as Judge
    return judge('peer', Buffer.from(typeof message === 'string' ? message : canonicalJson(message as JsonObject)))
  }
  return { network, failures, banned, gossip, joined: (peer: string) => listener?.joined(peer) }
}

it('whoever joins as the catching up ends is asked as well', async () => {
  const parts = await openParts()
  for (let steps = 0; steps < 60; steps++) {
    const asked: string[] = []
    const joinLater = async () => {
      for (let i = 0; i < steps; i++) await undefined
      joined('second')
    }
    const { joined, network } = networkOver(parts, (peer) => {
      asked.push(peer)
      if (peer === 'first') void joinLater()
    })
    joined('first')
    await new Promise((resolve) => setImmediate(resolve))
    await network.resolve()
    expect(asked, `after ${steps} steps`).toEqual(['first', 'second'])
  }
})

it('its end waits for what is being judged, which needs the store', async () => {
  const parts = await openParts()
  const { network, gossip, failures } = networkOver(parts)
  const { chain, store, admission } = parts
  const check = admission.check.bind(admission)
  let judging = () => {}
  const begun = new Promise<void>((resolve) => {
    judging = resolve
  })
  vi.spyOn(admission, 'check').mockImplementationOnce(async (submissions) => {
    judging()
    await new Promise((resolve) => setTimeout(resolve, 50))
    return check(submissions)
  })
  const verdict = gossip('transactions', signed(chain.id))
  await begun
  await network.close()
  await store.close()
  expect(await verdict).toBe('accept')
  expect(failures).toEqual([])
})

it('who waits for a neighbour, or for all of them, hears of the end of the node at once', async () => {
  const { chain } = await openParts()
  const endless = () => new Promise<never>(() => {})
  const network = { dial: endless, resolve: endless, isConnected: () => false, listensAt: () => true }
  const neighbours = new Neighbours({ chain, network, log: memoryLog().log, file: undefined })
  const waiting = [neighbours.resolve(), neighbours.register(['/ip4/127.0.0.1/tcp/1/p2p/somebody'])]
  await neighbours.close()
  for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'node.stopping' })
})

it.each([
  [
    'gone is looked for after twice as long each time, and every two minutes at the least',
    [2, 4, 8, 16, 32, 64],
    false,
  ],
  ['there is looked for every two minutes, in vain or not', [], true],
])('a neighbour that is %s', async (_, first, isThere) => {
  const { chain } = await openParts()
  const [lookedAt, log] = [[] as number[], memoryLog().log]
  let now = 0
  vi.spyOn(machineTime, 'now').mockImplementation(() => now)
  vi.spyOn(machineTime, 'sleep').mockImplementation(async (ms) => {
    now += ms
    await new Promise((resolve) => setImmediate(resolve))
  })
  const dial = async () => {
    if (now === 0) return 'somebody'
    if (lookedAt.push(now) % 2 === 0 && isThere) return 'somebody'
    throw new Error('nobody is there')
  }
  const network = { dial, resolve: async () => false, isConnected: () => isThere, listensAt: () => true }
  const neighbours = new Neighbours({ chain, network, log, file: undefined })
  await neighbours.register(['/ip4/127.0.0.1/tcp/1/p2p/somebody'])
  neighbours.start()
  await vi.waitUntil(() => lookedAt.length >= 12, 20_000)
  await neighbours.close()
  const waits = lookedAt.slice(0, 12).map((at, i) => (at - (lookedAt[i - 1] ?? 0)) / 1_000)
  expect(waits).toEqual([...first, ...Array(12 - first.length).fill(120)])
})

it('a node that closes leaves nobody in the midst of an answer: neither who gives it nor who waits for it', async () => {
  const { chain } = await openParts()
  const transport = async (seed: number) => {
    const options = { chain: chain.id, seed: new Uint8Array(32).fill(seed), host: '127.0.0.1', port: 0 }
    const { log } = memoryLog()
    return Libp2pTransport.create({ ...options, discovery: false, maxMessageBytes: 1_000_000, log })
  }
  for (const closes of ['giver', 'asker'] as const) {
    const [giver, asker] = await Promise.all([transport(1), transport(2)])
    const name = protocolName(chain.id, 'pool')
    let given = 0
    let ended = false
    for (const one of [giver, asker])
      one.serve(protocolName(chain.id, 'status'), async function* () {
        yield new Uint8Array()
      })
    giver.serve(name, async function* () {
      try {
        for (; ; given++) yield Buffer.alloc(4_000, 0x20)
      } finally {
        ended = true
      }
    })
    await Promise.all([giver.open(), asker.open()])
    const peer = await asker.dial(giver.addresses()[0] as string)
    const closing = new AbortController()
    const options = { maxFrameBytes: 4_000, frames: 1_000_000, stallMs: 60_000, signal: closing.signal }
    const answer = asker.request(peer, name, new Uint8Array(), options)[Symbol.asyncIterator]()
    expect((await answer.next()).done).toBe(false)
    // Until the giver waits for the asker, who takes no more for now.
    for (let before = -1; before !== given; await new Promise((resolve) => setTimeout(resolve, 200))) before = given
    if (closes === 'asker') closing.abort(new PeerError('gone', 'the node is shutting down'))
    await { giver, asker }[closes].close()
    const rest = async () => {
      for (;;) if ((await answer.next()).done) return
    }
    await expect(rest()).rejects.toMatchObject({ fault: 'gone' })
    // Sooner than the answer would be given up because the asker takes nothing.
    await vi.waitFor(() => expect(ended).toBe(true), 10_000)
    await Promise.all([giver.close(), asker.close()])
  }
}, 30_000)

it('a gossiped block in another spelling is refused: each would be forwarded as news', async () => {
  const parts = await openParts()
  const { gossip, banned } = networkOver(parts)
  const { parsed } = minedOn(parts, parts.chain.head)
  expect(await gossip('blocks', `${parsed.canonical} `)).toBe('reject')
  expect(banned).toEqual(['peer'])
  expect(await gossip('blocks', parsed.canonical)).toBe('accept')
})

it('a gossiped block far behind the head is not stored, nor held against anybody; one a hundred blocks behind is', async () => {
  const parts = await openParts()
  const { chain, store } = parts
  const { gossip, failures } = networkOver(parts)
  const genesis = chain.head
  for (let i = 0; i < 101; i++) await chain.import(minedOn(parts, chain.head).parsed)
  const second = await store.knownEntry((await store.mainHash(2)) as Hash)
  const [far, near] = [genesis, second].map((parent) => minedOn(parts, parent, { to: ALICE.address }))
  expect(await gossip('blocks', far?.block as object)).toBe('ignore')
  expect(await store.entry(far?.parsed.hash as Hash)).toBeUndefined()
  expect(await gossip('blocks', near?.block as object)).toBe('accept')
  expect(await store.entry(near?.parsed.hash as Hash)).toMatchObject({ index: 3 })
  expect(failures).toEqual([])
})

describe('a gossiped block that has to wait', () => {
  /** With other transactions than it was mined with; only its seal is wrong then. */
  function rewritten({ block }: Mined, transactions: readonly JsonValue[], changed: Partial<Block> = {}): Block {
    const merkle_root = merkleRoot(transactions.map((one) => sha256Hex(canonicalJson(one))))
    const header = { ...block, transactions, merkle_root, ...changed } as Block
    return { ...header, proof: proofOf(commitmentTo(header), 0n) }
  }

  async function waiting() {
    const parts = await openParts()
    const { chain, clock } = parts
    const next = minedOn(parts, chain.head)
    const orphan = minedOn(parts, next.entry)
    const early = minedOn(parts, chain.head, { now: clock.now + 1_000 })
    const held = async (mined: Mined) => (await chain.import(mined.parsed)).kind === 'known'
    return { parts, orphan, early, held, reward: orphan.block.transactions[0] as JsonValue, ...networkOver(parts) }
  }

  it.each(['orphan', 'early'] as const)('is held, and nobody is to blame for it: %s', async (kind) => {
    const { [kind]: mined, gossip, held, banned } = await waiting()
    expect(await gossip('blocks', mined.block)).toBe('ignore')
    expect(await held(mined)).toBe(true)
    expect(banned).toEqual([])
  })

  it.each(['orphan', 'early'] as const)('is not held where it is big: %s', async (kind) => {
    const { parts, gossip, held, banned } = await waiting()
    const { chain, clock } = parts
    const transactions = Array.from({ length: 60 }, (_, nonce) => signed(chain.id, { nonce, amount: 1 }))
    const parent = kind === 'early' ? chain.head : minedOn(parts, chain.head).entry
    const big = minedOn(parts, parent, { transactions, now: clock.now + (kind === 'early' ? 1_000 : 0) })
    expect(await gossip('blocks', big.block)).toBe('ignore')
    expect(await held(big)).toBe(false)
    expect(banned).toEqual([])
  })

  it.each(['orphan', 'early'] as const)('is refused for what it shows by itself: %s', async (kind) => {
    const { [kind]: mined, gossip, reward, banned, failures } = await waiting()
    const { block } = mined
    const bad = [
      rewritten(mined, [reward, { x: [{}, {}, {}] }]),
      rewritten(mined, [{ x: [{}, {}, {}] }]),
      rewritten(mined, [reward], { target: 'f'.repeat(64) as Block['target'] }),
      { ...block, merkle_root: '0'.repeat(64) },
      { ...block, proof: `${'0'.repeat(64)}${block.proof.slice(64)}` },
    ]
    for (const [i, one] of bad.entries()) expect(await gossip('blocks', one), `${i}`).toBe('reject')
    expect(banned).toEqual(['peer'])
    expect(failures).toEqual([])
  })
})

describe('a gossiped block that the ledger refuses', () => {
  const greedy = ({ chain }: Parts): Pick<Parts, 'chain'> => {
    const rules = { ...chain.rules, miningReward: 1_000 }
    return { chain: { rules } as Parts['chain'] }
  }
  const bad: Record<string, (parts: Parts) => Mined> = {
    'block.reward': (parts) => minedOn(greedy(parts), parts.chain.head),
    'tx.balance': (parts) =>
      minedOn(parts, parts.chain.head, { transactions: [signed(parts.chain.id, { amount: 2_000_000 })] }),
    'tx.nonce': (parts) => minedOn(parts, parts.chain.head, { transactions: [signed(parts.chain.id, { nonce: 1 })] }),
  }

  it.each(Object.entries(bad))('is not held against whoever has it beside his head: %s', async (code, mined) => {
    const [ahead, behind] = [await openParts(), await openParts()]
    ahead.clock.now += 2
    const [forwarder, receiver] = [networkOver(ahead), networkOver(behind)]
    const edge = minedOn(ahead, ahead.chain.head, { now: ahead.clock.now + 120 })
    expect(await forwarder.gossip('blocks', edge.block)).toBe('accept')
    expect(await receiver.gossip('blocks', edge.block)).toBe('ignore')
    const { block, parsed, entry } = mined(behind)
    // A reward shows without the accounts: whoever forwards it all the same is of another version.
    expect(await forwarder.gossip('blocks', block)).toBe(code === 'block.reward' ? 'ignore' : 'accept')
    expect(await receiver.gossip('blocks', block)).toBe('ignore')
    await expect(behind.chain.import(parsed)).rejects.toMatchObject({ code })
    // What stands on it neither.
    const next = minedOn(behind, entry)
    await forwarder.gossip('blocks', next.block)
    expect(await receiver.gossip('blocks', next.block)).toBe('ignore')
    expect([...forwarder.banned, ...receiver.banned]).toEqual([])
    expect([...forwarder.failures, ...receiver.failures]).toEqual([])
  })

  it('is refused for all that shows without the ledger', async () => {
    const parts = await openParts()
    const { gossip, banned } = networkOver(parts)
    const forged = { ...signed(parts.chain.id), signature: '1'.repeat(128) as never }
    const { block } = minedOn(parts, parts.chain.head, { transactions: [forged] })
    expect(await gossip('blocks', block)).toBe('reject')
    expect(banned).toEqual(['peer'])
  })
})
