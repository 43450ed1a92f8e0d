/** What a question costs us: how much is read and kept for whoever asks, and for how many at once. */
import type { Hash } from '@bc/core'
import { describe, expect, it } from 'vitest'
import { type ConversationModules, Conversations } from '../src/network/conversations.ts'
import { type Conversation, encode, MOST_BLOCKS, protocolName } from '../src/network/messages.ts'
import { PeerExchange } from '../src/network/peers/peer-exchange.ts'
import { PeerTable } from '../src/network/peers/peer-table.ts'
import type { Time } from '../src/network/time.ts'
import type { Transport } from '../src/network/transport.ts'
import type { BlockPlace, StoredEntry } from '../src/storage/records.ts'
import { signed } from './support/http-node.ts'
import { minedOn, openParts } from './support/http-parts.ts'

type Handler = Parameters<Transport['serve']>[1]

const CHAIN = 'c'.repeat(64) as Hash
const [SMALL, BIG] = [1_000, 1_000_000]

/** @returns what asks a node of these parts, whose time stands still */
function conversing(modules: Pick<ConversationModules, 'chain' | 'store' | 'pool'>, time: Partial<Time> = {}) {
  const handlers = new Map<string, Handler>()
  const conversations = new Conversations({
    ...modules,
    transport: { serve: (name: string, handler: Handler) => handlers.set(name, handler) } as unknown as Transport,
    time: { now: () => 0, sleep: async () => undefined, ...time },
  })
  conversations.serve()
  return (conversation: Conversation, question: Uint8Array, peer = 'peer') =>
    (handlers.get(protocolName(modules.chain.id, conversation)) as Handler)(peer, question)
}

/** What a store of blocks of these sizes answers; undefined for one that it hasn't got. */
function serving(sizes: readonly (number | undefined)[], time: Partial<Time> = {}) {
  const hashes = sizes.map((_, i) => i.toString(16).padStart(64, '0') as Hash)
  const pages: number[][] = []
  let [reading, mostReading] = [0, 0]
  const entry = (hash: Hash) => ({ index: Number.parseInt(hash, 16) + 2, hash }) as StoredEntry
  const store = {
    entries: async (asked: readonly Hash[]) =>
      asked.map((hash) => (sizes[Number.parseInt(hash, 16)] === undefined ? undefined : entry(hash))),
    async blockTexts(places: readonly BlockPlace[]) {
      mostReading = Math.max(mostReading, ++reading)
      pages.push(places.map(({ index }) => index - 2))
      await new Promise((resolve) => setImmediate(resolve))
      reading--
      return places.map(({ index }) => Buffer.alloc(sizes[index - 2] ?? 0, index))
    },
  }
  const chain = { id: CHAIN, head: { index: 1, hash: CHAIN, totalWork: 1n } }
  const ask = conversing({ chain, store, pool: {} } as unknown as ConversationModules, time)
  const blocks = () => ask('blocks', encode({ hashes }))
  return { ask, blocks, pages, mostReading: () => mostReading }
}

async function lengthsOf(frames: AsyncIterable<Uint8Array>): Promise<number[]> {
  const lengths: number[] = []
  for await (const { length } of frames) lengths.push(length)
  return lengths
}

