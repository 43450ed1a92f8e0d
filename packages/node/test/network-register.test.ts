/** `POST /nodes/register` aimed at what is no node, at what pretends to be one, and at what should be left alone. */
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createSocketServer } from 'node:net'
import { join } from 'node:path'
import { createGzip } from 'node:zlib'
import { addressOfPublicKey, canonicalJson, type JsonObject, type JsonValue } from '@bc/core'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { Chain } from '../src/chain/chain.ts'
import { ListSplitter } from '../src/list-splitter.ts'
import { askChain, askStatus, MOST_AT_ONCE, parseNodeUrl } from '../src/network/neighbours/http-peer.ts'
import { Neighbours } from '../src/network/neighbours/neighbours.ts'
import { memoryLog } from './support/http-node.ts'
import { openParts } from './support/http-parts.ts'
import { genesisSite, grown, networkRules, type Site } from './support/network-chain.ts'
import {
  addressOf,
  connect,
  mine,
  register,
  resolve,
  startNetworkNode,
  statusOf,
  temporaryFolder,
  until,
} from './support/network-nodes.ts'
import { ordeals } from './support/network-ordeal.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const servers: Server[] = []

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** @returns its `host:port`, and the paths that it was asked for */
async function serve(handler: Handler) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.on('error', () => undefined)
    handler(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { name: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

function answering(value: JsonValue): Handler {
  return (_, response) => response.setHeader('content-type', 'application/json').end(canonicalJson(value))
}

/** A tutorial node: it has a chain, and no status. */
function tutorial(texts: readonly string[]): Handler {
  return ({ url }, response) => {
    response.setHeader('content-type', 'application/json')
    if (url === '/chain') response.end(`{"length": ${texts.length}, "chain": [${texts.join(', ')}]}`)
    else response.writeHead(404).end('{"message": "Not Found"}')
  }
}

function endless(head: string, part: string): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' })
    response.socket?.write(head)
    const more = () => {
      while (response.socket?.writable && response.socket.write(part));
    }
    response.socket?.on('drain', more).on('error', () => undefined)
    more()
  }
}

/** Of the ports that `fetch` takes for those of other services, one that is free. */
async function awkwardPort(server: Server): Promise<number | undefined> {
  for (const port of [6000, 5060, 5061, 6665, 6666, 6667, 6668, 6669, 10080]) {
    server.listen(port, '127.0.0.1')
    const free = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ])
    if (free) return port
  }
  return undefined
}

test('a node may listen on any port', async (context) => {
  const server = createServer((_, response) => void response.end('{"height": 1}'))
  const port = await awkwardPort(server)
  if (port === undefined) return context.skip()
  const url = parseNodeUrl(`127.0.0.1:${port}`)
  expect(await askStatus(url, 0, new AbortController().signal)).toEqual({ height: 1 })
  server.close()
})

