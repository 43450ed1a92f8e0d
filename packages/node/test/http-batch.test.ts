/** `POST /transactions`: a batch over HTTP. What becomes of its groups is pool-batches.test.ts's matter. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { parseJson, transactionId } from '@bc/core'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { OutcomeSchema } from '../src/http/schemas.ts'
import { LateNetwork } from '../src/network/late-network.ts'
import { type Asked, ask, connected, type Reply } from './support/http-client.ts'
import { ALICE, BOB, CAROL, signed, startTestNode, type TestNode, tutorialBody } from './support/http-node.ts'
import { injected } from './support/http-parts.ts'

const NDJSON = { 'content-type': 'application/x-ndjson' }
const isOutcome = new Ajv2020({ strictTypes: false }).compile(OutcomeSchema)

const asked = (body: string | Buffer, headers: Record<string, string> = {}): Asked => ({
  method: 'POST',
  path: '/transactions',
  body,
  headers: { ...NDJSON, ...headers },
})

interface Line {
  readonly status: number
  readonly id?: string
  readonly index?: number
  readonly code?: string
}

function linesIn({ status, headers, text }: Reply): Line[] {
  expect(status, text).toBe(200)
  expect(headers['content-type']).toBe('application/x-ndjson')
  expect(text === '' || text.endsWith('\n')).toBe(true)
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => parseJson(line))
  for (const line of lines) expect(isOutcome(line), JSON.stringify(line)).toBe(true)
  return lines as unknown as Line[]
}

const payments = ({ chain }: TestNode, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => signed(chain, { nonce: from + i }))

const textOf = (bodies: readonly unknown[]) => `${bodies.map((body) => JSON.stringify(body)).join('\n')}\n`

test('a line for each line, in their order', async () => {
  const node = await startTestNode()
  const [first, second, third] = payments(node, 0, 3)
  const poor = signed(node.chain, { from: CAROL, to: BOB.address })
  const body = `${textOf([first, poor, { ...second, amount: 6 }])}\n\r\n{"amount": 1.0}\n${textOf([second, third, first])}`
  const lines = linesIn(await ask(node, asked(body.trimEnd())))
  expect(lines.map(({ status, code }) => [status, code])).toEqual([
    [201, undefined],
    [422, 'tx.balance'],
    [401, 'tx.signature'],
    [400, 'message.malformed'],
    [201, undefined],
    [201, undefined],
    [409, 'pool.known'],
  ])
  expect(lines[0]).toEqual({ status: 201, index: 2, id: transactionId(first as NonNullable<typeof first>, node.chain) })
  const { transactions } = JSON.parse((await ask(node, { path: '/transactions' })).text)
  expect(transactions).toEqual([first, second, third])
})

describe('each line comes to what the request alone is answered with', () => {
  /** What somebody may get wrong. */
  const mistakes: Record<string, readonly unknown[]> = {
    amount: [0, 1.5, -1, 2 ** 53, '5', '05', '0', '', ' 5', '9007199254740993', 'x'.repeat(17), null, true, undefined],
    fee: [1, '1', 1.5, null, undefined],
    nonce: [0, 5, 70, '0', -1, null, undefined],
    memo: ['', 'tea', '茶'.repeat(100), 5, null],
    recipient: [CAROL.address, 'dave', 5, null, undefined],
    sender: ['0', 'x'.repeat(80), {}, undefined],
    signature: ['00'.repeat(64), 'f'.repeat(127), 'f'.repeat(7_000), 'f'.repeat(9_000), [], null, undefined],
    chain: ['x', null],
  }
  const mistake = fc
    .constantFrom(...Object.keys(mistakes))
    .chain((field) => fc.constantFrom(...(mistakes[field] ?? [])).map((value) => ({ [field]: value })))
  const body = fc.oneof(
    { weight: 9, arbitrary: fc.tuple(fc.nat(3), fc.boolean(), fc.array(mistake, { maxLength: 3 })) },
    { weight: 1, arbitrary: fc.constantFrom('{', '[]', 'null', '7', '"x"', '{}', '{"amount": 1, "amount": 1}') },
  )

  test('whatever is wrong with it', async () => {
    const [one, other] = [await startTestNode(), await startTestNode()]
    const alone = async (text: string): Promise<Line> => {
      const headers = { 'content-type': 'application/json' }
      const reply = await injected(one.app, { method: 'POST', path: '/transactions/new', body: text, headers })
      const { code, id, index } = JSON.parse(reply.text)
      return { status: reply.status, code, id, index }
    }
    const texts = body.map((made) => {
      if (typeof made === 'string') return made
      const [nonce, isTutorials, changes] = made
      const payment = signed(one.chain, { nonce, fee: isTutorials ? 0 : nonce })
      return JSON.stringify(Object.assign({}, isTutorials ? tutorialBody(payment) : payment, ...changes))
    })
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 12 }), async (list) => {
        const expected: Line[] = []
        for (const text of list) expected.push(await alone(text))
        const lines = linesIn(await injected(other.app, asked(`${list.join('\n')}\n`)))
        expect(lines.map(({ status, code, id, index }) => ({ status, code, id, index }))).toEqual(expected)
      }),
      { numRuns: 150 },
    )
  })
})

test('thousands of one sender, a block afterwards', async () => {
  const node = await startTestNode()
  const lines = linesIn(await ask(node, asked(textOf(payments(node, 0, 1500)))))
  expect(lines).toHaveLength(1500)
  expect(lines.every(({ status }) => status === 201)).toBe(true)
  const mined = JSON.parse((await ask(node, { path: '/mine' })).text)
  expect(mined.transactions).toHaveLength(1501)
})

