/** Who may ask a node for what: hosts, web pages, strangers, floods. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeWith } from '../../core/test/support/where.ts'
import { isThisMachine } from '../src/http/guard.ts'
import { browse, CHROMIUM, serve } from './support/http-browser.ts'
import { type Asked, answersIn, ask, exchange, post } from './support/http-client.ts'
import { type Answer, Contract } from './support/http-contract.ts'
import { signed, startTestNode, type TestNode } from './support/http-node.ts'
import { injected } from './support/http-parts.ts'

const dataDirectory = mkdtempSync(join(tmpdir(), 'bc-http-guard-'))
let node: TestNode
let contract: Contract
let token: string

beforeAll(async () => {
  node = await startTestNode({ dataDirectory, config: { allowedHosts: ['Node.Example', 'my_node'] } })
  contract = await Contract.of(node.app)
  token = readFileSync(join(dataDirectory, 'operator-token'), 'utf8').trim()
})

afterAll(async () => {
  await node.stop()
  rmSync(dataDirectory, { recursive: true, force: true })
})

async function state(): Promise<object> {
  const { height, tip, pool } = (await contract.ask(node, { path: '/status' })).json
  return { height, tip, pool, shown: node.shown() }
}

/** Everything that changes something. The transaction is good, so only a guard keeps it out. */
const changing = (): Asked[] => [
  { path: '/mine' },
  { method: 'POST', path: '/mine' },
  { path: '/secret' },
  { path: '/nodes/resolve' },
  post('/nodes/register', { nodes: [] }),
  post('/transactions/new', signed(node.chain, { memo: randomBytes(8).toString('hex') })),
]
const operators = () => changing().filter(({ path }) => path !== '/transactions/new')

const withHeaders = (asked: Asked, headers: Record<string, string>): Asked => ({
  ...asked,
  headers: { ...asked.headers, ...headers },
})

