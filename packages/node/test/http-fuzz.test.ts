/**
 * Twenty thousand random and mutated requests, and some hundreds of messages that are hardly HTTP. Whatever comes, a node
 * answers in the form that its API describes, changes nothing that it doesn't say, has no bug to report, and goes on.
 *
 * FUZZ_SEED=n repeats a run.
 */
import { once } from 'node:events'
import { Agent } from 'node:http'
import { promisify } from 'node:util'
import { type Transaction, transactionId } from '@bc/core'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OutcomeSchema } from '../src/http/schemas.ts'
import { type Asked, answersIn, ask, connected, exchange } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { Dice } from './support/http-dice.ts'
import { ALICE, BOB, CAROL, signed, startTestNode, type TestNode } from './support/http-node.ts'
import { RAW_MESSAGES, randomRaw } from './support/http-raw.ts'
import { type Known, randomBatch, randomRequest } from './support/http-requests.ts'

const REQUESTS = 20_000
const BATCHES = 1_500
const RAW = 400
const AT_ONCE = 16
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)

let node: TestNode
let contract: Contract

beforeAll(async () => {
  console.log(`FUZZ_SEED=${seed}`)
  node = await startTestNode({ logLevel: 'debug' })
  contract = await Contract.of(node.app)
})

afterAll(() => {
  // Levels 50 and 60 are bugs and failures.
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})

interface Status {
  readonly height: number
  readonly tip: string
  readonly pool: number
}

async function status(): Promise<Status> {
  return (await contract.ask<Status & Record<string, unknown>>(node, { path: '/status' })).json
}

async function connectionsOf({ app }: TestNode): Promise<number> {
  return promisify(app.server.getConnections.bind(app.server))()
}

async function healthy(): Promise<void> {
  expect((await contract.ask(node, { path: '/health' })).json.status).toBe('ok')
}