describe('blocks that a peer asks for', () => {
  const many = (count: number, size: number | undefined) => Array<typeof size>(count).fill(size)

  it.each([
    ['small ones', many(MOST_BLOCKS, SMALL)],
    ['none that are there', many(MOST_BLOCKS, undefined)],
    ['small ones and big ones', [...many(60, SMALL), ...many(68, BIG)]],
    ['missing ones and big ones', [...many(60, undefined), ...many(30, BIG), undefined, SMALL, BIG]],
    ['big ones and small ones in turn', many(40, 0).map((_, i) => (i % 2 ? SMALL : BIG))],
    ['growing ones', many(MOST_BLOCKS, 0).map((_, i) => (i + 1) * SMALL)],
  ])('come in order, and no more than 32 are read at once: %s', async (_, sizes) => {
    const { blocks, pages } = serving(sizes)
    let position = 0
    for await (const frame of blocks()) {
      expect(frame.length).toBe(sizes[position] ?? 0)
      if (frame.length > 0) expect(frame[0]).toBe(position + 2)
      position++
    }
    expect(position).toBe(sizes.length)
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(32)
  })

  it('are read by the dozen while they are small, and after a big one alone', async () => {
    const { blocks, pages } = serving([...many(48, SMALL), ...many(8, BIG)])
    await lengthsOf(blocks())
    expect(pages.map(({ length }) => length)).toEqual([16, 32, 8, 1, 1, 1, 1, 1, 1, 1])
  })

  it('wait for it half a megabyte at a time, also where they are bigger than those before', async () => {
    const { blocks, pages } = serving([...many(16, SMALL), ...many(32, 200_000)])
    await lengthsOf(blocks())
    // Two of them fit, so the third is read again.
    expect(pages.map(([first]) => first)).toEqual([0, 16, ...Array.from({ length: 15 }, (_, i) => 18 + 2 * i)])
  })

  it('are given as far as no rule has refused them', async () => {
    const parts = await openParts()
    const { chain } = parts
    const [genesis, { entry, parsed }] = [chain.head, minedOn(parts, chain.head)]
    const overdrawn = minedOn(parts, genesis, { transactions: [signed(chain.id, { amount: 2_000_000 })] })
    await chain.import(parsed)
    await chain.import(overdrawn.parsed)
    const ask = conversing({ ...parts, pool: parts.admission.pool })
    const question = encode({ hashes: [entry, overdrawn.entry].map(({ hash }) => hash) })
    const texts = () => lengthsOf(ask('blocks', question))
    const given = [parsed, overdrawn.parsed].map(({ canonical }) => canonical.length)
    expect(await texts()).toEqual(given)
    // The ledger is asked once they would be the head.
    await expect(chain.import(minedOn(parts, overdrawn.entry).parsed)).rejects.toMatchObject({ code: 'tx.balance' })
    expect(await texts()).toEqual([given[0], 0])
  })

  it('are read for one peer after the other', async () => {
    const { blocks, mostReading } = serving(many(64, SMALL))
    await Promise.all([blocks(), blocks(), blocks()].map(lengthsOf))
    expect(mostReading()).toBe(1)
  })
})

describe('questions of one peer', () => {
  it('are answered by the dozen: whoever asks and hangs up leaves no more of us waiting for him', async () => {
    const waiting: (() => void)[] = []
    const sleep = () => new Promise<void>((resolve) => waiting.push(resolve))
    const { ask } = serving([], { sleep })
    const status = (peer: string) => lengthsOf(ask('status', encode({}), peer))
    // The burst, so that all that follow have to wait.
    for (let i = 0; i < 8_000; i++) await status('peer')
    const asked = Array.from({ length: 100 }, () => status('peer'))
    const refused = asked.splice(64).map((one) => expect(one).rejects.toMatchObject({ fault: 'flooding' }))
    await new Promise((resolve) => setImmediate(resolve))
    expect(waiting).toHaveLength(64)
    await Promise.all(refused)
    expect(await status('third')).toHaveLength(1)
    for (const wake of waiting.splice(0)) wake()
    await Promise.all(asked)
    const next = status('peer')
    await new Promise((resolve) => setImmediate(resolve))
    for (const wake of waiting) wake()
    expect(await next).toHaveLength(1)
  })

  it('for headers cost as much as fifty blocks: whoever asks for more waits', async () => {
    const [parts, slept] = [await openParts(), [] as number[]]
    const ask = conversing({ ...parts, pool: parts.admission.pool }, { sleep: async (ms) => void slept.push(ms) })
    const headers = encode({ limit: 1, locator: [] })
    for (let i = 0; i < 160; i++) expect(await lengthsOf(ask('headers', headers))).toHaveLength(1)
    expect(slept).toEqual([])
    await lengthsOf(ask('headers', headers))
    expect(slept).toHaveLength(1)
  })

  it('for others are answered as often as a peer can dial us, and no more', async () => {
    let now = 0
    const clocks = { time: { now: () => now, sleep: async () => undefined }, clock: () => 0 }
    let handler: Handler | undefined
    const ownerOf = (peer: string) => peer.replace(/^another name of /, '')
    const transport = { ownerOf, serve: (_: string, served: Handler) => (handler = served) } as unknown as Transport
    const modules = { chain: CHAIN, table: new PeerTable(clocks), transport, addressOf: () => undefined, ...clocks }
    new PeerExchange(modules).serve()
    const peers = (peer: string) => lengthsOf((handler as Handler)(peer, encode({})))
    for (; now < 600_000; now += 500) expect(await peers('a restless one')).toHaveLength(1)
    const answers = await Promise.allSettled(Array.from({ length: 1_000 }, () => peers('a greedy one')))
    expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(60)
    expect(answers.at(-1)).toMatchObject({ reason: { fault: 'flooding' } })
    await expect(peers('another name of a greedy one')).rejects.toMatchObject({ fault: 'flooding' })
    expect(await peers('another one')).toHaveLength(1)
    // However much he has asked for in vain.
    now += 250
    expect(await peers('a greedy one')).toHaveLength(1)
  })
})
