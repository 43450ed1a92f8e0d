/** A watcher of a chain that changes at random, over a line that breaks at random: it tells the chain, and nothing else. */
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type BlockEntry, type Hash, transactionId } from '@bc/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { post } from '../../node/test/support/http-client.ts'
import { listen } from '../../node/test/support/http-events.ts'
import { person, signed } from '../../node/test/support/http-node.ts'
import { injected, minedOn, openParts, type Parts } from '../../node/test/support/http-parts.ts'
import { Random } from '../../node/test/support/ledger-random.ts'
import type { Endpoint } from '../src/client/http.ts'
import { follow } from '../src/watch/follow.ts'
import { type Line, type Topic, Watcher } from '../src/watch/watcher.ts'

interface Watched {
  readonly lines: readonly Line[]
  /** Resolves once the told chain ends with this block. */
  until(hash: string): Promise<void>
  end(): Promise<void>
}

interface Place {
  readonly index: number
  readonly hash: string
}

/** Follows the lines as a program would, and refuses those that don't fit. */
class Told {
  readonly blocks: Place[]

  constructor(start: readonly Place[]) {
    this.blocks = [...start]
  }

  take(line: Line): void {
    if (line.event === 'reorganisation') {
      const { index, abandoned } = line as unknown as { index: number; abandoned: Place[] }
      const before = this.blocks.filter((block) => block.index < index)
      const left = this.blocks.splice(before.length).reverse()
      expect(abandoned.slice(0, left.length)).toEqual(left)
      // Of what was before the first one it hears when it is left.
      expect(abandoned.length === left.length || before.length === 0).toBe(true)
      expect(abandoned.at(-1)?.index).toBe(index)
    } else if (line.event === 'block') {
      const { index, hash, previous_hash } = line as unknown as Place & { previous_hash: string }
      const last = this.blocks.at(-1)
      if (last) expect([index, previous_hash]).toEqual([last.index + 1, last.hash])
      this.blocks.push({ index, hash })
    }
  }
}

function watched(endpoint: Endpoint, topic: Topic, from: number | undefined, told: Told): Watched {
  const lines: Line[] = []
  const end = new AbortController()
  const tell = async (line: Line) => {
    lines.push(line)
    told.take(line)
  }
  const watcher = new Watcher(endpoint, { topic, from, tell })
  const over = follow(endpoint, { types: watcher.types, signal: end.signal }, async (event) => {
    await watcher.take(event)
    return undefined
  })
  let fault: unknown
  over.catch((error) => {
    fault = error
  })
  onTestFinished(() => end.abort(new Error('the end')))
  return {
    lines,
    async until(hash) {
      while (told.blocks.at(-1)?.hash !== hash) {
        if (fault) throw fault
        await delay(20)
      }
    },
    async end() {
      end.abort(new Error('the end'))
      await expect(over).rejects.toThrow('the end')
    },
  }
}

async function listening(limits: { events: number; bytes: number }): Promise<{ parts: Parts; endpoint: Endpoint }> {
  const parts = await openParts({ limits })
  await parts.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = parts.app.server.address() as AddressInfo
  return { parts, endpoint: { node: new URL(`http://127.0.0.1:${port}`), timeout: undefined, token: () => undefined } }
}

/** Everything from genesis to a block, which is genesis's own place where nothing was mined. */
async function mainChain({ store, chain }: Parts): Promise<Place[]> {
  const hashes = await store.mainHashes(1, chain.head.index)
  return hashes.map((hash, i) => ({ index: i + 1, hash }))
}

/** @returns the last of that many blocks after a block, all of one person */
async function branch(parts: Parts, after: BlockEntry, to: number, length: number): Promise<BlockEntry> {
  let entry = after
  for (let i = 0; i < length; i++) {
    const mined = minedOn(parts, entry, { to: person(to).address })
    await parts.chain.import(mined.parsed)
    entry = mined.entry
  }
  return entry
}

function placesOf(lines: readonly Line[]): unknown[] {
  return lines.map(({ event, index }) => [event, index])
}

test.each([1, 2, 3, 4])('with short memory of the node, seed %i', async (seed) => {
  const random = new Random(seed)
  const { parts, endpoint } = await listening({ events: 3, bytes: 1_000_000 })
  const people = [4, 5, 6].map((n) => person(n).address)
  const tree: BlockEntry[] = [parts.chain.head]
  const grow = async () => {
    const parent = tree[Math.max(0, tree.length - 1 - random.below(6))] as BlockEntry
    const mined = minedOn(parts, parent, { to: people[random.below(3)] as never })
    if (tree.some(({ hash }) => hash === mined.entry.hash)) return
    await parts.chain.import(mined.parsed)
    tree.push(mined.entry)
  }
  for (let i = 0; i < 5; i++) await grow()
  const start = { index: parts.chain.head.index, hash: parts.chain.head.hash }
  const [all, high, next] = [new Told([]), new Told([]), new Told([start])]
  const watchers = [
    watched(endpoint, 'blocks', 1, all),
    watched(endpoint, 'everything', 12, high),
    watched(endpoint, 'blocks', undefined, next),
  ]
  await watchers[0]?.until(parts.chain.head.hash)
  while (parts.events.size < 3) await delay(5)
  for (let i = 0; i < 80; i++) {
    await grow()
    if (random.below(10) === 0) parts.app.server.closeAllConnections()
    if (random.below(3) === 0) await delay(random.below(30))
  }
  const told = parts.chain.head.hash
  for (const watcher of watchers) await watcher.until(told)
  // Whatever a slow one has missed so far: all have told this head, and hear that it is left.
  let branch: BlockEntry = await parts.store.knownEntry(parts.chain.head.previousHash as Hash)
  for (let i = 0; i < 2; i++) {
    const { parsed, entry } = minedOn(parts, branch, { now: branch.timestamp + 77 })
    await parts.chain.import(parsed)
    branch = entry
  }
  for (const watcher of watchers) await watcher.until(branch.hash)
  const chain = await mainChain(parts)
  expect(all.blocks).toEqual(chain)
  expect(high.blocks).toEqual(chain.filter(({ index }) => index >= 12))
  expect(next.blocks).toEqual(chain.slice(chain.findIndex((place) => place.index === next.blocks[0]?.index)))
  const reorganisations = watchers[0]?.lines.filter(({ event }) => event === 'reorganisation') ?? []
  expect(reorganisations.length).toBeGreaterThan(0)
  for (const watcher of watchers) await watcher.end()
})