/** Runs the task so often, some of them at the same time. */
async function often(count: number, task: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

const isOutcome = new Ajv2020({ strictTypes: false }).compile(OutcomeSchema)

function outcomesIn(text: string): { status: number; id?: string }[] {
  expect(text === '' || text.endsWith('\n')).toBe(true)
  const outcomes = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  for (const outcome of outcomes) expect(isOutcome(outcome), JSON.stringify(outcome)).toBe(true)
  return outcomes
}

/** Enough for the run: of each sender in the order of their nonces. */
function paymentsOf(count: number): Transaction[] {
  return [ALICE, BOB].flatMap((from) =>
    Array.from({ length: count }, (_, nonce) =>
      signed(node.chain, {
        from,
        nonce,
        to: CAROL.address,
        fee: nonce % 5,
        ...(nonce % 3 === 0 && { memo: '謝謝 🎉' }),
      }),
    ),
  )
}

describe('requests', () => {
  it.concurrent(`${REQUESTS} of them`, { timeout: 180_000 }, async () => {
    const dice = new Dice(seed)
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
    const payments = paymentsOf(60)
    const ids = payments.map((one) => transactionId(one, node.chain))
    const known: Known = {
      payments,
      ids,
      hashes: [node.chain],
      addresses: [ALICE, BOB, CAROL].map(({ address }) => address),
    }
    const seen = new Map<number, number>()
    const mined: string[] = []
    const accepted = new Set<string>()
    await often(REQUESTS, async (i) => {
      const asked: Asked = randomRequest(dice, known)
      const reply = contract.check<Record<string, string>>(asked, await ask({ port: node.port, agent }, asked))
      seen.set(reply.status, (seen.get(reply.status) ?? 0) + 1)
      if (reply.status >= 500) expect.fail(`request ${i}: ${JSON.stringify(asked).slice(0, 500)} → ${reply.text}`)
      if (reply.status === 201 && reply.json.id) accepted.add(reply.json.id)
      if (reply.json.message === 'New Block Created') mined.push(String(reply.json.hash))
    })
    agent.destroy()
    console.log(
      `answers: ${[...seen]
        .sort()
        .map(([code, count]) => `${code} × ${count}`)
        .join(', ')}; ${mined.length} mined`,
    )
    for (const code of [200, 201, 400, 401, 403, 404, 405, 409, 413, 415]) expect([...seen.keys()]).toContain(code)
    await nothingElseHasHappened(mined, accepted)
  })

  it.concurrent(`${BATCHES} of many lines`, { timeout: 180_000 }, async () => {
    const dice = new Dice(seed + 1)
    const other = await startTestNode({ logLevel: 'debug' })
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
    const known = { payments: paymentsOf(60), ids: [], hashes: [], addresses: [] }
    const accepted = new Set<string>()
    const seen = new Map<number, number>()
    await often(BATCHES, async (i) => {
      const asked = randomBatch(dice, known)
      const reply = await ask({ port: other.port, agent }, asked)
      const outcomes = asked.path === '/transactions' && reply.status === 200 ? outcomesIn(reply.text) : []
      for (const { status, id } of [{ status: reply.status }, ...outcomes] as { status: number; id?: string }[]) {
        seen.set(status, (seen.get(status) ?? 0) + 1)
        if (status >= 500) expect.fail(`batch ${i}: ${JSON.stringify(asked).slice(0, 500)} → ${reply.text}`)
        if (status === 201 && id) accepted.add(id)
      }
    })
    agent.destroy()
    console.log(`batches: ${[...seen].sort().join('; ')}`)
    for (const code of [200, 201, 400, 401, 409]) expect([...seen.keys()]).toContain(code)
    const { transactions } = JSON.parse((await ask(other, { path: '/transactions' })).text)
    const waiting = transactions.map((one: Transaction) => transactionId(one, other.chain))
    expect(new Set(waiting)).toEqual(accepted)
    expect(JSON.parse((await ask(other, { path: '/status' })).text).height).toBe(1)
    expect(other.logged()).not.toMatch(/"level":(?:50|60)/)
    await other.stop()
  })

  // Beside the others, since it takes as long as the node has patience.
  it.concurrent('clients that send a byte now and then, and clients that hang on', { timeout: 120_000 }, async () => {
    const other = await startTestNode()
    // Node takes the longer one for the whole request, whichever that is.
    expect(other.app.server.headersTimeout).toBeLessThanOrEqual(other.app.server.requestTimeout)
    const sockets = await Promise.all(Array.from({ length: 30 }, () => connected(other.port, true)))
    const [slow, refused] = [sockets.slice(0, 20), sockets.slice(20)]
    const lines = ['POST /transactions/new HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
    const head = [...lines, 'Content-Length: 8000', 'X-Slow: '].join('\r\n')
    // Half of them are slow with the headers, the others with the body.
    for (const socket of slow.slice(10)) socket.write(`${head}\r\n\r\n`)
    let sent = 0
    const drip = setInterval(() => {
      for (const [i, socket] of slow.entries()) socket.write(i < 10 ? (head[sent] ?? 'x') : ' ')
      sent++
    }, 200)
    for (const socket of refused) socket.write('garbage\r\n\r\n')
    const answers = await Promise.all(sockets.map(async (socket) => (await once(socket, 'data'))[0].toString()))
    expect(answers.slice(0, 20).every((text) => text.startsWith('HTTP/1.1 408 '))).toBe(true)
    expect(answers.slice(20).every((text) => text.startsWith('HTTP/1.1 400 '))).toBe(true)
    clearInterval(drip)
    while ((await connectionsOf(other)) > 0) await new Promise((resolve) => setTimeout(resolve, 50))
    for (const socket of sockets) socket.destroy()
    await other.stop()
  })

  async function nothingElseHasHappened(mined: readonly string[], accepted: ReadonlySet<string>): Promise<void> {
    const { height, tip } = await status()
    expect(height).toBe(1 + mined.length)
    expect(mined).toContain(tip)
    const { json } = await contract.ask<{ chain: { transactions: Transaction[] }[] }>(node, { path: '/chain' })
    const waiting = await contract.ask<{ transactions: Transaction[] }>(node, { path: '/transactions' })
    const confirmed = json.chain.flatMap(({ transactions }) =>
      transactions.filter(({ sender }) => sender !== ('0' as string)),
    )
    const there = [...confirmed, ...waiting.json.transactions].map((one) => transactionId(one, node.chain))
    expect(new Set(there)).toEqual(accepted)
    expect(there).toHaveLength(accepted.size)
    const balances = await Promise.all(
      [ALICE.address, BOB.address, CAROL.address, node.address].map(
        async (address) =>
          (await contract.ask<{ balance: number }>(node, { path: `/accounts/${address}` })).json.balance,
      ),
    )
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(2_000_000 + 50 * mined.length)
  }
})

describe('messages that are hardly HTTP', () => {
  /** Each answer whole and of the error's form, or of /health's; or no answer at all. */
  function wellFormed(text: string, told: string): number[] {
    if (text === '') return []
    const { replies, rest } = whole(text, told)
    expect(rest, told).toBe('')
    for (const reply of replies) {
      const method = reply.text === '' ? 'HEAD' : 'GET'
      contract.check({ method, path: reply.status < 300 ? '/health' : '/nothing' }, reply)
      expect(reply.status, told).toBeLessThan(500)
    }
    return replies.map((reply) => reply.status)
  }

  function whole(text: string, told: string) {
    try {
      return { replies: answersIn(text), rest: '' }
    } catch (error) {
      return expect.fail(`${told}: ${(error as Error).message} in ${JSON.stringify(text.slice(0, 300))}`)
    }
  }

  it.concurrent.each(Object.entries(RAW_MESSAGES))('%s', async (name, message) => {
    const expected = EXPECTED[name]
    const { text } = await exchange(node.port, Buffer.from(message, 'latin1'), { answers: expected?.length ?? 0 })
    const statuses = wellFormed(text, name)
    if (expected) expect(statuses, name).toEqual(expected)
  })

  it.each([
    ['/health', 200],
    // This one the router refuses by itself.
    ['/%ff', 400],
  ])(
    'a body that goes wrong once its request is answered: hung up on, without another answer: %s',
    async (path, status) => {
      const socket = await connected(node.port)
      let text = ''
      socket.on('data', (part) => {
        text += part
      })
      const closed = once(socket, 'close')
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
      await once(socket, 'data')
      socket.write('garbage\r\n')
      await closed
      expect(wellFormed(text, 'answered')).toEqual([status])
    },
  )

  it(`${RAW} mutated ones, and some that are cut off`, async () => {
    const dice = new Dice(seed + 1)
    await often(RAW, async () => {
      const message = randomRaw(dice)
      const { text } = await exchange(node.port, Buffer.from(message, 'latin1'), {
        patience: 250,
        half: dice.chance(20),
      })
      wellFormed(text, JSON.stringify(message.slice(0, 300)))
    })
    await healthy()
  })

  it('have mined nothing and sent nothing', async () => {
    const { height, pool } = await status()
    expect((await contract.ask<{ length: number }>(node, { path: '/chain' })).json.length).toBe(height)
    expect((await contract.ask<{ length: number }>(node, { path: '/transactions' })).json.length).toBe(pool)
  })
})

/** What some of the messages are answered for certain. */
const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  nothing: [],
  'TLS hello': [400],
  'HTTP/1.0': [200],
  'HTTP/2': [400],
  'unknown method': [400],
  'endless header': [413],
  'flood of headers': [413],
  'many headers': [200],
  'two lengths': [400],
  'length and chunks': [400],
  'length of a terabyte': [413],
  'negative length': [400],
  'length too short': [400, 400],
  'no length': [400],
  'good chunks': [400],
  'chunk size of words': [400],
  'body with GET': [200],
  continue: [400],
  'another expectation': [400],
  'upgrade to a web socket': [200],
  'a hundred at once': Array.from({ length: 100 }, () => 200),
  'a good one, then garbage': [200, 400],
  'three good ones, then garbage': [200, 200, 200, 400],
  'garbage, then a good one': [400],
  'a good one, then one without Host': [200, 403],
  'close, then another': [200],
}