describe('register', () => {
  const survive = ordeals()

  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1:21',
    'gopher://127.0.0.1:70',
    'http://user:pass@127.0.0.1:5000',
    'http://127.0.0.1:5000/path',
    'http://127.0.0.1:5000/?a=b',
    'http://127.0.0.1:5000/#x',
    'javascript:alert(1)',
    'data:text/plain,x',
    'http://',
    '//127.0.0.1',
    '',
    ' ',
    'http://127.0.0.1:99999',
    '/ip4/127.0.0.1/tcp/1/p2p/12D3KooW',
    '/unix/tmp/socket',
    '/ip4/127.0.0.1/udp/1/quic-v1',
    '/dns4/localhost/tcp/1/ws',
  ])('at %j: refused, and nobody asked', (text) =>
    survive(`register ${text}`, async ({ victim }) => {
      expect(await register(victim, [text])).toMatchObject({ status: 400 })
      expect(await (await fetch(`${victim.url}/nodes`)).json()).toMatchObject({ length: 0 })
    }),
  )

  const refused: Record<string, () => Handler> = {
    'a redirect': () => (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/status' }).end(),
    'a page of HTML': () => (_, response) =>
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Router</title>'),
    'a page of HTML that isn’t there either': () => (_, response) =>
      response.writeHead(404, { 'content-type': 'text/html' }).end('<!doctype html><title>Not found</title>'),
    'another chain': () => answering({ chain: 'f'.repeat(64), p2p: [] }),
    'no chain at all': () => answering({ chain: { a: 1 }, p2p: 'x' }),
    'our chain, at nobody’s address': () => answering({ chain: genesisSite().chain, p2p: [] }),
    'our chain, at other machines': () =>
      answering({
        chain: genesisSite().chain,
        p2p: [
          '/ip4/10.0.0.1/tcp/22/p2p/x',
          '/unix/tmp/x',
          '/ip4/127.0.0.1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
        ],
      }),
    'an error': () => (_, response) => response.writeHead(500).end(),
    'numbers that can be read in two ways': () => (_, response) => response.end('{"chain": 1e3}'),
    'a compressed gigabyte': () => (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      const zeros = Buffer.alloc(1_000_000)
      let sent = 0
      const more = () => {
        while (sent++ < 1_000 && response.writable) if (!gzip.write(zeros)) return void gzip.once('drain', more)
        gzip.end()
      }
      more()
    },
    'an answer without an end': () => endless('', ' '.repeat(65_536)),
    'an answer longer than it says': () => (_, response) => {
      response.writeHead(200, { 'content-length': '2' })
      response.socket?.write(`{}${'x'.repeat(1_000_000)}`)
    },
    'an answer shorter than it says': () => (_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{}')
      setTimeout(() => response.destroy(), 100)
    },
    'a chain whose first block has no end':
      () =>
      ({ url }, response) => {
        if (url !== '/chain') return void response.writeHead(404).end()
        response.writeHead(200)
        response.write('{"chain": [{"x": "')
        const more = () => {
          while (response.writable && response.write('x'.repeat(65_536)));
        }
        response.on('drain', more)
        more()
      },
    'a tutorial node without a chain': () => tutorial([]),
    'a tutorial node of another chain': () => tutorial(genesisSite(networkRules({ miningReward: 51 })).texts),
    'a tutorial node of no chain of ours': () => tutorial(['{"index": 1, "proof": 1.5}']),
    'headers without an end': () => (_, response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\n')
      const more = () => {
        while (response.socket?.writable && response.socket.write(`x-${Math.random()}: ${'x'.repeat(1_000)}\r\n`));
      }
      response.socket?.on('drain', more).on('error', () => undefined)
      more()
    },
  }
  test.each(Object.keys(refused))('at %s: refused', (what) =>
    survive(`register: ${what}`, async ({ victim }) => {
      const { name } = await serve(refused[what]?.() as Handler)
      const { status, body } = await register(victim, [name])
      expect({ status, body: JSON.parse(body).code }).toEqual({ status: 400, body: 'request.invalid' })
    }),
  )

  const EVIL = '\u009b31mEVIL\u009b2J'
  const drawn: Record<string, Handler> = {
    'an encoding': (_, response) => response.writeHead(200, { 'content-encoding': EVIL }).end('{}'),
    'a chain': answering({ chain: `${EVIL}\u202e`, p2p: [] }),
    'a peer address': answering({ chain: genesisSite().chain, p2p: [`/ip4/127.0.0.1/tcp/1/p2p/${EVIL}`] }),
  }
  test.each(Object.keys(drawn))('at %s that would draw on a terminal: in the answer there is no such thing', (what) =>
    survive(`register: draws by ${what}`, async ({ victim }) => {
      const { name } = await serve(drawn[what] as Handler)
      const { status, body } = await register(victim, [name])
      expect({ status, body }).toEqual({ status: 400, body: expect.stringMatching(/^[ -~]+$/) })
    }),
  )

  test('at a redirect: the place that it names is never asked', () =>
    survive('register: redirect to another', async ({ victim }) => {
      const secret = await serve(answering({ chain: victim.chain, p2p: [] }))
      const door = await serve((_, response) =>
        response.writeHead(307, { location: `http://${secret.name}/status` }).end(),
      )
      expect(await register(victim, [door.name])).toMatchObject({ status: 400 })
      expect(secret.asked).toEqual([])
    }))

  test('at a server that is silent, or slow: given up within seconds, and the node answers others meanwhile', () =>
    survive('register: silent and slow', async ({ victim }) => {
      const silent = createSocketServer(() => undefined)
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
      const slow = await serve((_, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write(' '), 500)
        response.on('close', () => clearInterval(timer))
      })
      const start = performance.now()
      const asked = Promise.all([
        register(victim, [`127.0.0.1:${(silent.address() as AddressInfo).port}`]),
        register(victim, [slow.name]),
      ])
      expect((await statusOf(victim)).height).toBeGreaterThan(0)
      expect((await asked).map(({ status }) => status)).toEqual([400, 400])
      expect(performance.now() - start).toBeLessThan(15_000)
      silent.close()
    }))

  test('at itself: refused', () =>
    survive('register: itself', async ({ victim, address }) => {
      for (const name of [victim.url, address]) {
        const { status, body } = await register(victim, [name])
        expect({ status, body }).toMatchObject({ status: 400, body: expect.stringContaining('self') })
      }
    }))

  test('at a real node of another chain: refused, by URL and by address', () =>
    survive('register: another chain', async ({ victim }) => {
      const other = await startNetworkNode({ rules: { miningReward: 51 } })
      const address = await addressOf(other)
      for (const name of [other.url, address]) {
        const { status, body } = await register(victim, [name])
        expect({ status, body }).toMatchObject({ status: 400, body: expect.stringContaining('another chain') })
      }
    }))

  test('at a node that hangs up as soon as it is dialled: refused, and why', () =>
    survive('register: hangs up', async ({ victim, hostile }) => {
      const rude = await hostile({ waits: true })
      rude.node.addEventListener('connection:open', ({ detail }) => detail.abort(new Error('no')))
      const { status, body } = await register(victim, [rude.address])
      expect({ status, body }).toMatchObject({
        status: 400,
        body: expect.stringContaining('hung up before it said which chain'),
      })
    }))

  test('more than 32 at once, as the API describes it: refused, and nobody asked', () =>
    survive('register: 33 at once', async ({ victim }) => {
      const { name, asked } = await serve(tutorial(genesisSite().texts))
      const { status, body } = await register(victim, Array(33).fill(name))
      expect({ status, body }).toMatchObject({ status: 400, body: expect.stringContaining('at most 32') })
      expect(asked).toEqual([])
      expect(await register(victim, Array(32).fill(name))).toMatchObject({ status: 201 })
      const { paths } = JSON.parse(await (await fetch(`${victim.url}/openapi.json`)).text())
      const { content } = paths['/nodes/register'].post.requestBody
      expect(content['application/json'].schema.properties.nodes.maxItems).toBe(32)
    }))

  test('one that is no node among others: none of them is registered', () =>
    survive('register: all or none', async ({ victim }) => {
      const good = await serve(tutorial(genesisSite().texts))
      const bad = await serve(answering([]))
      expect(await register(victim, [good.name, bad.name])).toMatchObject({ status: 400 })
      const { nodes } = (await (await fetch(`${victim.url}/nodes`)).json()) as { nodes: string[] }
      expect(nodes).not.toContain(good.name)
    }))
})

