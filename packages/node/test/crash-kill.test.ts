/**
 * A node that is killed at any moment has lost nothing of what it answered. Each round starts a real process on the
 * same directory, checks what all rounds before were told, mines and sends, and ends the process with SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Address,
  type Amount,
  type ChainRules,
  genesisOf,
  type Hash,
  type JsonValue,
  parseBlock,
  parseJson,
  type Transaction,
  transactionId,
} from '@bc/core'
import { addressOf, bestVerifier, type Secret, secretFromEntropy, signTransaction } from '@bc/wallet'
import { afterAll, describe, expect, test } from 'vitest'
import { Chain } from '../src/chain/chain.ts'
import { Serial } from '../src/serial.ts'
import { localCurve } from '../src/signatures/curve.ts'
import { openMemoryStore } from '../src/storage/memory.ts'

const ROUNDS = Number(process.env.BC_CRASH_ROUNDS ?? 8)
const SEED = Number(process.env.BC_CRASH_SEED ?? Date.now() % 1_000_000)
const BC_NODE = fileURLToPath(new URL('../../../bin/bc-node', import.meta.url))
const START_MS = 30_000

const secrets = Array.from({ length: 4 }, (_, i) => secretFromEntropy(Buffer.alloc(48, i + 1)))
const allocations = Object.fromEntries(secrets.map((secret) => [addressOf(secret), 1_000_000_000]))
const CONFIG = { difficulty: 2, allocations, genesisTimestamp: 1_700_000_000 }

/** What the node has answered: it may never forget. */
interface Promised {
  /** Hashes of blocks that were answered 200. */
  readonly blocks: Set<string>
  /** Ids of transactions that were answered 201. */
  readonly transactions: Set<string>
}

describe('after kill -9', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bc-crash-'))
  afterAll(() => (process.env.KEEP ? console.log(directory) : rmSync(directory, { recursive: true, force: true })))

  test(`every block and transaction that was answered is there, ${ROUNDS} rounds, seed ${SEED}`, {
    timeout: 60_000 + ROUNDS * 20_000,
  }, async () => {
    const random = randomFrom(SEED)
    const config = join(directory, 'config.json')
    writeFileSync(config, JSON.stringify(CONFIG))
    const promised: Promised = { blocks: new Set(), transactions: new Set() }
    const replay = await Replay.start()
    for (let round = 1; round <= ROUNDS; round++) {
      const node = await startedNode(directory, config)
      try {
        await replay.follow(node.url)
        await replay.expectPromised(node.url, promised)
        await underWork(node.url, promised, random, async () => {
          await answered(promised, Math.floor(random() * 60))
          await delay(random() * 30)
          node.process.kill('SIGKILL')
        })
      } finally {
        node.process.kill('SIGKILL')
      }
    }
    console.log(`kept over ${ROUNDS} kills: ${promised.blocks.size} blocks, ${promised.transactions.size} transactions`)
    expect(promised.blocks.size).toBeGreaterThan(0)
    expect(promised.transactions.size).toBeGreaterThan(0)
  })
})

interface NodeProcess {
  readonly url: string
  readonly process: ChildProcess
}

async function startedNode(directory: string, config: string): Promise<NodeProcess> {
  const ready = join(directory, 'ready.json')
  rmSync(ready, { force: true })
  const words = ['-p', '0', '--data-dir', join(directory, 'data'), '--config', config, '--ready-file', ready]
  const child = spawn(process.execPath, [BC_NODE, ...words, '--log-level', 'warn', '--no-discovery'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (data) => {
    said += data
  })
  const deadline = Date.now() + START_MS
  while (!existsSync(ready)) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
      throw new Error(`the node did not start (${child.exitCode ?? child.signalCode ?? 'too slow'}): ${said}`)
    await delay(10)
  }
  const { url } = JSON.parse(readFileSync(ready, 'utf8'))
  return { url, process: child }
}

/** So many answers more, or as many as come in three seconds. */
async function answered({ blocks, transactions }: Promised, more: number): Promise<void> {
  const enough = blocks.size + transactions.size + more
  const deadline = Date.now() + 3_000
  while (blocks.size + transactions.size < enough && Date.now() < deadline) await delay(2)
}

/** Mines and sends without a pause until the node is gone. */
async function underWork(
  url: string,
  promised: Promised,
  random: () => number,
  end: () => Promise<void>,
): Promise<void> {
  const chain = (await get<{ chain: Hash }>(`${url}/status`)).chain
  const workers = [mineOn(url, promised), ...secrets.map((secret) => sendOn(url, chain, secret, promised, random))]
  await end()
  await Promise.all(workers)
}

