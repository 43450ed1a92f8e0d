/** A node in dev mode over HTTP: its keys, its blocks, its clock, its faucet, and who may not ask for any of them. */
import { createECDH, createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type BlockEntry, hashOf, type JsonObject, parseBlock, type Transaction } from '@bc/core'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError } from '../src/config.ts'
import { DevMode } from '../src/dev/index.ts'
import { devAccount } from '../src/dev/keys.ts'
import { type Asked, ask as askPlainly, post } from './support/http-client.ts'
import { type Answer, Contract, type Json } from './support/http-contract.ts'
import { isOf, listen } from './support/http-events.ts'
import { CAROL, type Payment, signed, startTestNode, type TestNode } from './support/http-node.ts'
import { type Mined, minedOn } from './support/http-parts.ts'

type Modules = Parameters<DevMode['addRoutes']>[1]

/** With the parts that the routes get, for what HTTP can't do. */
async function devNode(seed = 7, search?: DevMode['search']) {
  const dev = await DevMode.open(seed)
  if (search) Object.assign(dev, { search })
  let parts: Modules | undefined
  const addRoutes = dev.addRoutes.bind(dev)
  dev.addRoutes = (app, modules) => {
    parts = modules
    addRoutes(app, modules)
  }
  const node = await startTestNode({ dev })
  return { dev, node, parts: parts as Modules, contract: await Contract.of(node.app) }
}

let dev: DevMode
let node: TestNode
let parts: Modules
let contract: Contract

beforeEach(async () => {
  ;({ dev, node, parts, contract } = await devNode())
})

const ask = <T = Json>(asked: Asked | string): Promise<Answer<T>> =>
  contract.ask<T>(node, typeof asked === 'string' ? { path: asked } : asked)

interface Block {
  readonly index: number
  readonly timestamp: number
  readonly transactions: readonly Transaction[]
}

async function blocks(): Promise<Block[]> {
  return (await ask<{ chain: Block[] }>('/chain')).json.chain
}

/** From the first of the accounts to the second. */
function payment(asked: Payment = {}): Transaction {
  const [from, to] = dev.accounts
  return signed(node.chain, { ...(from && { from }), ...(to && { to: to.address }), ...asked })
}

const send = (transaction: Transaction) => ask<{ id: string; index: number }>(post('/transactions/new', transaction))
const time = async () => (await ask<{ time: number }>('/dev/time')).json.time
const START = 1_700_000_001

/** All that a client can see of the chain, the pool, the accounts and the clock. */
async function view(): Promise<unknown> {
  const people = [...dev.accounts, CAROL].map(({ address }) => address)
  const paths = people.flatMap((address) => [`/accounts/${address}`, `/accounts/${address}/transactions`])
  const seen = []
  for (const path of ['/status', '/chain', '/transactions', '/headers', '/dev/time', ...paths])
    seen.push((await ask(path)).json)
  return seen
}