// Names to us: no more than localhost is every machine sure to know by name.
test.each(['127.1', '0'])('a node that listens on %s has peer addresses, and can be registered', async (host) => {
  const [node, other] = [await startNetworkNode({ host }), await startNetworkNode()]
  await connect(other, node)
  expect(await statusOf(other)).toMatchObject({ peers: 1 })
})

describe('where the allocations are longer than all else', () => {
  const funded = (count: number) => ({
    allocations: Object.fromEntries(
      Array.from({ length: count }, (_, n) => [addressOfPublicKey(`02${String(n).padStart(64, '0')}`), 1]),
    ),
    maxBlockBytes: 3_000,
  })

  test('a node is registered by its URL', async () => {
    const rules = funded(1_500)
    const [node, other] = [await startNetworkNode({ rules }), await startNetworkNode({ rules })]
    await connect(node, other)
  })

  test('a tutorial node is registered, and its chain taken', async () => {
    const rules = funded(80)
    const site = grown(genesisSite(networkRules(rules)), 2)
    expect(site.texts[0]?.length).toBeGreaterThan(2 * rules.maxBlockBytes)
    const node = await startNetworkNode({ rules })
    const { name } = await serve(tutorial(site.texts))
    expect(await register(node, [name])).toMatchObject({ status: 201 })
    expect(await resolve(node)).toBe('Our chain was replaced')
  })
})

test('where the disk takes no neighbours, nobody is added, and the node stops', async () => {
  const dataDirectory = temporaryFolder()
  const node = await startNetworkNode({ dataDirectory })
  const good = await serve(tutorial(genesisSite().texts))
  mkdirSync(join(dataDirectory, 'neighbours.json'))
  // Twice: what wasn't kept is not known the second time either.
  for (let i = 0; i < 2; i++) expect(await register(node, [good.name])).toMatchObject({ status: 503 })
  expect(await (await fetch(`${node.url}/nodes`)).json()).toEqual({ nodes: [], length: 0 })
  expect(await node.failed).toMatchObject({ name: 'StorageError', message: expect.stringContaining('neighbours.json') })
  expect(readdirSync(dataDirectory).filter((name) => name.startsWith('neighbours'))).toEqual(['neighbours.json'])
})