test('nothing, and blank lines', async () => {
  const node = await startTestNode()
  expect(linesIn(await ask(node, asked('')))).toEqual([])
  expect(linesIn(await ask(node, asked('\n \r\n\n')))).toEqual([])
})

test('a body that comes in pieces, cut anywhere', async () => {
  const node = await startTestNode()
  const body = Buffer.from(textOf(payments(node, 0, 3)))
  const socket = await connected(node.port)
  let text = ''
  socket.on('data', (part) => {
    text += part.toString()
  })
  const head = `POST /transactions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.write(head)
  for (let at = 0; at < body.length; at += 101) {
    socket.write(body.subarray(at, at + 101))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => socket.once('close', resolve))
  expect(text.match(/"status":201/g)).toHaveLength(3)
})

// As long as no piece in which a body comes, and so long that it comes in many.
test.each([9_000, 900_000])('a line of %i bytes is refused alone', async (length) => {
  const node = await startTestNode()
  const [first, second] = payments(node, 0, 2)
  const lines = linesIn(await ask(node, asked(`${textOf([first])}"${'x'.repeat(length)}"\n${textOf([second])}`)))
  expect(lines.map(({ status, code }) => [status, code])).toEqual([
    [201, undefined],
    [413, 'request.too_large'],
    [201, undefined],
  ])
})

describe('is ended', () => {
  test('by the line after ten thousand', async () => {
    const node = await startTestNode()
    const lines = linesIn(await ask(node, asked('{}\n'.repeat(10_002))))
    expect(lines).toHaveLength(10_001)
    expect(lines[9_999]).toMatchObject({ status: 400, code: 'tx.shape' })
    expect(lines[10_000]).toMatchObject({ status: 413, code: 'request.too_large' })
  })

  test('for a stranger by as many as he could send alone; others and this machine are served', async () => {
    const node = await startTestNode()
    const from = async (ip: string, count: number) => linesIn(await injected(node.app, asked('{}\n'.repeat(count)), ip))
    const codes = (lines: readonly Line[]) => lines.map(({ code }) => code)
    const lines = codes(await from('198.51.100.1', 600))
    expect(lines.at(-1)).toBe('request.rate')
    expect(lines.length).toBeGreaterThan(500)
    expect(lines.length).toBeLessThan(601)
    expect(codes(await from('::ffff:198.51.100.1', 400)).at(-1)).toBe('request.rate')
    expect(codes(await from('198.51.100.2', 400))).not.toContain('request.rate')
    expect(codes(await from('2001:db8::1', 400))).not.toContain('request.rate')
    expect(codes(await from('2001:db8:5::7', 400)).at(-1)).toBe('request.rate')
    expect(codes(await from('127.0.0.1', 2000))).not.toContain('request.rate')
  })
})

describe('is refused whole', () => {
  test('as another type of body, or none', async () => {
    const node = await startTestNode()
    const json = asked('{}', { 'content-type': 'application/json' })
    const refused = {
      status: 415,
      text: expect.stringMatching(/request\.media_type.*application\/x-ndjson was expected/),
    }
    expect(await ask(node, json)).toMatchObject(refused)
    const none = { method: 'POST', path: '/transactions' }
    expect(await ask(node, none)).toMatchObject({ status: 400, text: expect.stringContaining('request.invalid') })
  })

  test('from a page of another origin, for another host', async () => {
    const node = await startTestNode()
    const body = textOf(payments(node, 0, 1))
    const foreign = await ask(node, asked(body, { origin: 'http://example.org' }))
    expect(foreign).toMatchObject({ status: 403, text: expect.stringContaining('request.origin') })
    const rebound = await ask(node, asked(body, { host: 'example.org' }))
    expect(rebound).toMatchObject({ status: 403, text: expect.stringContaining('request.host') })
    expect(JSON.parse((await ask(node, { path: '/transactions' })).text).length).toBe(0)
  })
})

test('a client that goes away in the midst leaves a node that works', async () => {
  const node = await startTestNode()
  const body = textOf(payments(node, 0, 600))
  const socket = await connected(node.port)
  socket.write(
    `POST /transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  socket.write(body.slice(0, body.length / 2))
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  const [again] = linesIn(await ask(node, asked(textOf([signed(node.chain, { from: BOB, to: ALICE.address })]))))
  expect(again).toMatchObject({ status: 201 })
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})

test('what was accepted before its client went away is told to others all the same', async () => {
  const announced = vi.spyOn(LateNetwork.prototype, 'announceTransaction')
  const node = await startTestNode()
  const body = textOf(payments(node, 0, 512))
  const socket = await connected(node.port)
  socket.write(
    `POST /transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
  )
  await vi.waitFor(async () => expect(JSON.parse((await ask(node, { path: '/status' })).text).pool).toBe(512), 30_000)
  socket.destroy()
  await vi.waitFor(() => expect(announced).toHaveBeenCalledTimes(512), 3_000)
  announced.mockRestore()
})

test('a client that goes away before its answer is no bug of the node', async () => {
  const node = await startTestNode()
  const body = textOf(payments(node, 0, 40))
  const head = `POST /transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n`
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const accepted = once(node.app.server, 'connection') as Promise<[Socket]>
    const client = await connected(node.port)
    const [socket] = await accepted
    // Whichever end it is that hears of the reset.
    for (const one of [client, socket]) one.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => client.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, resolve))
    client[leave]()
    await closed
    // What follows from it has happened when the next one is answered.
    expect((await ask(node, { path: '/status' })).status).toBe(200)
  }
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})