describe('the keys', () => {
  const ORDER = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')

  /** By OpenSSL's curve, from what keys.ts says of them. */
  function derived(seed: number, name: string) {
    const text = `bc dev mode, seed ${seed}, key of ${name}`
    const wide = BigInt(`0x${createHash('sha512').update(text).digest('hex')}`)
    const secret = ((wide % (ORDER - 1n)) + 1n).toString(16).padStart(64, '0')
    const curve = createECDH('secp256k1')
    curve.setPrivateKey(Buffer.from(secret, 'hex'))
    const key = curve.getPublicKey(null, 'compressed')
    return { secret, address: key.toString('hex') + createHash('sha256').update(key).digest('hex').slice(0, 8) }
  }

  it('follow from the seed: ten accounts with coins, the faucet, the node', async () => {
    const { json } = await ask('/dev/accounts')
    const accounts = Array.from({ length: 10 }, (_, i) => ({ ...derived(7, `account ${i}`), amount: 1_000_000 }))
    expect(json).toEqual({ seed: 7, accounts, faucet: derived(7, 'the faucet').address })
    const { rules, address } = (await ask<{ rules: { allocations: object }; address: string }>('/status')).json
    expect(address).toBe(derived(7, 'the node').address)
    const allocations = accounts.map(({ address, amount }) => [address, amount])
    expect(rules).toEqual({
      allocations: Object.fromEntries([...allocations, [json.faucet, 1_000_000_000_000]]),
      blockTime: 0,
      difficulty: 1,
      halfLife: 0,
      maxBlockBytes: 1_000_000,
      miningReward: 50,
    })
  })

  it('known answers: who changes them changes the hashes that people have written into their tests', async () => {
    expect(node.chain).toBe('53d24ab5d6fb4efe649349e716793d2ffe9219563b6b281fb19e8a90c22baf68')
    const { json } = await ask<{ hash: string }>('/mine')
    expect(json.hash).toBe('5d962c553e8c23943f45d7109d53de9067a401b5c79f28b7550e5c6f23b03c16')
  })

  it('of another seed are others, and so is the chain', async () => {
    const other = await devNode(8)
    const secrets = [...dev.accounts, ...other.dev.accounts, dev.identity, other.dev.identity].map((one) => one.secret)
    expect(new Set(secrets).size).toBe(22)
    expect(other.node.chain).not.toBe(node.chain)
  })
})

describe('a transaction', () => {
  it('is in a block when it is answered, and the answer names that block', async () => {
    const sent = await send(payment())
    expect([sent.status, sent.json.index]).toEqual([201, 2])
    const { json } = await ask<{ status: string; block: { index: number } }>(`/transactions/${sent.json.id}`)
    expect([json.status, json.block.index]).toEqual(['confirmed', 2])
  })

  it('has a block of its own, however many come at once', async () => {
    const many = Array.from({ length: 60 }, (_, nonce) => payment({ nonce }))
    const others = dev.accounts.slice(2).map((from) => payment({ from }))
    const statuses = (await Promise.all([...many, ...others].map(send))).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([201]))
    const found = (await blocks()).slice(1)
    expect(found.map(({ transactions }) => transactions.length)).toEqual(found.map(() => 2))
    expect(found).toHaveLength(68)
    expect((await ask('/transactions')).json.length).toBe(0)
  })

  it('that comes before its turn waits, and has its block after the one that was missing', async () => {
    await send(payment({ nonce: 2, amount: 2 }))
    await send(payment({ nonce: 1, amount: 1 }))
    expect(await blocks()).toHaveLength(1)
    expect((await ask('/transactions')).json.length).toBe(2)
    await send(payment({ nonce: 0, amount: 9 }))
    const amounts = (await blocks()).slice(1).map(({ transactions: [, one] }) => one?.amount)
    expect(amounts).toEqual([9, 1, 2])
  })

  describe('that can be in a block since others have handed blocks in', () => {
    const amounts = async () => (await blocks()).slice(1).map(({ transactions: [, one] }) => one?.amount)
    const handIn = (...lines: readonly (Mined | string)[]) => {
      const body = lines.map((line) => `${typeof line === 'string' ? line : line.parsed.canonical}\n`).join('')
      return ask({ method: 'POST', path: '/blocks', body, headers: { 'content-type': 'application/x-ndjson' } })
    }

    /** Blocks without transactions, instead of those that there are. */
    async function branch(length: number, now: number): Promise<Mined[]> {
      const mined: Mined[] = []
      let parent: BlockEntry = await dev.store.knownEntry(node.chain)
      for (let i = 0; i < length; i++) {
        mined.push(minedOn(parts, parent, { now }))
        parent = (mined.at(-1) as Mined).entry
      }
      return mined
    }

    it('has its block before these are answered: it has come back from another branch', async () => {
      await send(payment({ nonce: 0, amount: 8 }))
      await send(payment({ nonce: 1, amount: 9 }))
      const { status, json } = await handIn(...(await branch(3, START)))
      expect([status, json.imported, json.height, json.tip]).toEqual([200, 3, 6, parts.chain.head.hash])
      expect(await amounts()).toEqual([undefined, undefined, undefined, 8, 9])
    })

    it('has it as well where one of them is refused', async () => {
      await send(payment({ amount: 8 }))
      expect((await handIn(...(await branch(2, START)), '7')).json).toMatchObject({ code: 'block.shape', imported: 2 })
      expect(await amounts()).toEqual([undefined, undefined, 8])
    })

    it('has it as well where they hold the one that was missing', async () => {
      await send(payment({ nonce: 1, amount: 9 }))
      const missing = minedOn(parts, parts.chain.head, { transactions: [payment({ nonce: 0, amount: 8 })], now: START })
      expect((await handIn(missing)).json.height).toBe(3)
      expect(await amounts()).toEqual([8, 9])
    })

    it('has it as well where their time comes with the clock', async () => {
      await send(payment({ amount: 8 }))
      const [first, second] = (await branch(2, START + 200)) as [Mined, Mined]
      for (const { parsed } of [first, second]) await parts.chain.import(parsed)
      await ask(post('/dev/time', { seconds: 100 }))
      expect(await amounts()).toEqual([undefined, undefined, 8])
    })
  })

  it('that is refused makes no block', async () => {
    expect((await send(payment({ amount: 1_000_001 }))).status).toBe(422)
    expect(await blocks()).toHaveLength(1)
  })
})