test.each([
  ['with a comma too many', '{"neighbours": ["localhost:5001",]}', 'JSON'],
  ['without an end', '{"neighbours": [', 'JSON'],
  ['without a text', '', 'JSON'],
  ['without a list', '{"neighbors": ["localhost:5001"]}', 'it holds no list "neighbours"'],
  ['of nothing', 'null', 'it holds no list "neighbours"'],
  ['with a number', '{"neighbours": ["localhost:5001", 7]}', '7 is no node'],
  ['with what is no node', '{"neighbours": ["localhost:5001", "file:///x"]}', '"file:///x" is none'],
  ['longer than any', `{"neighbours": ["${'x'.repeat(1_000_000)}"]}`, 'longer than'],
])('a list of neighbours %s keeps the node from starting, and stays as it is', async (_, text, reason) => {
  const dataDirectory = temporaryFolder()
  const file = join(dataDirectory, 'neighbours.json')
  writeFileSync(file, text, { mode: 0o600 })
  const start = startNetworkNode({ dataDirectory })
  await expect(start).rejects.toMatchObject({ name: 'StartError', message: expect.stringContaining(file) })
  await expect(start).rejects.toThrow(reason)
  expect(readFileSync(file, 'utf8')).toBe(text)
})

test('a neighbour is kept as it was last called', async () => {
  const dataDirectory = temporaryFolder()
  const node = await startNetworkNode({ dataDirectory })
  const { name } = await serve(tutorial(genesisSite().texts))
  for (const text of [name, `http://${name}`]) {
    expect(await register(node, [text])).toMatchObject({ status: 201 })
    const kept = JSON.parse(readFileSync(join(dataDirectory, 'neighbours.json'), 'utf8'))
    expect(kept).toEqual({ neighbours: [text] })
  }
})