async function mineOn(url: string, promised: Promised): Promise<void> {
  for (;;) {
    const answer = await post(`${url}/mine`)
    if (answer === undefined) return
    expect(answer).toMatchObject({ status: 200 })
    promised.blocks.add(String(answer.body.hash))
  }
}

async function sendOn(
  url: string,
  chain: Hash,
  secret: Secret,
  promised: Promised,
  random: () => number,
): Promise<void> {
  const sender = addressOf(secret)
  const account = await tryGet<{ pendingNonce: number }>(`${url}/accounts/${sender}`)
  if (account === undefined) return
  for (let nonce = account.pendingNonce; ; nonce++) {
    const recipient = addressOf(secrets[Math.floor(random() * secrets.length)] as Secret)
    const fields = { amount: 1 as Amount, fee: Math.floor(random() * 3) as Amount, nonce, recipient, sender }
    const answer = await post(`${url}/transactions/new`, signTransaction(fields, chain, secret))
    if (answer === undefined) return
    expect(answer).toMatchObject({ status: 201 })
    promised.transactions.add(transactionId(fields, chain))
  }
}

/** The same chain in memory, block by block as the node has it: what every account must be. */
class Replay {
  private readonly chain: Chain
  private readonly confirmed = new Set<string>()
  private readonly hashes = new Set<string>()
  private readonly accounts: (address: Address) => Promise<unknown>

  private constructor(chain: Chain, accounts: (address: Address) => Promise<unknown>) {
    this.chain = chain
    this.accounts = accounts
  }

  static async start(): Promise<Replay> {
    const shipped = JSON.parse(readFileSync(new URL('../../../config.json', import.meta.url), 'utf8'))
    const {
      difficulty,
      miningReward,
      blockTime,
      halfLife,
      maxBlockBytes,
      allocations: granted,
    } = { ...shipped, ...CONFIG }
    const rules = { difficulty, miningReward, blockTime, halfLife, maxBlockBytes, allocations: granted } as ChainRules
    const store = await openMemoryStore()
    const chain = await Chain.open(genesisOf(rules, CONFIG.genesisTimestamp), {
      store,
      curve: localCurve(bestVerifier()),
      door: new Serial(),
      clock: () => Math.floor(Date.now() / 1000),
      onHead: async () => undefined,
      onHeldRefused: (hash, error) => expect.fail(`${hash}: ${error.message}`),
    })
    return new Replay(chain, (address) => store.account(address))
  }

  async follow(url: string): Promise<void> {
    const { height } = await get<{ height: number }>(`${url}/status`)
    for (let index = this.chain.head.index + 1; index <= height; index++) {
      const text = await (await fetch(`${url}/blocks/${index}`)).text()
      const parsed = parseBlock(parseJson(text))
      expect((await this.chain.import(parsed, { sync: false })).kind).toBe('head')
      this.hashes.add(parsed.hash)
      for (const transaction of parsed.block.transactions.slice(1)) this.confirmed.add(this.idOf(transaction))
    }
  }

  async expectPromised(url: string, promised: Promised): Promise<void> {
    const { transactions } = await get<{ transactions: JsonValue[] }>(`${url}/transactions`)
    const waiting = new Set(transactions.map((transaction) => this.idOf(transaction)))
    expect([...promised.blocks].filter((hash) => !this.hashes.has(hash))).toEqual([])
    expect([...promised.transactions].filter((id) => !this.confirmed.has(id) && !waiting.has(id))).toEqual([])
    const { address, tip } = await get<{ address: Address; tip: string }>(`${url}/status`)
    expect(tip).toBe(this.chain.head.hash)
    for (const one of [address, ...secrets.map(addressOf)]) {
      const { balance, nonce } = await get<{ balance: number; nonce: number }>(`${url}/accounts/${one}`)
      expect({ balance, nonce }).toEqual(await this.accounts(one))
    }
  }

  private idOf(transaction: JsonValue): string {
    return transactionId(transaction as unknown as Transaction, this.chain.id)
  }
}

async function get<T>(url: string): Promise<T> {
  const answer = await fetch(url)
  expect(answer.status).toBe(200)
  return (await answer.json()) as T
}

/** undefined where the node was killed before it answered. */
async function tryGet<T>(url: string): Promise<T | undefined> {
  try {
    return await get<T>(url)
  } catch (error) {
    return gone(error)
  }
}

async function post(url: string, body?: Transaction) {
  try {
    const content = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await fetch(url, { method: 'POST', ...content })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  } catch (error) {
    return gone(error)
  }
}

/** A connection that broke is what this test is about. */
function gone(error: unknown): undefined {
  if (error instanceof TypeError || (error as Error).name === 'SocketError') return undefined
  throw error
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