test('a reorganisation that goes back before the first block, and one to a chain that is shorter than that', async () => {
  const { parts, endpoint } = await listening({ events: 100, bytes: 1_000_000 })
  const genesis = parts.chain.head
  const old = await branch(parts, genesis, 4, 3)
  const told = new Told([{ index: old.index, hash: old.hash }])
  const watcher = watched(endpoint, 'blocks', undefined, told)
  while (parts.events.size < 1) await delay(5)
  const late = watched(endpoint, 'blocks', 7, new Told([]))
  const left = (await mainChain(parts)).slice(1).reverse()
  const young = await branch(parts, genesis, 5, 4)
  await watcher.until(young.hash)
  expect(placesOf(watcher.lines)).toEqual([
    ['reorganisation', 2],
    ['block', 2],
    ['block', 3],
    ['block', 4],
    ['block', 5],
  ])
  expect(watcher.lines[0]?.abandoned).toEqual(left)
  expect(late.lines).toEqual([])
  const [seven] = [await branch(parts, genesis, 6, 6)]
  await late.until(seven.hash)
  expect(placesOf(late.lines)).toEqual([['block', 7]])
})

describe('a reorganisation before the first block that was missed', () => {
  const beginning = (event: string, { chain }: Parts, { index, hash }: Place) => ({
    ...{ event, id: undefined },
    data: { chain: chain.id, height: index, tip: hash },
  })
  /** What is told of a chain of five blocks to one who had begun at this place. */
  async function toldAfter(start: (parts: Parts, genesis: BlockEntry) => Promise<Place>, from?: number) {
    const { parts, endpoint } = await listening({ events: 100, bytes: 1_000_000 })
    const genesis = parts.chain.head
    const lines: Line[] = []
    const watcher = new Watcher(endpoint, { topic: 'blocks', from, tell: async (line) => void lines.push(line) })
    await watcher.take(beginning('start', parts, await start(parts, genesis)))
    const before = lines.splice(0).length
    const head = await branch(parts, genesis, 5, 4)
    await watcher.take(beginning('missed', parts, head))
    return { told: placesOf(lines), abandoned: lines[0]?.abandoned as unknown as Place[], before }
  }

  const BLOCKS = [2, 3, 4, 5].map((index) => ['block', index])

  test('is told from its fork on, where the node has the abandoned blocks', async () => {
    const { told, abandoned } = await toldAfter((parts, genesis) => branch(parts, genesis, 4, 3))
    expect(told).toEqual([['reorganisation', 2], ...BLOCKS])
    expect(abandoned.map(({ index }) => index)).toEqual([4, 3, 2])
  })

  test('is told from genesis on, where the node has never heard of them', async () => {
    const start = { index: 4, hash: 'f'.repeat(64) }
    const { told, abandoned } = await toldAfter(async () => start)
    expect(told).toEqual([['reorganisation', 2], ...BLOCKS])
    expect(abandoned).toEqual([start])
  })

  test('is told from the block on that was asked for', async () => {
    const { told, before } = await toldAfter((parts, genesis) => branch(parts, genesis, 4, 3), 4)
    expect(before).toBe(1)
    expect(told).toEqual([['reorganisation', 4], ...BLOCKS.slice(2)])
  })
})

test.each([undefined, 1])(
  'a slow reader is told what became of a transaction in its order, from %s on',
  async (from) => {
    const { parts, endpoint } = await listening({ events: 100, bytes: 1_000_000 })
    const { port } = parts.app.server.address() as AddressInfo
    const genesis = parts.chain.head
    const events = await listen(port)
    const transaction = signed(parts.chain.id)
    const id = transactionId(transaction, parts.chain.id)
    await injected(parts.app, post('/transactions/new', transaction))
    // It is in the first block of two branches, and in none of the one between them.
    for (const [to, length, transactions] of [
      [4, 1, [transaction]],
      [5, 2, []],
      [6, 3, [transaction]],
    ] as const) {
      const first = minedOn(parts, genesis, { to: person(to).address, transactions })
      await parts.chain.import(first.parsed)
      await branch(parts, first.entry, to, length - 1)
    }
    const heard = await events.until((all) => all.filter(({ event }) => event === 'block').length === 6)
    const lines: Line[] = []
    const watcher = new Watcher(endpoint, { topic: 'transactions', from, tell: async (line) => void lines.push(line) })
    for (const { event, id, data } of heard) await watcher.take({ event, id, data } as never)
    const story = lines.filter((line) => line.id === id || line.event === 'reorganisation')
    expect(story.map(({ event, status }) => status ?? event)).toEqual([
      ...['pending', 'confirmed'],
      ...['reorganisation', 'pending'],
      ...['reorganisation', 'confirmed'],
    ])
  },
)