describe('a tutorial node’s chain', () => {
  async function resolved(handler: Handler, rules: Record<string, unknown> = {}) {
    const node = await startNetworkNode({ rules })
    const { name, asked } = await serve(handler)
    expect(await register(node, [name])).toMatchObject({ status: 201 })
    return { node, asked, message: await resolve(node), status: await statusOf(node) }
  }

  test('with more work is taken', async () => {
    const site = grown(genesisSite(), 5)
    const { message, status } = await resolved(tutorial(site.texts))
    expect({ message, tip: status.tip }).toEqual({ message: 'Our chain was replaced', tip: site.parent.hash })
  })

  test('without more work is read once, and nothing of it kept', async () => {
    const { asked, message } = await resolved(tutorial(genesisSite().texts))
    expect(message).toBe('Our chain is authoritative')
    expect(asked.filter((path) => path === '/chain').length).toBe(2)
  })

  test('without more work replaces nothing, even where we find a block meanwhile', async () => {
    const node = await startNetworkNode()
    await mine(node)
    let chains = 0
    const { name } = await serve(async (request, response) => {
      // To be registered it is enough to have our first block.
      if (request.url === '/chain' && chains++ > 0) await mine(node)
      tutorial(genesisSite().texts)(request, response)
    })
    expect(await register(node, [name])).toMatchObject({ status: 201 })
    expect(await resolve(node)).toBe('Our chain is authoritative')
    expect(await statusOf(node)).toMatchObject({ height: 3 })
  })

  test('is taken at once by a node that has been started again', async () => {
    const dataDirectory = temporaryFolder()
    let site = genesisSite()
    const { name } = await serve((request, response) => tutorial(site.texts)(request, response))
    const before = await startNetworkNode({ dataDirectory })
    expect(await register(before, [name])).toMatchObject({ status: 201 })
    await before.stop()
    site = grown(site, 5)
    expect(await resolve(await startNetworkNode({ dataDirectory }))).toBe('Our chain was replaced')
  })

  test('waits for the disk with its last block alone', async () => {
    const imported = vi.spyOn(Chain.prototype, 'import')
    await resolved(tutorial(grown(genesisSite(), 5).texts))
    const options = imported.mock.calls.map(([, given]) => given)
    imported.mockRestore()
    expect(options).toEqual([false, false, false, false, true].map((sync) => ({ sync })))
  })

  test('is spelled at most twice as long as our rules allow', async () => {
    const longest = 1_000
    for (const [length, isRead] of [
      [2 * longest, true],
      [2 * longest + 1, false],
    ] as const) {
      const { name } = await serve(tutorial([`{"x": "${'x'.repeat(length - '{"x": ""}'.length)}"}`]))
      const read = async () => {
        const lengths: number[] = []
        for await (const text of askChain(parseNodeUrl(name), longest, new AbortController().signal))
          lengths.push(text.length)
        return lengths
      }
      if (isRead) expect(await read()).toEqual([length])
      else await expect(read()).rejects.toMatchObject({ code: 'request.invalid' })
    }
  })

  const bad: Record<string, (site: Site) => readonly string[]> = {
    'that breaks a rule at its end': (site) => [...site.texts.slice(0, -1), twisted(site.texts.at(-1) as string)],
    'with a gap': (site) => site.texts.toSpliced(2, 1),
    'of numbers that can be read in two ways': (site) => site.texts.toSpliced(3, 1, '{"index": 4.0}'),
    'of nothing': (site) => site.texts.slice(0, 1).concat('{}', '{}'),
  }
  test.each(Object.keys(bad))('%s is refused', async (what) => {
    const { message, status } = await resolved(tutorial(bad[what]?.(grown(genesisSite(), 5)) ?? []))
    expect({ message, height: status.height }).toEqual({ message: 'Our chain is authoritative', height: 1 })
  })

  test('is known by whatever spelling of our genesis block', async () => {
    const texts = grown(genesisSite(), 5).texts.map((text) => JSON.stringify(JSON.parse(text), null, 1))
    expect(await resolved(tutorial(texts))).toMatchObject({ message: 'Our chain was replaced', status: { height: 6 } })
  })

  test('that has another genesis block by then is refused', async () => {
    const other = grown(genesisSite(networkRules({ miningReward: 51 })), 5)
    let site = genesisSite()
    const { log, logged } = memoryLog()
    const node = await startNetworkNode({ log })
    const { name } = await serve((request, response) => tutorial(site.texts)(request, response))
    expect(await register(node, [name])).toMatchObject({ status: 201 })
    site = other
    expect(await resolve(node)).toBe('Our chain is authoritative')
    expect(logged()).toContain(`${name} is on another chain: its first block is not ours.`)
  })

  test('that is another one when it is asked for again is refused', async () => {
    const [good, other] = [grown(genesisSite(), 5), grown(genesisSite(), 3, 9)]
    let chains = 0
    const { status } = await resolved((request, response) => {
      if (request.url === '/chain') chains++
      tutorial(chains < 3 ? good.texts : other.texts)(request, response)
    })
    expect(status.height).toBe(1)
  })

  test('that never ends keeps no node from its own end, and who waits for it is told', async () => {
    const [genesis] = genesisSite().texts
    let chains = 0
    let tricklesOn: Promise<unknown> | undefined
    const { name } = await serve((request, response) => {
      if (request.url !== '/chain') return void response.writeHead(404).end()
      response.write(`{"chain": [${genesis}`)
      // To be registered it is enough to have our first block.
      if (chains++ === 0) return void response.end(']}')
      const timer = setInterval(() => response.write(' '), 100)
      tricklesOn = once(response, 'close').then(() => clearInterval(timer))
    })
    const node = await startNetworkNode()
    expect(await register(node, [name])).toMatchObject({ status: 201 })
    const answer = fetch(`${node.url}/nodes/resolve`)
    await until(async () => tricklesOn !== undefined)
    await node.stop()
    expect(await (await answer).json()).toMatchObject({ statusCode: 503, code: 'node.stopping' })
    await tricklesOn
  })

  test('that trickles is given up within seconds', async () => {
    const [genesis] = genesisSite().texts
    let chains = 0
    const { name } = await serve((request, response) => {
      if (request.url !== '/chain') return void response.writeHead(404).end()
      response.write(`{"chain": [${genesis}`)
      if (chains++ === 0) return void response.end(']}')
      const timer = setInterval(() => response.write(' '), 500)
      response.on('close', () => clearInterval(timer))
    })
    const node = await startNetworkNode()
    expect(await register(node, [name])).toMatchObject({ status: 201 })
    expect(await resolve(node)).toBe('Our chain is authoritative')
  })
})