describe('the Host', () => {
  const good = [
    'localhost',
    'localhost:5000',
    'LOCALHOST:5000',
    'LocalHost',
    'localhost:',
    '127.0.0.1',
    '127.0.0.1:5000',
    '127.9.9.9:1',
    '192.0.2.7:5000',
    '[::1]',
    '[::1]:5000',
    '[2001:DB8::1]:5000',
    '[::ffff:127.0.0.1]:5000',
    '0.0.0.0:5000',
    'node.example',
    'NODE.example:5000',
    'my_node:5000',
  ]
  const bad = [
    ' ',
    'evil.example',
    'evil.example:5000',
    'localhost.evil.example',
    'localhost.',
    'localhost.:5000',
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io:5000',
    'evil-localhost',
    'notlocalhost',
    'x.localhost',
    'node.example.evil.example',
    'sub.node.example',
    'node.example.',
    'my-node',
    '127.1',
    '2130706433',
    '0x7f000001',
    '127.0.0.1:5000:5000',
    '::1',
    '[::1',
    '::1]',
    '[localhost]',
    '[127.0.0.1]',
    '[::1]]',
    '[[::1]]',
    '[evil.example]:5000',
    'localhost:port',
    'localhost:5000/',
    'user@localhost',
    'localhost#',
    'localhost,evil.example',
    'evil.example, localhost',
    'null',
    '*',
  ]

  it.each(good)('%s is this node', async (host) => {
    expect((await contract.ask(node, { path: '/status', headers: { host } })).status).toBe(200)
  })

  it.each(bad)('"%s" is not this node: 403 on every path, known or not', async (host) => {
    const before = await state()
    const paths = [
      ...changing(),
      { path: '/status' },
      { path: '/chain' },
      { path: '/nothing' },
      { path: '/openapi.json' },
    ]
    for (const asked of paths) {
      const { json } = await contract.ask(node, withHeaders(asked, { host }))
      expect(json, asked.path).toMatchObject({ statusCode: 403, code: 'request.host' })
    }
    expect(await state()).toEqual(before)
  })

  it.each([
    ['none in HTTP/1.1', 'GET /status HTTP/1.1\r\n\r\n'],
    ['an empty one', 'GET /status HTTP/1.1\r\nHost:\r\n\r\n'],
    ['none in HTTP/1.0', 'GET /status HTTP/1.0\r\n\r\n'],
    ['two, the first one good', 'GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'],
    ['two, the second one good', 'GET /status HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n'],
    ['the same one twice', 'GET /status HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n'],
    ['a foreign one beside a whole URL', 'GET http://localhost/status HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
  ])('%s: 403', async (_, text) => {
    const [reply] = answersIn((await exchange(node.port, text, { answers: 1 })).text)
    expect(contract.check({ path: '/status' }, reply as never).json).toMatchObject({ code: 'request.host' })
  })
})

describe('a web page', () => {
  const foreign: [string, Record<string, string>][] = [
    ['Origin', { origin: 'http://evil.example' }],
    ['Origin null', { origin: 'null' }],
    ['Origin empty', { origin: '' }],
    ['Origin of another port', { origin: 'http://localhost:1' }],
    ['Origin without a port', { origin: 'http://localhost' }],
    ['Origin of another name of this machine', { origin: 'http://127.0.0.1:5000' }],
    ['Origin with our name in front', { origin: 'http://localhost:5000.evil.example' }],
    ['Origin with our name as its user', { origin: 'http://localhost:5000@evil.example' }],
    ['Origin of a file', { origin: 'file://' }],
    ['Origin that is no URL', { origin: 'localhost:5000' }],
    ['Referer', { referer: 'http://evil.example/page?http://localhost:5000' }],
    ['Referer of a neighbouring port', { referer: 'http://localhost:5001/' }],
    ['Sec-Fetch-Site cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['Sec-Fetch-Site same-site', { 'sec-fetch-site': 'same-site' }],
    ['Sec-Fetch-Site of nonsense', { 'sec-fetch-site': 'x' }],
    ['a good Origin and a foreign Referer', { origin: 'http://localhost:5000', referer: 'http://evil.example/' }],
    ['a good Origin and cross-site', { origin: 'http://localhost:5000', 'sec-fetch-site': 'cross-site' }],
  ]

  it.each(foreign)('of another origin (%s) changes nothing, not even with the token', async (_, headers) => {
    const before = await state()
    for (const asked of changing())
      for (const authorization of [{}, { authorization: `Bearer ${token}` }]) {
        const sent = withHeaders(asked, { host: 'localhost:5000', ...headers, ...authorization })
        expect((await contract.ask(node, sent)).json, asked.path).toMatchObject({
          statusCode: 403,
          code: 'request.origin',
        })
      }
    expect(await state()).toEqual(before)
  })

  it.each(foreign)('of another origin (%s) takes no place among those who follow the events', async (_, headers) => {
    const { json } = await contract.ask(node, withHeaders({ path: '/events' }, { host: 'localhost:5000', ...headers }))
    expect(json).toMatchObject({ statusCode: 403, code: 'request.origin' })
  })

  it('of another origin is not given leave to read, either', async () => {
    const origin = 'http://evil.example'
    for (const asked of [{ path: '/status' }, { path: '/chain' }, { path: '/accounts/x' }, { path: '/nothing' }]) {
      // The contract's check finds no Access-Control header in any answer.
      await contract.ask(node, withHeaders(asked, { origin }))
      const preflight = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-private-network': 'true',
      }
      const { status } = await contract.ask(node, { method: 'OPTIONS', path: asked.path, headers: preflight })
      expect(status).toBe(asked.path === '/nothing' ? 404 : 405)
    }
  })

  it.each<[string, Record<string, string>]>([
    ['nothing, as curl', {}],
    ['its own Origin', { origin: 'http://localhost:5000', 'sec-fetch-site': 'same-origin' }],
    ['its own Referer', { referer: 'http://localhost:5000/explorer?x', 'sec-fetch-site': 'same-origin' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
  ])('of the node itself (%s) may', async (_, headers) => {
    for (const asked of operators()) {
      const { status } = await contract.ask(node, withHeaders(asked, { host: 'localhost:5000', ...headers }))
      expect(status, asked.path).toBeLessThan(300)
    }
  })

  // Browsers send no Sec-Fetch-Site there, so an image of such an address looks like curl.
  it.each([
    '0.0.0.0:5000',
    '[::]',
    '[::ffff:7f00:1]:5000',
    '[::ffff:127.0.0.1]:5000',
    '192.0.2.7:5000',
    'node.example',
  ])('that calls this machine %s is not the operator', async (host) => {
    const before = await state()
    for (const asked of operators()) {
      const { json } = await contract.ask(node, withHeaders(asked, { host }))
      expect(json, asked.path).toMatchObject({ statusCode: 403, code: 'request.operator' })
    }
    expect(await state()).toEqual(before)
  })
})

describe('the operator', () => {
  const STRANGERS = ['192.0.2.9', '2001:db8::9', '::ffff:192.0.2.9', '128.0.0.1', '10.127.0.0', '::2', '1::1']

  it.each(STRANGERS)('is not somebody at %s without the token', async (remote) => {
    const before = await state()
    for (const asked of operators()) {
      const reply = contract.check(asked, await injected(node.app, asked, remote))
      expect(reply.json, asked.path).toMatchObject({ statusCode: 403, code: 'request.operator' })
    }
    expect(await state()).toEqual(before)
  })

  it.each(['127.0.0.1', '127.5.5.5', '::1', '::ffff:127.0.0.1'])('is whoever asks from %s', async (remote) => {
    for (const asked of operators()) expect((await injected(node.app, asked, remote)).status).toBeLessThan(300)
  })

  it('is whoever shows the token', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      for (const asked of operators()) {
        const reply = await injected(node.app, withHeaders(asked, { authorization: `${scheme} ${token}` }), '192.0.2.9')
        expect(reply.status, asked.path).toBeLessThan(300)
      }
  })

  const wrong = (): string[] => [
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer  ${token}`,
    `Bearer ${token} `,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Bearer ${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`,
    `Bearer ${token.toUpperCase()}${/[a-f]/.test(token) ? '' : 'x'}`,
    `Bearer ${'0'.repeat(64)}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${'é'.repeat(64)}`,
  ]

  it('is nobody with another token, whatever its form', async () => {
    for (const authorization of wrong()) {
      const asked = { path: '/mine', headers: { authorization } }
      const reply = contract.check(asked, await injected(node.app, asked, '192.0.2.9'))
      expect(reply.json, authorization).toMatchObject({ statusCode: 403, code: 'request.operator' })
    }
  })

  it.each(['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'])(
    'is not everybody behind a proxy on this machine that says so by %s',
    async (header) => {
      for (const value of ['192.0.2.9', '127.0.0.1', ''])
        for (const asked of operators()) {
          const sent = withHeaders(asked, { [header]: value })
          expect((await contract.ask(node, sent)).json, asked.path).toMatchObject({ code: 'request.operator' })
          const shown = withHeaders(sent, { authorization: `Bearer ${token}` })
          expect((await contract.ask(node, shown)).status).toBeLessThan(300)
        }
    },
  )

  const own = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address

  it.skipIf(own === undefined)('is not somebody on the network, over a real connection', async () => {
    const open = await startTestNode({ host: '0.0.0.0' })
    const ip = own as string
    const target = { port: open.port, ip }
    const host = `${ip}:${open.port}`
    const told = await Contract.of(open.app)
    for (const asked of operators())
      expect((await told.ask(target, withHeaders(asked, { host }))).json).toMatchObject({ code: 'request.operator' })
    expect((await told.ask(target, { path: '/status', headers: { host } })).json.height).toBe(1)
    // Paying is everybody's right.
    const paid = withHeaders(post('/transactions/new', signed(open.chain)), { host })
    expect((await told.ask(target, paid)).status).toBe(201)
    expect((await told.ask(open, { path: '/mine' })).status).toBe(200)
    await open.stop()
  })
})

describe('a host to listen on', () => {
  it.each(['localhost', '127.0.0.1', '127.8.9.10', '::1'])('%s is this machine', (host) => {
    expect(isThisMachine(host)).toBe(true)
  })

  it.each(['0.0.0.0', '::', '10.0.0.7', '127.example', '127.0.0.1.example', 'localhost.example', ''])(
    '%j may be within reach of others',
    (host) => {
      expect(isThisMachine(host)).toBe(false)
    },
  )
})

describe('a flood', () => {
  let open: TestNode
  beforeAll(async () => {
    open = await startTestNode({ host: '0.0.0.0' })
  })
  afterAll(() => open.stop())

  /** One after the other: of those that come at the same moment the limiter lets none in. */
  beforeEach(() => {
    // The limiter's second lasts as long as the test likes.
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  async function flood(
    from: (i: number) => string,
    headers: Record<string, string> = {},
    what: Asked = { path: '/health' },
  ): Promise<Answer[]> {
    const asked = withHeaders(what, headers)
    const replies: Answer[] = []
    for (let i = 0; i < 120; i++) replies.push(contract.check(asked, await injected(open.app, asked, from(i))))
    return replies
  }

  const refusedOf = (replies: readonly Answer[]) => replies.filter(({ status }) => status === 429)

  it('of a stranger is let in at 50 a second; the others and this machine are served', async () => {
    const replies = await flood(() => '198.51.100.1')
    expect(replies.map(({ status }) => status)).toEqual([...Array(50).fill(200), ...Array(70).fill(429)])
    expect(replies[50]?.json).toMatchObject({ code: 'request.rate' })
    vi.advanceTimersByTime(1_000)
    expect((await injected(open.app, { path: '/health' }, '198.51.100.1')).status).toBe(200)
    expect((await injected(open.app, { path: '/health' }, '198.51.100.2')).status).toBe(200)
    expect(refusedOf(await flood(() => '127.0.0.1'))).toEqual([])
  })

  it.each<[Asked, number, string]>([
    [{ path: '/nothing' }, 404, '198.51.100.4'],
    [post('/nothing', '{'), 404, '198.51.100.5'],
    [{ method: 'DELETE', path: '/mine' }, 405, '198.51.100.6'],
    [{ path: '/mine' }, 403, '198.51.100.7'],
  ])('is one whatever is asked for: %j', async (asked, status, stranger) => {
    const replies = await flood(() => stranger, {}, asked)
    expect(replies.map((reply) => reply.status)).toEqual([...Array(50).fill(status), ...Array(70).fill(429)])
    expect((await injected(open.app, { path: '/health' }, stranger)).status).toBe(429)
  })

  it('of one network of IPv6 is one stranger', async () => {
    expect(refusedOf(await flood((i) => `2001:db8:1:1::${i.toString(16)}`))).toHaveLength(70)
  })

  it('is not let in under a forwarded name', async () => {
    const replies = await flood(() => '198.51.100.3', { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' })
    expect(refusedOf(replies)).toHaveLength(70)
  })
})

describe('a body', () => {
  const pad = (length: number) => JSON.stringify({ ...signed(node.chain, { amount: 1 }), more: 'x'.repeat(length) })

  it('of more than 100,000 bytes: 413', async () => {
    for (const path of ['/transactions/new', '/nodes/register', '/mine'])
      for (const length of [100_000, 1_000_000, 20_000_000]) {
        // A client that is still sending may be hung up on before it reads the answer.
        const reply = await ask(node, post(path, pad(length))).catch((error: NodeJS.ErrnoException) => error)
        if (reply instanceof Error) expect(reply.code).toMatch(/EPIPE|ECONNRESET/)
        else expect(contract.check({ method: 'POST', path }, reply).json).toMatchObject({ code: 'request.too_large' })
      }
  })

  it('of just under that is read: 400 for what is in it', async () => {
    expect((await contract.ask(node, post('/nodes/register', pad(99_000)))).json).toMatchObject({
      code: 'request.invalid',
    })
  })

  it('with a transaction is as long as a line of many may be: 8 KB', async () => {
    const sent = async (length: number) => (await contract.ask(node, post('/transactions/new', pad(length)))).json
    expect(await sent(7_000)).toMatchObject({ code: 'tx.shape' })
    expect(await sent(8_192)).toMatchObject({ code: 'request.too_large' })
  })

  it.each([
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
    'application/jsonx',
    'application/vnd.api+json',
    'application',
    'x',
    '*/*',
    ';',
  ])('of the type %s: 415', async (type) => {
    const text = JSON.stringify(signed(node.chain))
    for (const path of ['/transactions/new', '/nodes/register', '/mine']) {
      const { json } = await contract.ask(node, post(path, text, { 'content-type': type }))
      expect(json, path).toMatchObject({ statusCode: 415, code: 'request.media_type' })
    }
  })

  it.each<[string, string, string]>([
    ['POST', '/nothing', 'request.not_found'],
    ['POST', '/dev/revert', 'request.dev_only'],
    ['DELETE', '/mine', 'request.method'],
    ['PUT', '/blocks', 'request.method'],
  ])('is of no interest where nothing takes it: %s %s', async (method, path, code) => {
    for (const type of ['application/json', 'application/x-ndjson', 'application/x-www-form-urlencoded', 'x'])
      for (const body of ['', '{"id": 1}', 'id=1', pad(150_000)]) {
        const asked = { method, path, body, headers: { 'content-type': type } }
        const reply = contract.check(asked, await injected(node.app, asked))
        expect(reply.json, type).toMatchObject({ code })
      }
  })

  it.each(['text/plain', 'json', ';', ''])('of another type (%j) is told which one is taken', async (type) => {
    for (const [path, taken] of [
      ['/mine', 'application/json'],
      ['/transactions', 'application/x-ndjson'],
    ] as const) {
      const { json } = await contract.ask(node, post(path, 'x', { 'content-type': type }))
      expect(json).toMatchObject({ statusCode: 415, message: `A body of the type ${taken} was expected.` })
    }
  })

  it.each(['application/x-www-form-urlencoded', 'application/json', 'json'])(
    'that is empty is none where none is asked for: of the type %s',
    async (type) => {
      const headers = { 'content-type': type }
      expect((await contract.ask(node, post('/mine', '', headers))).status).toBe(200)
      expect((await contract.ask(node, { method: 'POST', path: '/mine', headers })).status).toBe(200)
    },
  )

  it('of no lines is one all the same', async () => {
    const reply = await ask(node, post('/transactions', '', { 'content-type': 'application/x-ndjson' }))
    expect([reply.status, reply.text]).toEqual([200, ''])
  })

  it('of no type: 415', async () => {
    const text = JSON.stringify(signed(node.chain))
    const { json } = await contract.ask(node, { method: 'POST', path: '/transactions/new', body: text })
    expect(json).toMatchObject({ statusCode: 415, code: 'request.media_type' })
  })

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
  ])('of the type %s is read', async (type) => {
    const { json } = await contract.ask(node, post('/transactions/new', '{}', { 'content-type': type }))
    expect(json).toMatchObject({ statusCode: 400, code: 'tx.shape' })
  })

  it('that is compressed is not unpacked: 400', async () => {
    const { json } = await contract.ask(node, post('/transactions/new', '\u001f\u008b', { 'content-encoding': 'gzip' }))
    expect(json).toMatchObject({ statusCode: 400, code: 'message.malformed' })
  })
})

describeWith(CHROMIUM !== undefined, 'no chromium here: apt-get install chromium', 'in a real browser', () => {
  it('a page of another origin neither mines nor sends', { timeout: 180_000 }, async () => {
    const seen: { asked: string; host: string | undefined; site: string | undefined }[] = []
    node.app.server.on('request', ({ method, url, headers }) => {
      seen.push({
        asked: `${method} ${url}`,
        host: headers.host,
        site: headers['sec-fetch-site'] as string | undefined,
      })
    })
    const transaction = JSON.stringify(signed(node.chain, { nonce: 0, memo: 'stolen' }))
    const names = ['localhost', '127.0.0.1', '0.0.0.0', '[::ffff:127.0.0.1]', 'node.example', 'rebound.example']
    const page = await serve(
      attack(
        names.map((name) => `http://${name}:${node.port}`),
        transaction,
      ),
    )
    const before = await state()
    try {
      await browse(`http://evil.example:${page.port}/`, ['evil.example', 'node.example', 'rebound.example'], page.done)
      expect(await page.done).toBe('all was tried')
      expect(await state()).toEqual(before)
    } finally {
      page.server.close()
    }
    // It was really tried: every way reached the node, as a stranger.
    const mined = seen.filter(({ asked }) => asked === 'GET /mine' || asked === 'GET /mine?')
    expect(new Set(mined.filter(({ site }) => site === 'cross-site').map(({ host }) => host))).toContain(
      `localhost:${node.port}`,
    )
    expect(mined.length).toBeGreaterThanOrEqual(10)
    expect(seen.filter(({ asked }) => asked === 'POST /mine').length).toBeGreaterThanOrEqual(3)
    expect(seen.filter(({ asked }) => asked === 'POST /transactions/new').length).toBeGreaterThanOrEqual(3)
    expect(seen.some(({ host }) => host?.startsWith('rebound.example'))).toBe(true)
    // The same in the address bar is the user's own wish.
    const { height } = (await contract.ask<{ height: number }>(node, { path: '/status' })).json
    const once = new Promise((resolve) =>
      node.app.server.on('request', ({ url }, reply) => url === '/mine' && reply.once('finish', resolve)),
    )
    await browse(`http://localhost:${node.port}/mine`, [], once)
    expect((await contract.ask<{ height: number }>(node, { path: '/status' })).json.height).toBeGreaterThan(height)
  })
})

/** Everything that a page can try without asking anybody. */
function attack(bases: readonly string[], transaction: string): string {
  return `<!doctype html><meta name="referrer" content="no-referrer"><body><script type="module">
const transaction = ${JSON.stringify(transaction)}
const settle = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 1500))]).catch(() => {})
const loaded = (tag, fields) => new Promise((resolve) => {
  const element = Object.assign(document.createElement(tag), fields, { onload: resolve, onerror: resolve })
  document.body.append(element)
})
const submitted = (action, method, enctype, name, value) => new Promise((resolve) => {
  const frame = Object.assign(document.createElement('iframe'), { name: Math.random().toString(36), onload: resolve })
  const form = Object.assign(document.createElement('form'), { action, method, enctype, target: frame.name })
  if (name) form.append(Object.assign(document.createElement('input'), { name, value }))
  document.body.append(frame, form)
  form.submit()
})
const json = { 'content-type': 'application/json' }
for (const base of ${JSON.stringify(bases)}) {
  const url = base + '/mine', tx = base + '/transactions/new'
  const ways = [
    () => fetch(url),
    () => fetch(url, { mode: 'no-cors' }),
    () => fetch(url, { mode: 'no-cors', method: 'POST' }),
    () => fetch(url, { mode: 'no-cors', credentials: 'include', referrerPolicy: 'unsafe-url', cache: 'reload' }),
    () => fetch(url, { method: 'POST', headers: json, body: '{}' }),
    () => fetch(tx, { method: 'POST', headers: json, body: transaction }),
    () => fetch(tx, { method: 'POST', mode: 'no-cors', body: transaction }),
    () => fetch(tx, { method: 'POST', mode: 'no-cors', body: new Blob([transaction], { type: 'text/plain' }) }),
    () => navigator.sendBeacon(url),
    () => navigator.sendBeacon(tx, new Blob([transaction], { type: 'application/json' })),
    () => navigator.sendBeacon(tx, transaction),
    () => loaded('img', { src: url, referrerPolicy: 'no-referrer' }),
    () => loaded('img', { src: base + '/secret' }),
    () => loaded('script', { src: url }),
    () => loaded('link', { rel: 'stylesheet', href: url }),
    () => loaded('link', { rel: 'prefetch', href: url }),
    () => loaded('link', { rel: 'preload', as: 'image', href: url }),
    () => loaded('iframe', { src: url, referrerPolicy: 'no-referrer' }),
    () => loaded('iframe', { srcdoc: '<meta http-equiv="refresh" content="0;url=' + url + '">' }),
    () => loaded('iframe', { srcdoc: '<img src="' + url + '">', sandbox: '' }),
    () => loaded('video', { src: url }),
    () => loaded('object', { data: url }),
    () => loaded('embed', { src: url }),
    () => submitted(url, 'get', ''),
    () => submitted(url, 'post', ''),
    () => submitted(tx, 'post', 'text/plain', transaction.slice(0, -1) + ', "x": "', '"}'),
    () => submitted(tx, 'post', 'application/x-www-form-urlencoded', 'amount', '5'),
    () => new EventSource(url),
    () => new WebSocket(url.replace('http', 'ws')),
    () => new Worker(URL.createObjectURL(new Blob(['fetch("' + url + '", { mode: "no-cors" })']))),
  ]
  await Promise.all(ways.map((way) => settle(new Promise((resolve) => resolve(way())))))
}
await new Promise((resolve) => setTimeout(resolve, 1000))
await fetch('/done', { method: 'POST', body: 'all was tried' })
</script>`
}
