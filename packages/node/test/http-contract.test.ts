/** The tutorial's HTTP contract to the letter, and every other endpoint. Each answer is held to its own schema. */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  addressOfPublicKey,
  type BranchStep,
  canonicalJson,
  type Hash,
  type JsonValue,
  merkleLeaf,
  rootOfBranch,
  type Transaction,
  transactionId,
} from '@bc/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { place } from '../src/storage/layout.ts'
import { type Asked, post } from './support/http-client.ts'
import { type Answer, Contract, type Json } from './support/http-contract.ts'
import {
  ALICE,
  BOB,
  CAROL,
  FUNDS,
  type Payment,
  type Person,
  person,
  signed,
  startTestNode,
  type TestNode,
  tutorialBody,
} from './support/http-node.ts'
import { injected, minedOn, openParts } from './support/http-parts.ts'

interface Block {
  readonly index: number
  readonly previous_hash: string
  readonly proof: string
  readonly merkle_root: string
  readonly transactions: readonly Transaction[]
}
type Mined = Block & { readonly message: string; readonly hash: Hash; readonly timestamp: number }

let node: TestNode
let contract: Contract

beforeAll(async () => {
  node = await startTestNode()
  contract = await Contract.of(node.app)
})

const ask = <T = Json>(asked: Asked | string): Promise<Answer<T>> =>
  contract.ask<T>(node, typeof asked === 'string' ? { path: asked } : asked)

async function mine(): Promise<Mined> {
  const { status, json } = await ask<Mined>('/mine')
  expect(status).toBe(200)
  return json
}

