/** `POST /blocks`: the door for blocks from a file. What each rule refuses is the import door's own matter. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { canonicalJson, type JsonObject, sha256Hex } from '@bc/core'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { Chain } from '../src/chain/chain.ts'
import { LineSplitter } from '../src/ndjson.ts'
import { LateNetwork } from '../src/network/late-network.ts'
import { ChainStore } from '../src/storage/chain-store.ts'
import { type Asked, ask, connected } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { ALICE, BOB, signed, startTestNode, type TestNode } from './support/http-node.ts'
import { injected, minedOn, openParts } from './support/http-parts.ts'

const NDJSON = { 'content-type': 'application/x-ndjson' }

/** A node with a chain of its own: genesis and eight blocks, one with a payment. */
let source: TestNode
let texts: readonly string[]

beforeAll(async () => {
  source = await startTestNode()
  for (let n = 0; n < 8; n++) {
    if (n === 3) {
      const body = JSON.stringify(signed(source.chain, { from: ALICE, to: BOB.address }))
      await ask(source, {
        method: 'POST',
        path: '/transactions/new',
        body,
        headers: { 'content-type': 'application/json' },
      })
    }
    await ask(source, { path: '/mine' })
  }
  const { text } = await ask(source, { path: '/blocks?from=1&limit=100' })
  texts = (JSON.parse(text).blocks as JsonObject[]).map(canonicalJson)
})

async function started() {
  const node = await startTestNode()
  const contract = await Contract.of(node.app)
  const hand = (body: string | Buffer, more: Partial<Asked> = {}) =>
    contract.ask(node, { method: 'POST', path: '/blocks', body, headers: NDJSON, ...more })
  const height = async () => JSON.parse((await ask(node, { path: '/status' })).text).height as number
  return { node, hand, height }
}

const lines = (blocks: readonly string[]) => `${blocks.join('\n')}\n`

describe('good blocks', () => {
  test('go in, in their order, and are known the second time', async () => {
    const { hand, node } = await started()
    const tip = JSON.parse((await ask(source, { path: '/status' })).text).tip
    expect(await hand(lines(texts))).toMatchObject({ status: 200, json: { imported: 8, known: 1, height: 9, tip } })
    expect(await hand(lines(texts))).toMatchObject({ status: 200, json: { imported: 0, known: 9, height: 9, tip } })
    expect((await ask(node, { path: '/chain' })).text).toBe((await ask(source, { path: '/chain' })).text)
  })

  test('go in by parts, and without genesis', async () => {
    const { hand, height } = await started()
    expect(await hand(lines(texts.slice(1, 4)))).toMatchObject({ status: 200, json: { imported: 3, known: 0 } })
    expect(await hand(texts.slice(4).join('\r\n\n'))).toMatchObject({ status: 200, json: { imported: 5, known: 0 } })
    expect(await height()).toBe(9)
  })

  test('of a chain with less work stand beside the main one', async () => {
    const { hand, node, height } = await started()
    for (let n = 0; n < 3; n++) await ask(node, { path: '/mine' })
    const answers = [await hand(lines(texts.slice(0, 3))), await hand(lines(texts))]
    expect(answers).toMatchObject([
      { status: 200, json: { imported: 2, beside: 2, height: 4 } },
      { status: 200, json: { imported: 6, beside: 0, known: 3, height: 9 } },
    ])
    expect(await height()).toBe(9)
  })

  test('none at all', async () => {
    const { hand } = await started()
    expect(await hand('\n \r\n')).toMatchObject({ status: 200, json: { imported: 0, known: 0, height: 1 } })
  })
})