describe('neighbours', () => {
  const PLACE = '/ip4/127.0.0.1/tcp/1/p2p/somebody'

  async function neighboursOver(dial: (address: string) => Promise<string>, file?: string) {
    const { chain } = await openParts()
    const resolve = async (look: () => Promise<void>) => look().then(() => false)
    const network = { dial, resolve, isConnected: () => false, listensAt: () => true }
    const { log } = memoryLog()
    return { chain, neighbours: new Neighbours({ chain, network, log, file }) }
  }

  test('are 256 at the most', async () => {
    const { neighbours } = await neighboursOver(async () => 'somebody')
    const texts = Array.from({ length: 256 }, (_, i) => PLACE.replace('tcp/1', `tcp/${1 + i}`))
    for (let i = 0; i < texts.length; i += MOST_AT_ONCE) await neighbours.register(texts.slice(i, i + MOST_AT_ONCE))
    const oneMore = neighbours.register([PLACE.replace('tcp/1', 'tcp/257')])
    await expect(oneMore).rejects.toMatchObject({ code: 'node.busy' })
    // Who is one already may be called so again.
    await neighbours.register(texts.slice(0, 1))
    expect(neighbours.names()).toEqual(texts)
  })

  test('of whom a file names more than may be registered are all there', async () => {
    const file = join(temporaryFolder(), 'neighbours.json')
    const names = Array.from({ length: 257 }, (_, i) => `127.0.0.1:${5_000 + i}`)
    writeFileSync(file, JSON.stringify({ neighbours: names }), { mode: 0o600 })
    const { neighbours } = await neighboursOver(async () => 'somebody', file)
    expect(neighbours.names()).toEqual(names)
  })

  test('are looked for at four of their addresses', async () => {
    const dialled: string[] = []
    const { chain, neighbours } = await neighboursOver(async (address) => {
      dialled.push(address)
      throw new Error('nobody is there')
    })
    const p2p = Array.from({ length: 10 }, (_, i) => `/ip4/10.0.0.1/tcp/${1 + i}/p2p/somebody`)
    const { name } = await serve(answering({ chain: chain.id, p2p }))
    await expect(neighbours.register([name])).rejects.toMatchObject({ code: 'request.invalid' })
    expect(dialled).toEqual(p2p.slice(0, 4).map((address) => address.replace('10.0.0.1', '127.0.0.1')))
  })

  test('that are found as they were called before stay called as they are now', async () => {
    const file = join(temporaryFolder(), 'neighbours.json')
    const kept = () => JSON.parse(readFileSync(file, 'utf8')).neighbours
    let found = (_: string) => {}
    const searched = new Promise<string>((resolve) => {
      found = resolve
    })
    let dials = 0
    const { chain, neighbours } = await neighboursOver(async () => (++dials === 2 ? searched : 'somebody'), file)
    const { name } = await serve(answering({ chain: chain.id, p2p: [PLACE] }))
    await neighbours.register([name])
    const resolved = neighbours.resolve()
    await until(async () => dials === 2)
    await neighbours.register([`http://${name}`])
    found('somebody')
    await resolved
    await neighbours.register([PLACE])
    expect(kept()).toEqual([`http://${name}`, PLACE])
  })
})

describe('cutting a chain into its blocks', () => {
  const chainSplitter = () => new ListSplitter({ maxItemBytes: 100, key: 'chain' })
  const text =
    '{"length": 3, "note": "chain [{", "{\\"chain": [{}], "x": [{"chain": [{}]}], "chain": [{"a": "}]\\\\"}, {"b": [{}, "{"]},{}], "z": [{}]}'

  test.each([1, 2, 3, 7, 1_000])('that arrives in pieces of %d bytes', (size) => {
    const splitter = chainSplitter()
    const blocks: string[] = []
    for (let at = 0; at < text.length; at += size)
      for (const block of splitter.feed(Buffer.from(text.slice(at, at + size))))
        blocks.push(Buffer.from(block).toString())
    expect(blocks).toEqual(['{"a": "}]\\\\"}', '{"b": [{}, "{"]}', '{}'])
  })

  test('refuses what is no object, and a block without an end', () => {
    for (const bad of ['<html>', '[1]', '}', '  x'])
      expect(() => chainSplitter().feed(Buffer.from(bad))).toThrow('no JSON object')
    const splitter = chainSplitter()
    expect(() => splitter.feed(Buffer.from(`{"chain": [{"a": "${'x'.repeat(200)}`))).toThrow('over 100 bytes')
  })
})

function twisted(text: string): string {
  const block = JSON.parse(text) as JsonObject
  return canonicalJson({ ...block, timestamp: (block.timestamp as number) + 1 })
}