describe('the clock', () => {
  it('stands still but for a second a block', async () => {
    expect(await time()).toBe(START)
    await ask('/mine')
    await send(payment())
    await ask('/mine')
    expect((await blocks()).map(({ timestamp }) => timestamp)).toEqual([START - 1, START, START + 1, START + 2])
    expect(await time()).toBe(START + 3)
  })

  it('is moved by seconds or to a time, and the next block has what it shows', async () => {
    expect((await ask(post('/dev/time', { seconds: 3600 }))).json).toEqual({ time: START + 3600 })
    await ask('/mine')
    expect((await ask(post('/dev/time', { time: 1_800_000_000 }))).json).toEqual({ time: 1_800_000_000 })
    expect((await ask(post('/dev/time', { time: 1_800_000_000 }))).status).toBe(200)
    await ask('/mine')
    expect((await blocks()).map(({ timestamp }) => timestamp)).toEqual([START - 1, START + 3600, 1_800_000_000])
  })

  it('has an end, up to which blocks are mined', async () => {
    const last = 253_402_300_799
    const ends = { statusCode: 400, code: 'request.invalid', message: expect.stringMatching(/ends with the year 9999/) }
    for (const body of [{ seconds: last }, { time: Date.now() * 1000 }])
      expect((await ask(post('/dev/time', body))).json).toMatchObject(ends)
    expect((await ask(post('/dev/time', { time: last }))).status).toBe(200)
    await ask('/mine')
    expect((await ask('/mine')).json.timestamp).toBe(last + 1)
    for (const body of [{ seconds: 1 }, { time: last + 1 }, { time: last }])
      expect((await ask(post('/dev/time', body))).json).toMatchObject({ statusCode: 400, code: 'request.invalid' })
  })

  it.each([{ time: START - 1 }, { time: 0 }, { seconds: 0 }, {}, { time: START + 1, seconds: 1 }, { seconds: '1' }, 7])(
    'is not moved by %j',
    async (body) => {
      expect((await ask(post('/dev/time', body))).json).toMatchObject({ statusCode: 400, code: 'request.invalid' })
      expect(await time()).toBe(START)
    },
  )

  it.each([
    [{}, "either body must have required property 'seconds', or body must have required property 'time'."],
    [{ seconds: 1, time: START + 1 }, 'either body has no field "time", or body has no field "seconds".'],
    [{ seconds: '1' }, 'body/seconds must be integer.'],
    [{ time: 0 }, 'body/time must be >= 1.'],
    [7, 'body must be object.'],
  ])('of %j it says what is wrong by the one that was meant', async (body, message) => {
    expect((await ask(post('/dev/time', body))).json.message).toBe(message)
  })

  it('judges blocks of others: 120 seconds ahead are allowed, and what is further ahead waits for its time', async () => {
    const { chain } = parts
    const allowed = minedOn({ chain }, chain.head, { now: START + 120 })
    expect((await chain.import(allowed.parsed)).kind).toBe('head')
    const early = minedOn({ chain }, chain.head, { now: START + 121 + 121 })
    expect((await chain.import(early.parsed)).kind).toBe('early')
    await ask(post('/dev/time', { seconds: 1 }))
    expect(chain.head.hash).toBe(early.parsed.hash)
    const older = minedOn({ chain }, { ...chain.head, timestamp: START } as typeof chain.head, { now: START })
    await expect(chain.import(older.parsed)).rejects.toMatchObject({ code: 'block.timestamp' })
    // The next block of its own is not older than what came.
    await ask('/mine')
    const times = (await blocks()).map(({ timestamp }) => timestamp)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('lets what waits too long go, before the answer', async () => {
    await send(payment({ nonce: 1 }))
    await ask(post('/dev/time', { seconds: 3 * 24 * 3600 - 1 }))
    expect((await ask('/transactions')).json.length).toBe(1)
    await ask(post('/dev/time', { seconds: 1 }))
    expect((await ask('/transactions')).json.length).toBe(0)
  })
})

describe('the faucet', () => {
  it('names the field that it does not know', async () => {
    const { json } = await ask(post('/dev/fund', { recipient: CAROL.address, amont: 5 }))
    expect(json).toMatchObject({ statusCode: 400, code: 'request.invalid', message: 'body has no field "amont".' })
  })

  it('pays by a signed transaction, in a block of its own', async () => {
    const { status, json } = await ask<{ id: string; index: number; hash: string; transaction: Transaction }>(
      post('/dev/fund', { recipient: CAROL.address, amount: 5 }),
    )
    expect([status, json.index, json.transaction.amount]).toEqual([200, 2, 5])
    const { json: found } = await ask<{ transaction: Transaction; block: { hash: string } }>(`/transactions/${json.id}`)
    expect([found.transaction, found.block.hash]).toEqual([json.transaction, json.hash])
    expect((await ask(`/accounts/${CAROL.address}`)).json.balance).toBe(5)
  })

  it('pays 1000 where nobody says how much, also when many ask at once', async () => {
    const gifts = await Promise.all(
      Array.from({ length: 20 }, () => ask(post('/dev/fund', { recipient: CAROL.address }))),
    )
    expect(gifts.map(({ status }) => status)).toEqual(gifts.map(() => 200))
    expect((await ask(`/accounts/${CAROL.address}`)).json.balance).toBe(20_000)
    expect(await blocks()).toHaveLength(21)
  })

  it('pays with the next nonce where the same one on another node was first at the door', async () => {
    const { store } = dev
    const account = store.account.bind(store)
    const theirs = signed(node.chain, { from: devAccount(7, 'the faucet'), nonce: 0 })
    vi.spyOn(store, 'account').mockImplementationOnce(async (address) => {
      const before = await account(address)
      await parts.chain.import(minedOn(parts, parts.chain.head, { transactions: [theirs], now: START }).parsed)
      return before
    })
    const { status, json } = await ask(post('/dev/fund', { recipient: CAROL.address, amount: 5 }))
    expect([status, json]).toMatchObject([200, { index: 3, transaction: { nonce: 1, amount: 5 } }])
  })

  it('has not more than it has, and pays nobody who is no address', async () => {
    const fund = async (body: object) => (await ask(post('/dev/fund', body))).json
    expect(await fund({ recipient: CAROL.address, amount: 10 ** 12 + 1 })).toMatchObject({ code: 'tx.balance' })
    expect(await fund({ recipient: 'carol' })).toMatchObject({ statusCode: 400, code: 'tx.address' })
    const offCurve = `02${'0'.repeat(64)}`
    const checksum = createHash('sha256').update(Buffer.from(offCurve, 'hex')).digest('hex').slice(0, 8)
    expect(await fund({ recipient: offCurve + checksum })).toMatchObject({ statusCode: 400, code: 'tx.address' })
    for (const body of [{ recipient: CAROL.address, amount: 0 }, {}, { recipient: CAROL.address, to: 1 }])
      expect(await fund(body)).toMatchObject({ statusCode: 400, code: 'request.invalid' })
    expect(await blocks()).toHaveLength(1)
  })
})

describe('snapshots', () => {
  const take = async () => (await ask<{ id: number }>(post('/dev/snapshot', {}))).json.id
  const revert = (id: unknown) => ask(post('/dev/revert', { id }))

  async function busyHour(): Promise<void> {
    await send(payment({ nonce: 1, amount: 3 }))
    await ask(post('/dev/fund', { recipient: CAROL.address }))
    await ask(post('/dev/time', { seconds: 100 }))
    await ask('/mine')
    await send(payment({ nonce: 0, amount: 4 }))
    await ask(post('/dev/fund', { recipient: CAROL.address, amount: 1 }))
  }

  it('bring back all that can be seen, and from there the same requests make the same blocks', async () => {
    await ask(post('/dev/fund', { recipient: CAROL.address }))
    await send(payment({ nonce: 5 }))
    const { status, json } = await ask(post('/dev/snapshot', {}))
    const { tip } = (await ask('/status')).json
    expect([status, json]).toEqual([200, { id: 1, height: 2, tip, time: START + 1 }])
    const before = await view()
    await busyHour()
    const after = await view()
    expect(after).not.toEqual(before)
    for (let i = 0; i < 2; i++) {
      expect((await revert(1)).json).toEqual({ id: 1, height: 2, tip, time: START + 1 })
      expect(await view()).toEqual(before)
      await busyHour()
      expect(await view()).toEqual(after)
    }
  })

  it('on another branch than the head are told of as that branch: its blocks are adopted again', async () => {
    const { chain } = parts
    const genesis = chain.head
    await send(payment())
    await ask('/mine')
    const id = await take()
    const [a2, a3] = (await blocks()).slice(1).map((block) => ({ index: block.index, hash: hashOf(block as never) }))
    const client = await listen(node.port, { app: node.app, types: 'block,reorganisation' })
    for (let i = 0, parent = genesis; i < 3; i++) {
      const { parsed, entry } = minedOn(parts, parent, { now: START })
      await chain.import(parsed)
      parent = entry
    }
    const b = chain.head
    await revert(id)
    const heard = await client.until((all) => all.filter(isOf('block')).length >= 5)
    const [reorganisation, ...adopted] = heard.slice(-3)
    expect(reorganisation).toMatchObject({ event: 'reorganisation', data: { adopted: [a2, a3] } })
    expect(reorganisation?.data.abandoned).toMatchObject([{ hash: b.hash }, { index: 3 }, { index: 2 }])
    expect(adopted).toMatchObject([a2, a3].map((data) => ({ event: 'block', data })))
    await client.close()
  })

  it('leave no trace of transactions that came later', async () => {
    const id = await take()
    const sent = await send(payment())
    await revert(id)
    expect((await ask(`/transactions/${sent.json.id}`)).status).toBe(404)
    expect((await ask(`/transactions/${sent.json.id}/proof`)).status).toBe(404)
    expect((await send(payment())).json).toMatchObject({ id: sent.json.id, index: 2 })
  })

  it('that were never taken, or are gone, are refused and change nothing', async () => {
    const first = await take()
    const second = await take()
    await send(payment())
    await revert(first)
    await send(payment())
    const before = await view()
    for (const id of [second, 0, 99])
      expect((await revert(id)).json.code).toMatch(id === 0 ? /^request\.invalid$/ : /^request\.not_found$/)
    for (const id of ['1', -1, 1.5, null])
      expect((await askPlainly(node, post('/dev/revert', { id }))).status).toBe(400)
    expect(await view()).toEqual(before)
  })

  /** A node whose searches last until `open` is called. */
  async function heldNode() {
    let [open, held] = [() => {}, Promise.resolve()]
    const { node, parts } = await devNode(7, {
      ...dev.search,
      search: async (...job) => {
        await held
        return dev.search.search(...job)
      },
    })
    const asking = (asked: Asked) => askPlainly(node, asked)
    const hold = () => {
      held = new Promise((resolve) => {
        open = resolve
      })
    }
    const mining = () => vi.waitFor(() => expect(parts.miner.busy).toBe(true), 30_000)
    return { parts, asking, hold, mining, open: () => open() }
  }

  it('wait for a block that is being mined, which would bring back what is left', async () => {
    const { parts, asking, hold, mining, open } = await heldNode()
    await asking(post('/dev/snapshot', {}))
    await asking({ path: '/mine' })
    hold()
    const mined = asking({ path: '/mine' })
    await mining()
    const reverting = asking(post('/dev/revert', { id: 1 }))
    // Time enough for a revert that doesn't wait.
    await Promise.race([reverting, delay(200)])
    open()
    expect([(await mined).status, (await reverting).status]).toEqual([200, 200])
    expect([JSON.parse((await mined).text).index, parts.chain.head.index]).toEqual([3, 1])
  })

  it('have no block after them for a transaction that waited for its own', async () => {
    const { parts, asking, hold, mining, open } = await heldNode()
    await asking(post('/dev/snapshot', {}))
    hold()
    const sent = [0, 1].map((nonce) => asking(post('/transactions/new', payment({ nonce }))))
    await mining()
    await vi.waitFor(() => expect(parts.admission.pool.size).toBe(2))
    const inTurn = vi.spyOn(parts.miner, 'inTurn')
    const reverting = asking(post('/dev/revert', { id: 1 }))
    await vi.waitFor(() => expect(inTurn).toHaveBeenCalled())
    open()
    expect((await Promise.all([...sent, reverting])).map(({ status }) => status)).toEqual([201, 201, 200])
    expect([parts.chain.head.index, parts.admission.pool.size]).toEqual([1, 0])
  })

  it('wait for a payment of the faucet, which would have a nonce of the chain that is left', async () => {
    const id = await take()
    await ask(post('/dev/fund', { recipient: CAROL.address }))
    const account = dev.store.account.bind(dev.store)
    let reverting: Promise<Answer> | undefined
    vi.spyOn(dev.store, 'account').mockImplementationOnce(async (address) => {
      const before = await account(address)
      reverting = revert(id)
      // Time enough for a revert that doesn't wait.
      await Promise.race([reverting, delay(200)])
      return before
    })
    const paid = await ask(post('/dev/fund', { recipient: CAROL.address }))
    expect([paid.status, paid.json.index, (await reverting)?.status]).toEqual([200, 3, 200])
    expect([parts.chain.head.index, parts.admission.pool.size]).toEqual([1, 0])
  })

  it('hold while everything happens at once, and the chain stays whole', async () => {
    const id = await take()
    const all = dev.accounts.flatMap((from) => [0, 1, 2].map((nonce) => payment({ from, nonce })))
    const sent = all.map((one) => askPlainly(node, post('/transactions/new', one)))
    const mined = Array.from({ length: 10 }, () => askPlainly(node, { path: '/mine' }))
    const reverted = Array.from({ length: 5 }, () => askPlainly(node, post('/dev/revert', { id })))
    const read = ['/chain', '/blocks/latest', '/headers', `/accounts/${dev.accounts[0]?.address}/transactions`]
    const seen = Array.from({ length: 40 }, (_, i) => askPlainly(node, { path: read[i % read.length] as string }))
    const statuses = (await Promise.all([...mined, ...reverted, ...seen])).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    // A nonce may have come too late for the chain it was meant for, and too early for the one that it met.
    for (const { status } of await Promise.all(sent)) expect([201, 409]).toContain(status)
    const chain = (await ask<{ chain: JsonObject[] }>('/chain')).json.chain
    for (const [i, block] of chain.entries())
      if (i > 0) expect(parseBlock(block).block.previous_hash).toBe(hashOf(chain[i - 1] as never))
    expect((await ask('/health')).status).toBe(200)
    expect(node.logged()).not.toMatch(/"level":(50|60)/)
  })
})

describe('who may ask', () => {
  const requests: Asked[] = [
    { path: '/dev/accounts' },
    { path: '/dev/time' },
    post('/dev/time', { seconds: 1 }),
    post('/dev/snapshot', {}),
    post('/dev/revert', { id: 1 }),
    post('/dev/fund', { recipient: CAROL.address }),
  ]

  it('nobody a node that is not in dev mode', async () => {
    const normal = await startTestNode()
    const told = await Contract.of(normal.app)
    for (const asked of [...requests, { path: '/dev/nothing' }, { path: '/dev/' }])
      expect((await told.ask(normal, asked)).json, asked.path).toMatchObject({
        statusCode: 404,
        code: 'request.dev_only',
      })
    expect(Object.keys(told.document.paths).filter((path) => path.startsWith('/dev'))).toEqual([])
    expect((await told.ask(normal, { path: '/devil' })).json.code).toBe('request.not_found')
    expect((await ask('/dev/nothing')).json.code).toBe('request.not_found')
    expect((await ask(post('/dev/accounts', {}))).json.code).toBe('request.method')
  })

  it('no page of another origin, no other host, nobody on behalf of others', async () => {
    const before = await view()
    for (const [header, value, code] of [
      ['origin', 'http://evil.example', 'request.origin'],
      ['sec-fetch-site', 'same-site', 'request.origin'],
      ['referer', `http://localhost:${node.port + 1}/`, 'request.origin'],
      ['host', 'evil.example', 'request.host'],
      ['x-forwarded-for', '192.0.2.1', 'request.operator'],
    ] as const)
      for (const asked of requests) {
        const { json } = await ask({ ...asked, headers: { ...asked.headers, [header]: value } })
        expect(json, `${asked.path} ${header}`).toMatchObject({ statusCode: 403, code })
      }
    expect(await view()).toEqual(before)
    for (const asked of requests.filter(({ path }) => path !== '/dev/revert'))
      expect((await ask(asked)).status, asked.path).toBe(200)
  })

  it('the document of the API describes them', () => {
    const paths = Object.keys(contract.document.paths).filter((path) => path.startsWith('/dev'))
    expect(paths.sort()).toEqual(['/dev/accounts', '/dev/fund', '/dev/revert', '/dev/snapshot', '/dev/time'])
  })

  it.each(['0.0.0.0', '::', '192.0.2.1', '127.node.example'])('nobody from elsewhere: no node on %s', async (host) => {
    await expect(startTestNode({ dev: await DevMode.open(1), host })).rejects.toThrow(ConfigError)
  })

  it.each(['localhost', '::1', '127.0.0.2'])('this machine: a node on %s', async (host) => {
    const local = await startTestNode({ dev: await DevMode.open(1), host })
    await local.stop()
  })
})

it('counts the nonces that it tries itself, whatever others of the process do', async () => {
  await ask('/mine')
  expect(dev.search.attempts).toBeGreaterThan(0)
  expect((await DevMode.open(8)).search.attempts).toBe(0)
})