describe('a bad one', () => {
  const changed = (at: number, from: string | RegExp, to: string) =>
    texts.with(at, (texts[at] as string).replace(from, to))

  test.each([
    ['a fault', () => changed(4, '"amount": 5,', '"amount": 6,'), 422, 'block.merkle_root', 5],
    ['a fault of the proof', () => changed(6, /"timestamp": (\d+)/, '"timestamp": 9$1'), 422, 'block.commitment', 7],
    ['text that is no JSON', () => changed(2, '}', ''), 400, 'message.malformed', 3],
    ['what is no block', () => texts.with(3, '7'), 422, 'block.shape', 4],
    ['one left out', () => texts.toSpliced(5, 1), 422, 'block.previous_hash', 6],
    ["another chain's genesis", () => changed(0, '"miningReward": 50', '"miningReward": 51'), 422, 'block.genesis', 1],
  ] as const)('%s ends it: those before are in', async (_name, blocks, status, code, line) => {
    const { hand, height } = await started()
    const { status: answered, json } = await hand(lines(blocks()))
    expect({ answered, ...json }).toMatchObject({ answered: status, statusCode: status, code, line })
    expect(Number(json.imported) + Number(json.known)).toBe(line - 1)
    expect(await height()).toBe(Math.max(1, line - 1))
    expect(await hand(lines(texts))).toMatchObject({ status: 200, json: { height: 9 } })
  })

  test('too large a one is refused for its size, and those before it are in', async () => {
    const parts = await openParts({ rules: { maxBlockBytes: 2_000 } })
    const first = minedOn(parts, parts.chain.head)
    const transactions = Array.from({ length: 8 }, (_, nonce) => signed(parts.chain.id, { nonce }))
    const large = minedOn(parts, first.entry, { transactions })
    expect(large.parsed.canonical.length).toBeGreaterThan(2_000)
    const body = lines([first, large].map(({ parsed }) => parsed.canonical))
    const { text } = await injected(parts.app, { method: 'POST', path: '/blocks', body, headers: NDJSON })
    expect(JSON.parse(text)).toMatchObject({ statusCode: 422, code: 'block.size', line: 2, imported: 1 })
  })

  test('a line that is longer than any block: those before it are in', async () => {
    const { hand } = await started()
    const long = `"${'x'.repeat(2_000_001)}"`
    const { status, json } = await hand(lines([...texts.slice(0, 3), long, ...texts.slice(3)]))
    expect([status, json]).toMatchObject([400, { code: 'message.malformed', line: 4, imported: 2, known: 1 }])
    expect(json.message).toMatch(/longer than 2000000 bytes/)
  })

  test('is named by its line as an editor counts them', async () => {
    const { hand } = await started()
    const [genesis, first] = texts as [string, string]
    const { json } = await hand(`\n${genesis}\r\n\n \t\n${first}\n\n7\n`)
    expect(json).toMatchObject({ code: 'block.shape', line: 7, imported: 1, known: 1 })
    expect(json.message).toMatch(/^Line 7: /)
  })

  test('one that stood beside the main chain is named when its branch has the most work', async () => {
    const parts = await openParts()
    const genesis = parts.chain.head
    const mine = minedOn(parts, genesis, { to: ALICE.address })
    await parts.chain.import(mine.parsed)
    const good = minedOn(parts, genesis)
    const overdrawn = minedOn(parts, genesis, { transactions: [signed(parts.chain.id, { amount: 2_000_000 })] })
    const next = minedOn(parts, overdrawn.entry)
    const body = lines([good, overdrawn, next].map(({ parsed }) => parsed.canonical))
    const { text } = await injected(parts.app, { method: 'POST', path: '/blocks', body, headers: NDJSON })
    expect(JSON.parse(text)).toMatchObject({ code: 'tx.balance', imported: 1, beside: 1, known: 0, line: 2 })
    expect(JSON.parse(text).message).toMatch(/^Line 2: Transaction 1: The balance/)
  })

  test('one from the future is named, kept, and taken by the node itself once its time comes', async () => {
    let now = 1_700_000_000
    const node = await startTestNode({ clock: () => now })
    const asked = { method: 'POST', path: '/blocks', body: lines(texts), headers: NDJSON }
    expect(JSON.parse((await ask(node, asked)).text)).toMatchObject({ code: 'block.timestamp', line: 2, known: 1 })
    expect(JSON.parse((await ask(node, asked)).text)).toMatchObject({ code: 'block.timestamp', line: 2, known: 1 })
    now = Math.floor(Date.now() / 1000)
    const tip = async () => JSON.parse((await ask(node, { path: '/status' })).text).tip
    await vi.waitFor(async () => expect(await tip()).toBe(sha256Hex(texts[1] as string)), 20_000)
    expect(JSON.parse((await ask(node, asked)).text)).toMatchObject({ imported: 7, known: 2 })
  })
})