/** The next nonces are taken from the node, so that tests don't depend on each other. */
async function payment(asked: Payment = {}): Promise<Transaction> {
  const { json } = await ask<{ pendingNonce: number }>(`/accounts/${(asked.from ?? ALICE).address}`)
  return signed(node.chain, { nonce: json.pendingNonce, ...asked })
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe("the tutorial's contract", () => {
  it('GET /mine: 200 with the block', async () => {
    const { status, json } = await ask<Mined>('/mine')
    expect(status).toBe(200)
    expect(json.message).toBe('New Block Created')
    expect(Object.keys(json)).toEqual(
      expect.arrayContaining(['message', 'index', 'transactions', 'proof', 'previous_hash']),
    )
    const { message: _, hash, ...block } = json
    expect(sha256(canonicalJson(block as unknown as JsonValue))).toBe(hash)
    expect(json.transactions).toEqual([{ amount: 50, nonce: json.index, recipient: node.address, sender: '0' }])
  })

  it('POST /mine is the same as GET /mine, also with an empty JSON object', async () => {
    const got = await ask<Mined>('/mine')
    const posted = await ask<Mined>({ method: 'POST', path: '/mine' })
    const withBody = await ask<Mined>(post('/mine', {}))
    expect([posted.status, withBody.status]).toEqual([200, 200])
    expect(Object.keys(posted.json).sort()).toEqual(Object.keys(got.json).sort())
    expect(posted.json.index).toBe(got.json.index + 1)
    expect(posted.json.previous_hash).toBe(got.json.hash)
    expect(withBody.json.previous_hash).toBe(posted.json.hash)
  })

  it('GET /chain: 200 with all blocks and their number', async () => {
    const mined = await mine()
    const { status, json } = await ask<{ chain: Block[]; length: number }>('/chain')
    expect(status).toBe(200)
    expect(Object.keys(json).sort()).toEqual(['chain', 'length'])
    expect(json.chain).toHaveLength(json.length)
    expect(json.chain.map(({ index }) => index)).toEqual(json.chain.map((_, i) => i + 1))
    const hashes = json.chain.map((block) => sha256(canonicalJson(block as unknown as JsonValue)))
    expect(hashes.at(-1)).toBe(mined.hash)
    expect(json.chain.slice(1).map((block) => block.previous_hash)).toEqual(hashes.slice(0, -1))
  })

  it('GET /transactions: 200 with the pool', async () => {
    await mine()
    expect((await ask('/transactions')).json).toEqual({ transactions: [], length: 0 })
    const sent = await payment({ memo: '謝謝 🎉' })
    await ask(post('/transactions/new', sent))
    const { status, json } = await ask('/transactions')
    expect(status).toBe(200)
    expect(json).toEqual({ transactions: [sent], length: 1 })
  })

  it('POST /transactions/new: 201 as the tutorial sends it, with digits for an amount and no nonce and fee', async () => {
    const sent = await payment()
    const { json: status } = await ask<{ height: number }>('/status')
    const accepted = await ask<{ index: number }>(post('/transactions/new', tutorialBody(sent)))
    expect(accepted.status).toBe(201)
    expect(accepted.json).toEqual({
      message: `Transaction will be added to Block ${status.height + 1}`,
      index: status.height + 1,
      id: transactionId(sent, node.chain),
      transaction: sent,
    })
    expect((await mine()).transactions).toContainEqual(sent)
  })

  it('POST /transactions/new: 201 for the amount as a number, with a fee, a nonce and a memo', async () => {
    const sent = await payment({ fee: 3, memo: 'für Bob' })
    expect((await ask(post('/transactions/new', sent))).status).toBe(201)
    expect((await mine()).transactions[0]?.amount).toBeGreaterThanOrEqual(53)
  })

  it('an empty memo is no memo', async () => {
    const sent = await payment()
    const { status, json } = await ask(post('/transactions/new', { ...sent, memo: '' }))
    expect([status, json.transaction]).toEqual([201, sent])
  })

  const required = ['amount', 'recipient', 'sender', 'signature'] as const
  it.each(required)('POST /transactions/new without %s: 400 with "Missing values"', async (field) => {
    const { [field]: _, ...body } = tutorialBody(await payment())
    const { status, json } = await ask(post('/transactions/new', body))
    expect([status, json.code]).toEqual([400, 'tx.shape'])
    expect(json.message).toContain('Missing values')
    expect(json.message).toContain(field)
  })

  it.each(['{}', '[]', 'null', '"text"', '7'])(
    'POST /transactions/new of %s names all that is missing',
    async (body) => {
      const { status, json } = await ask(post('/transactions/new', body))
      expect(status).toBe(400)
      expect(json.message).toContain('Missing values')
      for (const field of required) expect(json.message).toContain(field)
    },
  )

  it('POST /transactions/new without a body is missing all as well', async () => {
    const { status, json } = await ask({ method: 'POST', path: '/transactions/new' })
    expect([status, json.message]).toEqual([400, 'Missing values: amount, recipient, sender, signature.'])
  })

  it('POST /transactions/new: 401 with "Signature verification failure" where the signature fails', async () => {
    const sent = await payment()
    const other = await payment({ amount: 6 })
    const forgeries: object[] = [
      { ...sent, signature: other.signature },
      { ...sent, amount: 6 },
      { ...sent, recipient: CAROL.address },
      { ...sent, fee: 1 },
      { ...sent, memo: 'x' },
      { ...sent, signature: sent.signature.toUpperCase() },
      { ...sent, signature: '' },
      { ...sent, signature: '00'.repeat(64) },
      { ...tutorialBody(sent), sender: BOB.address },
      tutorialBody(signed(sha256('another chain') as Hash, { nonce: sent.nonce })),
    ]
    for (const forgery of forgeries) {
      const { status, json } = await ask(post('/transactions/new', forgery))
      expect([status, json.code], JSON.stringify(forgery)).toEqual([401, 'tx.signature'])
      expect(json.message).toContain('Signature verification failure')
    }
  })

  it('the same body twice: 401, and one payment', async () => {
    const body = tutorialBody(await payment({ from: BOB, to: CAROL.address }))
    expect((await ask(post('/transactions/new', body))).status).toBe(201)
    expect((await ask(post('/transactions/new', body))).status).toBe(401)
    const before = (await ask<{ balance: number }>(`/accounts/${CAROL.address}`)).json.balance
    await mine()
    expect((await ask(post('/transactions/new', body))).status).toBe(401)
    await mine()
    expect((await ask<{ balance: number }>(`/accounts/${CAROL.address}`)).json.balance).toBe(before + 5)
  })

  it('the same body twice that names its nonce: 409', async () => {
    const sent = await payment()
    expect((await ask(post('/transactions/new', sent))).status).toBe(201)
    expect((await ask(post('/transactions/new', sent))).json).toMatchObject({ statusCode: 409, code: 'pool.known' })
    await mine()
    expect((await ask(post('/transactions/new', sent))).json).toMatchObject({ statusCode: 409, code: 'tx.nonce' })
  })

  it('a wrong nonce that is named: 409', async () => {
    const { nonce } = await payment()
    const past = await ask(post('/transactions/new', signed(node.chain, { nonce: nonce - 1, amount: 9 })))
    expect(past.json).toMatchObject({ statusCode: 409, code: 'tx.nonce' })
    const far = await ask(post('/transactions/new', signed(node.chain, { nonce: nonce + 65 })))
    expect(far.json).toMatchObject({ statusCode: 409, code: 'pool.gap' })
  })

  it('a replacement for too little: 409, for enough: 201', async () => {
    const { nonce } = await payment()
    const offer = (fee: number) => ask(post('/transactions/new', signed(node.chain, { nonce, fee })))
    expect((await offer(20)).status).toBe(201)
    expect((await offer(21)).json).toMatchObject({ statusCode: 409, code: 'pool.replacement' })
    expect((await offer(22)).status).toBe(201)
    await mine()
  })

  it('an overdraft: 422', async () => {
    const whole = await payment({ amount: 2 * FUNDS })
    expect((await ask(post('/transactions/new', tutorialBody(whole)))).json).toMatchObject({
      statusCode: 422,
      code: 'tx.balance',
    })
    const nothing = signed(node.chain, { from: person(9), amount: 1 })
    expect((await ask(post('/transactions/new', nothing))).status).toBe(422)
  })

  it.each([
    ['0', 'tx.number'],
    ['', 'tx.number'],
    ['05', 'tx.number'],
    ['-5', 'tx.number'],
    ['+5', 'tx.number'],
    ['5.0', 'tx.number'],
    ['1e3', 'tx.number'],
    ['0x5', 'tx.number'],
    [' 5', 'tx.number'],
    ['5 ', 'tx.number'],
    ['٥', 'tx.number'],
    ['NaN', 'tx.number'],
    ['9007199254740992', 'tx.number'],
    ['90071992547409920', 'tx.number'],
    [0, 'tx.number'],
    [true, 'tx.shape'],
    [[7], 'tx.shape'],
    [{ toString: '5' }, 'tx.shape'],
    [null, 'tx.shape'],
  ])('an amount of %j: 400', async (amount, code) => {
    const { json } = await ask(post('/transactions/new', { ...(await payment()), amount }))
    expect(json).toMatchObject({ statusCode: 400, code })
  })

  it('an amount that is long, or not to be shown: its beginning is told, in printable ASCII', async () => {
    const told = async (amount: string) =>
      (await ask(post('/transactions/new', { ...(await payment()), amount }))).json.message
    const fault = 'is not a whole number up to 2^53-1 in plain digits.'
    expect(await told('9'.repeat(7000))).toBe(`The amount "${'9'.repeat(40)}"… ${fault}`)
    expect(await told('"\u001b[2J茶')).toBe(`The amount "\\"\\u001b[2J\\u8336" ${fault}`)
    expect(await told(`${'9'.repeat(39)}🍵`)).toBe(`The amount "${'9'.repeat(39)}\\ufffd"… ${fault}`)
  })

  it.each([
    ['-5', 'message.malformed'],
    ['5.0', 'message.malformed'],
    ['5e0', 'message.malformed'],
    ['-0', 'message.malformed'],
    ['9007199254740993', 'message.malformed'],
    ['05', 'message.malformed'],
    ['5, "amount": 5', 'message.malformed'],
    ['"\\ud800"', 'message.malformed'],
    ['NaN', 'message.malformed'],
  ])('an amount spelled %s: 400', async (spelled, code) => {
    const text = JSON.stringify(await payment()).replace('"amount":5', `"amount":${spelled}`)
    expect((await ask(post('/transactions/new', text))).json).toMatchObject({ statusCode: 400, code })
  })

  it.each<[object, string]>([
    [{ fee: '1' }, 'tx.shape'],
    [{ nonce: '0' }, 'tx.shape'],
    [{ nonce: null }, 'tx.shape'],
    [{ memo: 7 }, 'tx.shape'],
    [{ memo: 'é'.repeat(129) }, 'tx.memo'],
    [{ sender: 7 }, 'tx.shape'],
    [{ more: 1 }, 'tx.shape'],
    [{ __proto__: null, chain: '0' }, 'tx.shape'],
    [{ sender: '0' }, 'tx.address'],
    [{ recipient: '0' }, 'tx.address'],
    [{ recipient: '' }, 'tx.address'],
    [{ recipient: ALICE.address.toUpperCase() }, 'tx.address'],
    [{ recipient: ALICE.address.slice(0, -1) }, 'tx.address'],
    [{ recipient: `${ALICE.address.slice(0, -1)}x` }, 'tx.address'],
  ])('a transaction with %j: 400', async (changed, code) => {
    const { json } = await ask(post('/transactions/new', { ...(await payment()), ...changed }))
    expect(json).toMatchObject({ statusCode: 400, code })
  })

  it('GET /secret: 200, and the secret on the terminal alone', async () => {
    const { status, json, text } = await ask('/secret')
    expect([status, json]).toEqual([200, { message: 'secret sent in console...' }])
    const secret = /secret {3}([0-9a-f]{64})/.exec(node.shown())?.[1]
    expect(secret).toBeDefined()
    expect(node.shown()).toContain(node.address)
    expect(text).not.toContain(secret)
    expect(node.logged()).not.toContain(secret)
  })

  it('GET /nodes: 200 with a list and its length', async () => {
    const { status, json } = await ask('/nodes')
    expect([status, json]).toEqual([200, { nodes: [], length: 0 }])
  })

  it('POST /nodes/register: 201 with message and all nodes', async () => {
    // A tutorial node: it has a chain, and knows nothing of a status.
    const ours = JSON.stringify((await ask('/chain')).json)
    const tutorial = createServer(({ url }, answer) => void answer.writeHead(url === '/chain' ? 200 : 404).end(ours))
    await once(tutorial.listen(0, '127.0.0.1'), 'listening')
    const { port } = tutorial.address() as AddressInfo
    const nodes = [`http://localhost:${port}`, `127.0.0.1:${port}`]
    const { status, json } = await ask(post('/nodes/register', { nodes }))
    expect([status, json.message]).toEqual([201, 'New nodes have been added'])
    expect(json.total_nodes).toEqual([`localhost:${port}`, `127.0.0.1:${port}`])
    tutorial.close()
  })

  it.each(['{}', '{"nodes": null}', '{"nodes": "http://localhost:5001"}', '{"nodes": [1]}', '[]', 'null'])(
    'POST /nodes/register of %s: 400',
    async (body) => {
      const { status, json } = await ask(post('/nodes/register', body))
      expect([status, json.message]).toEqual([400, 'Error: Please supply a valid list of nodes'])
    },
  )

  it.each([
    ['', { x: 1 }, 'body has no field "x".'],
    ['?x=1', {}, 'querystring has no field "x".'],
  ])(
    'POST /nodes/register%s of a list that is valid, with %j: 400, and not for the list',
    async (query, more, message) => {
      const { json } = await ask(post(`/nodes/register${query}`, { nodes: ['localhost:7302'], ...more }))
      expect(json).toMatchObject({ statusCode: 400, code: 'request.invalid', message })
    },
  )

  it('POST /nodes/register without a body: 400', async () => {
    const { status, json } = await ask({ method: 'POST', path: '/nodes/register' })
    expect([status, json.message]).toEqual([400, 'Error: Please supply a valid list of nodes'])
  })

  it.each(['localhost:0', 'http://localhost:00'])(
    'POST /nodes/register of %s, where nobody listens: 400',
    async (name) => {
      const { status, json } = await ask(post('/nodes/register', { nodes: [name] }))
      expect([status, json.message]).toEqual([400, `Error: Please supply a valid list of nodes: "${name}" is none.`])
    },
  )

  it('GET /nodes/resolve: 200 with our chain', async () => {
    const { status, json } = await ask('/nodes/resolve')
    expect([status, json.message]).toEqual([200, 'Our chain is authoritative'])
    expect(json.chain).toEqual((await ask('/chain')).json.chain)
    expect(Object.keys(json).sort()).toEqual(['chain', 'message'])
  })
})

describe('the other endpoints', () => {
  it('GET /status', async () => {
    const { hash, index, timestamp } = await mine()
    const { json } = await ask('/status')
    expect(json).toMatchObject({
      chain: node.chain,
      height: index,
      tip: hash,
      timestamp,
      target: `0${'f'.repeat(63)}`,
      work: String(16 * index),
      address: node.address,
      mining: false,
      rules: { difficulty: 1, miningReward: 50, blockTime: 0, halfLife: 0 },
    })
  })

  it('GET /health', async () => {
    expect((await ask('/health')).json).toEqual({ status: 'ok', height: (await ask('/status')).json.height })
  })

  it('GET /blocks: pages that fit together', async () => {
    while ((await ask<{ height: number }>('/status')).json.height < 8) await mine()
    const { json: whole } = await ask<{ chain: Block[]; length: number }>('/chain')
    for (const limit of [1, 3, 7, 1000]) {
      const seen: Block[] = []
      for (let from: number | null = 1; from !== null; ) {
        const page: Answer<{ blocks: Block[]; next: number | null }> = await ask(`/blocks?from=${from}&limit=${limit}`)
        expect(page.json.blocks.length).toBeLessThanOrEqual(limit)
        seen.push(...page.json.blocks)
        from = page.json.next
      }
      expect(seen).toEqual(whole.chain)
    }
    expect((await ask<{ blocks: Block[] }>('/blocks')).json.blocks).toEqual(whole.chain.slice(0, 50))
    expect((await ask('/blocks?limit=9999')).status).toBe(200)
  })

  it('a page holds at most 1000, whatever is asked for', async () => {
    const { chain, app } = await openParts()
    for (let n = 0; n < 1001; n++)
      await chain.import(minedOn({ chain }, chain.head, { now: chain.head.timestamp + 1 }).parsed, { sync: false })
    const page = async (path: string) => {
      const { text } = await injected(app, { path: `${path}?limit=9999` })
      const { next, ...list } = JSON.parse(text) as { next: unknown } & Record<string, unknown[]>
      return { items: Object.values(list)[0]?.length, next }
    }
    for (const path of ['/blocks', '/headers']) expect(await page(path)).toEqual({ items: 1000, next: 1001 })
    const history = await page(`/accounts/${BOB.address}/transactions`)
    expect(history).toEqual({ items: 1000, next: place(3, 0) })
  })

  it('a pool that takes no more: 429 for one sender, 503 for all', async () => {
    const full = await startTestNode({ poolLimits: { maxTransactions: 1, maxPerAccount: 1, expirySeconds: 1000 } })
    const sent = async (from: Person, nonce: number) =>
      (await contract.ask(full, post('/transactions/new', signed(full.chain, { from, nonce })))).json
    expect(await sent(ALICE, 0)).toMatchObject({ index: 2 })
    expect(await sent(ALICE, 1)).toMatchObject({ statusCode: 429, code: 'pool.account' })
    expect(await sent(BOB, 0)).toMatchObject({ statusCode: 503, code: 'pool.full' })
  })

  it.each(['/blocks?from=9999999999999999', '/headers?from=9999999999999999', '/blocks?from=1000&limit=5'])(
    '%s: an empty page beyond the end',
    async (path) => {
      const { json } = await ask(path)
      expect(Object.values(json)).toEqual([[], null])
    },
  )

  it.each([
    'from=0',
    'from=-1',
    'from=1.5',
    'from=x',
    'from=',
    'from=1&from=2',
    'limit=0',
    'limit=10000',
    'limit=1e3',
    'other=1',
    'from[]=1',
  ])('GET /blocks?%s: 400', async (query) => {
    for (const path of ['/blocks', '/headers'])
      expect((await ask(`${path}?${query}`)).json).toMatchObject({ statusCode: 400, code: 'request.invalid' })
  })

  it('a refusal names the field that is wrong', async () => {
    const told = async (asked: Asked) => (await ask(asked)).json.message
    expect(await told({ path: '/headers?form=3' })).toBe('querystring has no field "form".')
    expect(await told({ path: '/headers?form=3&limit=0' })).toMatch(/^querystring has no field "form", .*\/limit must /)
    expect(await told({ path: '/health?%1b%5b2J' })).toBe('querystring has no field "\\u001b[2J".')
    expect(await told({ path: `/health?${'x'.repeat(500)}` })).toBe(`querystring has no field "${'x'.repeat(40)}"….`)
    const many = Array.from({ length: 500 }, (_, i) => `x${i}`).join('&')
    expect(await told({ path: `/health?${many}` })).toMatch(/^querystring has no field "x0", .* "x9" and 490 more\.$/)
  })

  it('so does that of a transaction', async () => {
    const sent = await payment()
    for (const [more, fault] of [
      [{ form: 1 }, 'body has no field "form"'],
      [{ amount: true }, 'either body/amount must be integer, or body/amount must be string'],
      [{ fee: '1', nonce: '0' }, 'body/fee must be integer, body/nonce must be integer'],
    ] as const) {
      const { json } = await ask(post('/transactions/new', { ...sent, ...more }))
      expect(json).toMatchObject({ code: 'tx.shape', message: `This is no transaction: ${fault}.` })
    }
    expect((await ask(post('/transactions/new?form=1', sent))).json.message).toBe('querystring has no field "form".')
  })

  it('GET /headers: the blocks without their transactions, and their hashes', async () => {
    const { json: whole } = await ask<{ chain: Block[] }>('/chain')
    const { json } = await ask<{ headers: Json[]; next: number | null }>('/headers?from=1&limit=1000')
    const expected = whole.chain.map((block) => {
      const { transactions: _, ...header } = block
      return { ...header, hash: sha256(canonicalJson(block as unknown as JsonValue)) }
    })
    expect(json).toEqual({ headers: expected, next: null })
  })

  it('GET /blocks/:indexOrHash: the bytes whose SHA-256 is the hash', async () => {
    const { hash, index } = await mine()
    for (const name of [hash, index, 'latest']) {
      const { status, text } = await ask(`/blocks/${name}`)
      expect([status, sha256(text)]).toEqual([200, hash])
    }
    expect(sha256((await ask('/blocks/1')).text)).toBe(node.chain)
    expect(sha256((await ask(`/blocks/${node.chain}`)).text)).toBe(node.chain)
  })

  it.each(['9999', '9999999999999999', `${'0'.repeat(63)}1`])('GET /blocks/%s: 404', async (name) => {
    expect((await ask(`/blocks/${name}`)).json).toMatchObject({ statusCode: 404, code: 'request.not_found' })
  })

  it.each(['0', '-1', '01', '1.0', 'first', 'F'.repeat(64), '%31', '1%00', 'a'.repeat(300)])(
    'GET /blocks/%s: no index and no hash',
    async (name) => {
      const { status } = await ask(`/blocks/${name}`)
      // "%31" is the digit 1 to everybody who reads URLs.
      expect(status).toBe(name === '%31' ? 200 : name.length > 200 ? 413 : 400)
    },
  )

  it('GET /transactions/:id: pending, then confirmed in its block', async () => {
    const sent = await payment({ memo: 'π' })
    const id = transactionId(sent, node.chain)
    expect((await ask(`/transactions/${id}`)).status).toBe(404)
    await ask(post('/transactions/new', sent))
    expect((await ask(`/transactions/${id}`)).json).toEqual({ id, status: 'pending', transaction: sent })
    expect((await ask(`/transactions/${id}/proof`)).json).toMatchObject({
      statusCode: 404,
      message: `Transaction ${id} waits: there is a proof once a block holds it.`,
    })
    const { hash, index, timestamp, transactions } = await mine()
    await mine()
    expect((await ask(`/transactions/${id}`)).json).toEqual({
      id,
      status: 'confirmed',
      transaction: sent,
      block: { index, hash, timestamp, position: transactions.findIndex(({ memo }) => memo === 'π'), confirmations: 2 },
    })
  })

  it("GET /transactions/:id of a block's reward", async () => {
    const { index, hash, transactions } = await mine()
    const [reward] = transactions as unknown as [Parameters<typeof transactionId>[0]]
    const { json } = await ask(`/transactions/${transactionId(reward, node.chain)}`)
    expect(json).toMatchObject({ status: 'confirmed', transaction: reward, block: { index, hash, position: 0 } })
  })

  it.each([1, 2, 3, 4, 5, 8])('GET /transactions/:id/proof of every transaction in a block of %i', async (count) => {
    await mine()
    for (let i = 1; i < count; i++) await ask(post('/transactions/new', await payment({ fee: count - i })))
    const mined = await mine()
    expect(mined.transactions).toHaveLength(count)
    for (const [position, transaction] of mined.transactions.entries()) {
      const id = transactionId(transaction, node.chain)
      const { json } = await ask<{ leaf: Hash; branch: BranchStep[]; header: Json }>(`/transactions/${id}/proof`)
      expect(json).toMatchObject({ id, transaction, position, leaf: merkleLeaf(transaction as unknown as JsonValue) })
      expect(rootOfBranch(json.leaf, json.branch)).toBe(mined.merkle_root)
      const { transactions: _, message: __, ...header } = mined
      expect(json.header).toEqual(header)
    }
  })

  it.each(['', 'x', '0'.repeat(63), 'A'.repeat(64), 'new'])('GET /transactions/%s: no id', async (id) => {
    const { status } = await ask(`/transactions/${id}`)
    expect(status).toBe(400)
    expect((await ask(`/transactions/${id}/proof`)).status).toBe(400)
  })

  it('GET /accounts/:address', async () => {
    const nobody = person(77).address
    expect((await ask(`/accounts/${nobody}`)).json).toEqual({ address: nobody, balance: 0, nonce: 0, pendingNonce: 0 })
    const sent = await payment({ to: nobody, amount: 7, fee: 2 })
    const before = (await ask<{ balance: number; nonce: number }>(`/accounts/${ALICE.address}`)).json
    await ask(post('/transactions/new', sent))
    const waiting = (await ask(`/accounts/${ALICE.address}`)).json
    expect(waiting).toEqual({ ...before, pendingNonce: sent.nonce + 1 })
    await mine()
    expect((await ask(`/accounts/${nobody}`)).json).toMatchObject({ balance: 7, nonce: 0 })
    const after = (await ask(`/accounts/${ALICE.address}`)).json
    expect(after).toMatchObject({ balance: before.balance - 9, nonce: sent.nonce + 1, pendingNonce: sent.nonce + 1 })
  })

  /** Of the right form and checksum; x = 5 has no y on secp256k1. */
  const offCurve = addressOfPublicKey(`02${'5'.padStart(64, '0')}`)
  it.each([
    offCurve,
    'x',
    '0',
    'a'.repeat(74),
    ALICE.address.slice(1),
    `${ALICE.address}0`,
    ALICE.address.toUpperCase(),
  ])('GET /accounts/%s: 400', async (address) => {
    for (const path of [`/accounts/${address}`, `/accounts/${address}/transactions`])
      expect((await ask(path)).json).toMatchObject({ statusCode: 400, code: 'tx.address' })
  })

  it.each(['before=1', 'before=0000000000000001-1', 'limit=0', 'limit=x', 'from=1', 'before='])(
    'GET /accounts/:address/transactions?%s: 400',
    async (query) => {
      expect((await ask(`/accounts/${ALICE.address}/transactions?${query}`)).status).toBe(400)
    },
  )

  it('a path that is not there: 404; a method that a path does not know: 405 with those that it knows', async () => {
    expect((await ask('/%C2%9B')).json).toMatchObject({ message: 'There is no "/\\u009b".' })
    expect((await ask(`/${'x'.repeat(9_000)}`)).json).toMatchObject({ message: `There is no "/${'x'.repeat(39)}"….` })
    const unknown = ['/', '/block', '/status/x', '/mine/', '//mine', '//', '/Mine', '/transactions/new/x']
    const oddly = ['/%25zz', '/%6dine/', 'http://localhost', 'http://localhost?x', 'ftp://localhost/mine']
    for (const path of [...unknown, ...oddly])
      expect((await ask(path)).json, path).toMatchObject({ statusCode: 404, code: 'request.not_found' })
    const refused: [string, string, string][] = [
      ['POST', '/chain', 'GET'],
      ['DELETE', '/mine', 'GET, POST'],
      ['PUT', '/transactions/new', 'POST, GET, HEAD'],
      ['OPTIONS', '/transactions/new', 'POST, GET, HEAD'],
      ['PATCH', '/accounts/x', 'GET, HEAD'],
      ['DELETE', '/%6dine', 'GET, POST'],
      ['DELETE', '/mine?x#y', 'GET, POST'],
      ['DELETE', '/mine#y', 'GET, POST'],
      ['DELETE', '/blocks/%2f%25zz', 'GET, HEAD'],
      ['DELETE', 'http://localhost/mine', 'GET, POST'],
      ['DELETE', 'HTTP://localhost/%6dine?x', 'GET, POST'],
    ]
    for (const [method, path, allow] of refused) {
      const { json, headers } = await ask({ method, path })
      expect(json, path).toMatchObject({ statusCode: 405, code: 'request.method' })
      expect(headers.allow?.split(', ').sort(), path).toEqual(allow.split(', ').sort())
    }
  })

  it('HEAD: as GET, without a body; never where GET does something', async () => {
    for (const path of ['/status', '/blocks', '/blocks/1', '/transactions', '/nodes', '/health', '/openapi.json'])
      expect((await ask({ method: 'HEAD', path })).status, path).toBe(200)
    const { height } = (await ask('/status')).json
    for (const path of ['/mine', '/secret', '/nodes/resolve'])
      expect((await ask({ method: 'HEAD', path })).status, path).toBe(405)
    expect((await ask('/status')).json.height).toBe(height)
  })

  it('a query where none belongs: 400, and nothing happens', async () => {
    const { height } = (await ask('/status')).json
    for (const path of [
      '/mine?x=1',
      '/secret?a',
      '/chain?from=2',
      '/status?_=1',
      '/nodes/resolve?x',
      '/openapi.json?x',
    ])
      expect((await ask(path)).json, path).toMatchObject({ statusCode: 400, code: 'request.invalid' })
    const sent = await payment()
    for (const path of ['/transactions/new?x=1', '/nodes/register?x=1'])
      expect((await ask(post(path, path.startsWith('/t') ? sent : { nodes: [] }))).status, path).toBe(400)
    expect((await ask('/status')).json).toMatchObject({ height, pool: 0 })
  })
})

describe('an address’s history', () => {
  const path = `/accounts/${ALICE.address}/transactions`
  interface Page {
    readonly transactions: readonly { id: string; block: { index: number; position: number; hash: string } }[]
    readonly next: string | null
  }

  it('is newest first, in pages that fit together', async () => {
    const parts = await openParts()
    const told = await Contract.of(parts.app)
    const page = async (query: string) =>
      told.check<Page>({ path }, await injected(parts.app, { path: `${path}?${query}` })).json
    const ids: string[] = []
    for (let i = 0; i < 6; i++) {
      const sent = [0, 1, 2].map((k) =>
        signed(parts.chain.id, { nonce: 3 * i + k, to: i % 2 ? ALICE.address : BOB.address }),
      )
      await parts.chain.import(minedOn(parts, parts.chain.head, { transactions: sent }).parsed)
      ids.unshift(...sent.map((one) => transactionId(one, parts.chain.id)).reverse())
    }
    expect((await page('limit=1000')).transactions.map(({ id }) => id)).toEqual(ids)
    for (const limit of [1, 2, 5, 17, 18, 19]) {
      const seen: string[] = []
      for (let next: string | null = ''; next !== null; ) {
        const one: Page = await page(`limit=${limit}${next === '' ? '' : `&before=${next}`}`)
        expect(one.transactions).not.toEqual([])
        seen.push(...one.transactions.map(({ id }) => id))
        next = one.next
      }
      expect(seen, `pages of ${limit}`).toEqual(ids)
    }
  })

  it('goes on across blocks and reorganisations between two pages', async () => {
    const parts = await openParts()
    const { chain } = parts
    const told = await Contract.of(parts.app)
    const page = async (query: string) =>
      told.check<Page>({ path }, await injected(parts.app, { path: `${path}?${query}` })).json
    const pay = (nonce: number, memo = '') => signed(chain.id, { nonce, ...(memo && { memo }) })
    // genesis ── a1 (0) ── a2 (1) ── a3 (2)
    //                  \
    //                   b2 (1 with a memo) ── b3 ── b4 (2 with a memo)
    const a1 = minedOn(parts, chain.head, { transactions: [pay(0)] })
    const a2 = minedOn(parts, a1.entry, { transactions: [pay(1)] })
    const a3 = minedOn(parts, a2.entry, { transactions: [pay(2)] })
    for (const { parsed } of [a1, a2, a3]) await chain.import(parsed)
    const first = await page('limit=1')
    expect(first.transactions).toMatchObject([{ id: transactionId(pay(2), chain.id), block: { index: 4 } }])
    const b2 = minedOn(parts, a1.entry, { transactions: [pay(1, 'b')], now: a1.entry.timestamp + 20 })
    const b3 = minedOn(parts, b2.entry)
    const b4 = minedOn(parts, b3.entry, { transactions: [pay(2, 'b')] })
    for (const { parsed } of [b2, b3, b4]) await chain.import(parsed)
    expect(chain.head.hash).toBe(b4.parsed.hash)
    const rest = await page(`before=${first.next}`)
    expect(rest).toMatchObject({
      transactions: [
        { id: transactionId(pay(1, 'b'), chain.id), block: { index: 3, hash: b2.parsed.hash, confirmations: 3 } },
        { id: transactionId(pay(0), chain.id), block: { index: 2, hash: a1.parsed.hash, confirmations: 4 } },
      ],
      next: null,
    })
    const anew = await page('limit=1000')
    expect(anew.transactions.map(({ block }) => block.index)).toEqual([5, 3, 2])
    // What was abandoned isn't confirmed any more; the block itself can still be had by its hash.
    const gone = await injected(parts.app, { path: `/transactions/${transactionId(pay(2), chain.id)}/proof` })
    expect(gone.status).toBe(404)
    const old = await injected(parts.app, { path: `/blocks/${a3.parsed.hash}` })
    expect([old.status, old.text]).toEqual([200, a3.parsed.canonical])
  })

  it('has no page behind a place that it was never near: 404', async () => {
    const parts = await openParts()
    const told = await Contract.of(parts.app)
    for (let i = 0; i < 1_001; i++)
      await parts.chain.import(
        minedOn(parts, parts.chain.head, { to: ALICE.address, now: parts.chain.head.timestamp + 1 }).parsed,
      )
    const ask = async (before: string) => {
      const asked = { path: `${path}?before=${before}&limit=1` }
      return told.check<{ code?: string; message?: string }>({ path }, await injected(parts.app, asked))
    }
    const { status, json } = await ask(place(1, 3))
    expect([status, json.code, json.message]).toEqual([
      404,
      'request.not_found',
      `No transaction of ${ALICE.address} is at ${place(1, 3)} or near it: ask for the newest ones first.`,
    ])
    expect((await ask(place(2, 3))).json).toMatchObject({ transactions: [{ block: { index: 2 } }], next: null })
  })

  it('a block that comes in while it is asked for by its hash is there, and is no damage', async () => {
    const parts = await openParts()
    const { store, chain, app, failures } = parts
    const { parsed } = minedOn(parts, chain.head)
    const entry = store.entry.bind(store)
    vi.spyOn(store, 'entry').mockImplementationOnce(async (hash) => {
      await chain.import(parsed)
      return entry(hash)
    })
    const reply = await injected(app, { path: `/blocks/${parsed.hash}` })
    expect([reply.status, reply.text]).toEqual([200, parsed.canonical])
    expect(failures).toEqual([])
  })
})

describe('GET /openapi.json', () => {
  /** Each answer has one form: JSON, lines of it, or a stream of events. */
  const schemaIn = (content: Record<string, { schema: Json }>) => Object.values(content)[0]?.schema

  const routes: Record<string, string[]> = {
    '/mine': ['get', 'post'],
    '/chain': ['get'],
    '/transactions': ['get', 'post'],
    '/transactions/new': ['post'],
    '/secret': ['get'],
    '/nodes': ['get'],
    '/nodes/register': ['post'],
    '/nodes/resolve': ['get'],
    '/status': ['get'],
    '/health': ['get'],
    '/blocks': ['get', 'post'],
    '/headers': ['get'],
    '/blocks/{indexOrHash}': ['get'],
    '/transactions/{id}': ['get'],
    '/transactions/{id}/proof': ['get'],
    '/accounts/{address}': ['get'],
    '/accounts/{address}/transactions': ['get'],
    '/events': ['get'],
    '/openapi.json': ['get'],
  }

  it('describes every route, with a summary, its parameters and its answers', async () => {
    const { status, text } = await ask('/openapi.json')
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(contract.document)))
    const { openapi, info, paths } = contract.document
    expect(openapi).toMatch(/^3\.1\.\d+$/)
    expect(info).toMatchObject({ title: expect.stringMatching(/./), version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    const described = Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, Object.keys(item).sort()]))
    expect(described).toEqual(routes)
  })

  it('has in each operation what OpenAPI 3.1 asks for', () => {
    for (const [path, item] of Object.entries(contract.document.paths))
      for (const [method, operation] of Object.entries(item)) {
        const told = `${method} ${path}`
        expect(operation.summary, told).toMatch(/^.{5,}$/)
        const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        expect(
          inPath.map(({ name, required }) => [name, required]),
          told,
        ).toEqual(named.map((name) => [name, true]))
        const statuses = Object.keys(operation.responses)
        expect(
          statuses.filter((one) => /^2\d\d$/.test(one)),
          told,
        ).toHaveLength(1)
        expect(statuses, told).toContain('default')
        for (const { description, content } of Object.values(operation.responses)) {
          expect(description, told).toMatch(/./)
          expect(schemaIn(content), told).toBeInstanceOf(Object)
        }
        const schemas = [
          ...Object.values(operation.responses).map(({ content }) => schemaIn(content)),
          ...(operation.parameters ?? []).map(({ schema }) => schema),
          ...Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema),
        ]
        for (const schema of schemas) expect(() => contract.compile(schema as Json), told).not.toThrow()
      }
  })

  it('names what is the operator’s: it takes a token elsewhere, and none on this machine', () => {
    const { document } = contract
    const told = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { security }]) => (security ? [[`${method} ${path}`, security]] : [])),
    )
    const operations = ['/mine', '/mine', '/blocks', '/secret', '/nodes/register', '/nodes/resolve']
    expect(told.map(([name]) => (name as string).split(' ')[1]).sort()).toEqual(operations.sort())
    for (const [, security] of told) expect(security).toEqual([{}, { operator: [] }])
    expect(document).toHaveProperty('components.securitySchemes.operator.scheme', 'bearer')
  })

  it('tells what an event is made of', async () => {
    const streams = contract.operationOf('GET', '/events')?.responses['200']?.content as Record<
      string,
      { schema: Json }
    >
    const leaving = new AbortController()
    const { body } = await fetch(`${node.url}/events`, { signal: leaving.signal })
    const { value = new Uint8Array() } = await (body as ReadableStream<Uint8Array>).getReader().read()
    leaving.abort()
    const fields = Buffer.from(value).toString().trimEnd().split('\n')
    const event = Object.fromEntries(fields.map((field) => field.split(/: (.*)/) as [string, string]))
    contract.validate(
      schemaIn(streams) as Json,
      { ...event, retry: Number(event.retry), data: JSON.parse(event.data as string) },
      fields.join('\n'),
    )
  })

  it('keeps its schemas narrow: an answer with one field more or less is refused', () => {
    const status = contract.operationOf('GET', '/status')?.responses['200']?.content['application/json']?.schema as Json
    expect(() => contract.validate(status, {}, 'too little')).toThrow(/required/)
    const health = contract.operationOf('GET', '/health')?.responses['200']?.content['application/json']?.schema as Json
    expect(() => contract.validate(health, { status: 'ok', height: 1, more: 1 }, 'too much')).toThrow(/additional/)
  })
})

afterAll(() => {
  // Nothing that a client sent was a bug of ours.
  expect(node.logged()).not.toMatch(/"level":(?:50|60)/)
})