describe('is refused', () => {
  test('as another type of body, or none', async () => {
    const { hand } = await started()
    const json = { 'content-type': 'application/json' }
    expect(await hand('[]', { headers: json })).toMatchObject({ status: 415, json: { code: 'request.media_type' } })
    expect(await hand('', { body: undefined, headers: {} })).toMatchObject({
      status: 400,
      json: { code: 'request.invalid' },
    })
  })

  test('a body that is longer than 16 MB', async () => {
    const { hand } = await started()
    const much = `"${'x'.repeat(999_000)}"\n`.repeat(17)
    expect(await hand(much)).toMatchObject({ status: 413, json: { code: 'request.too_large' } })
  })

  test('from strangers and from pages of others', async () => {
    const { hand } = await started()
    const from = (headers: Record<string, string>) => hand(lines(texts), { headers: { ...NDJSON, ...headers } })
    expect(await from({ 'x-forwarded-for': '10.0.0.7' })).toMatchObject({
      status: 403,
      json: { code: 'request.operator' },
    })
    expect(await from({ origin: 'http://example.org' })).toMatchObject({
      status: 403,
      json: { code: 'request.origin' },
    })
  })
})

test('the disk has those that are said to be in, whatever came after them', async () => {
  const synced = vi.spyOn(ChainStore.prototype, 'sync')
  const written = vi.spyOn(ChainStore.prototype, 'writeHead')
  for (const end of [texts[1], texts[0], '{}']) {
    const { hand } = await started()
    expect(await hand(lines([...texts.slice(1, 4), end as string]))).toMatchObject({
      json: { imported: expect.anything() },
    })
    expect(synced.mock.invocationCallOrder.at(-1)).toBeGreaterThan(written.mock.invocationCallOrder.at(-1) as number)
  }
  expect(synced).toHaveBeenCalledTimes(3)
  vi.restoreAllMocks()
})

test('a node that stops in the midst of an import says how far it came', async () => {
  const { node, hand } = await started()
  const { importUntilRefused } = Chain.prototype
  let stopped: Promise<void> | undefined
  const slow = vi.spyOn(Chain.prototype, 'importUntilRefused').mockImplementation(async function (
    this: Chain,
    ...blocks
  ) {
    const outcomes = await importUntilRefused.apply(this, blocks)
    stopped ??= node.stop()
    // With all of them it would be cut off.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    return outcomes
  })
  // Blocks are taken together as long as each stands on the one before.
  const apart = [...texts.slice(0, 3), ...texts.slice(0, 1), ...texts.slice(3)]
  const { status, json } = await hand(lines(apart))
  await stopped
  slow.mockRestore()
  expect([status, json]).toMatchObject([503, { code: 'node.stopping', imported: 2, known: 1, line: 4 }])
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})

test('the newest one alone is announced, whatever ends the import, and none where nothing is new', async () => {
  const announced = vi.spyOn(LateNetwork.prototype, 'announceBlock')
  const { hand } = await started()
  await hand(lines([...texts.slice(0, 4), '{}']))
  await hand(lines(texts))
  await hand(lines(texts))
  expect(announced.mock.calls).toEqual([[{ canonical: texts[3] }], [{ canonical: texts[8] }]])
  vi.restoreAllMocks()
})

test('a client that hangs up in the midst of an import is not worked for any longer', async () => {
  const { node, height } = await started()
  const accepted = once(node.app.server, 'connection') as Promise<[Socket]>
  const client = await connected(node.port)
  const [socket] = await accepted
  const { importUntilRefused } = Chain.prototype
  vi.spyOn(Chain.prototype, 'importUntilRefused').mockImplementationOnce(async function (this: Chain, ...blocks) {
    client.destroy()
    await once(socket, 'close')
    return importUntilRefused.apply(this, blocks)
  })
  const ended = vi.spyOn(ChainStore.prototype, 'sync')
  // Blocks are taken together as long as each stands on the one before.
  const body = lines([...texts.slice(0, 3), ...texts.slice(0, 1), ...texts.slice(3)])
  const head = ['POST /blocks HTTP/1.1', 'host: localhost', 'content-type: application/x-ndjson']
  client.write(`${[...head, `content-length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`)
  await vi.waitFor(() => expect(ended).toHaveBeenCalled(), 20_000)
  expect(await height()).toBe(3)
  vi.restoreAllMocks()
})

test('a client that hangs up in the midst of a body is no bug of the node', async () => {
  const { node, height } = await started()
  const accepted = once(node.app.server, 'connection') as Promise<[Socket]>
  const client = await connected(node.port)
  const [socket] = await accepted
  const read = vi.spyOn(LineSplitter.prototype, 'feedCounted')
  const type = 'content-type: application/x-ndjson'
  client.write(`POST /blocks HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: 100000\r\n\r\n${texts[0]}\n`)
  await vi.waitFor(() => expect(read).toHaveBeenCalled())
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  client.destroy()
  await closed
  // What follows from it has happened when the next one is answered.
  expect(await height()).toBe(1)
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
  vi.restoreAllMocks()
})
