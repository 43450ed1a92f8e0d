/** A node's parts, wired as node.ts wires them, for tests that hand blocks in as a peer would. Not listening. */
import {
  type Address,
  type Block,
  type BlockEntry,
  blockTemplate,
  canonicalJson,
  entryAfter,
  genesisOf,
  type JsonValue,
  type ParsedBlock,
  type PoolEntry,
  parseBlock,
  parseJson,
  RuleError,
  sealBlock,
  sealJobOf,
  searchNonce,
  type Transaction,
} from '@bc/core'
import { bestVerifier } from '@bc/wallet'
import { afterAll } from 'vitest'
import { Chain } from '../../src/chain/chain.ts'
import { EventFeed, headOf } from '../../src/events/feed.ts'
import type { HistoryLimits } from '../../src/events/history.ts'
import type { App } from '../../src/http/app.ts'
import { createServer } from '../../src/http/server.ts'
import { newIdentity } from '../../src/identity.ts'
import { Miner } from '../../src/mining/miner.ts'
import { SealThreads } from '../../src/mining/seal-threads.ts'
import { LateNetwork } from '../../src/network/late-network.ts'
import { Neighbours } from '../../src/network/neighbours/neighbours.ts'
import { Admission } from '../../src/pool/admission.ts'
import { Serial } from '../../src/serial.ts'
import { localCurve } from '../../src/signatures/curve.ts'
import type { ChainStore } from '../../src/storage/chain-store.ts'
import { openMemoryStore } from '../../src/storage/memory.ts'
import type { Asked, Reply } from './http-client.ts'
import { BOB, memoryLog, testRules } from './http-node.ts'

export interface Parts {
  readonly chain: Chain
  readonly store: ChainStore
  readonly admission: Admission
  readonly miner: Miner
  readonly threads: SealThreads
  readonly events: EventFeed
  readonly app: App
  readonly failures: unknown[]
  readonly clock: { now: number }
  readonly logged: () => string
}

const opened: Parts[] = []

afterAll(async () => {
  for (const { app, miner, events } of opened.splice(0)) {
    events.close()
    await miner.stop()
    await app.close()
  }
})

export const GENESIS_TIME = 1_700_000_000

export type Search = Pick<SealThreads, 'search' | 'close' | 'attempts'>

export interface PartsOptions {
  readonly rules?: Parameters<typeof testRules>[0]
  /** Stands between the miner and its threads. */
  readonly threads?: (real: SealThreads) => Search
  /** Of the events that are kept. */
  readonly limits?: HistoryLimits
}

export async function openParts({ rules, threads: between, limits }: PartsOptions = {}): Promise<Parts> {
  const clock = { now: GENESIS_TIME + 1000 }
  const { log, logged } = memoryLog()
  const store = await openMemoryStore()
  const modules = { store, curve: localCurve(bestVerifier()), door: new Serial(), clock: () => clock.now }
  const chain = await Chain.open(genesisOf(testRules(rules), GENESIS_TIME), {
    ...modules,
    onHead: async (change) => {
      const followed = await admission.follow(change)
      miner.headMoved()
      events.headMoved(change, followed)
    },
    onHeldRefused: () => undefined,
  })
  const admission = new Admission({ ...modules, chain: chain.id, onChanges: (changes) => events.poolChanged(changes) })
  const threads = new SealThreads(1)
  const identity = newIdentity()
  const used = (between?.(threads) ?? threads) as SealThreads
  const miner = new Miner({
    chain,
    pool: admission.pool,
    threads: used,
    clock: modules.clock,
    address: identity.address,
    onMined: () => undefined,
  })
  const events = new EventFeed({ head: headOf(chain), progress: () => miner.progress, ...(limits && { limits }) })
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const network = new LateNetwork()
  const app = await createServer(
    { log, host: '127.0.0.1', operatorToken: identity.operatorToken, allowedHosts: [], onFailure },
    {
      chain,
      store,
      admission,
      curve: modules.curve,
      miner,
      identity,
      network,
      events,
      neighbours: new Neighbours({ chain, log, network, file: undefined }),
      version: '0.0.0',
      console: () => undefined,
      stopping: new AbortController().signal,
      onFailure,
    },
  )
  const parts = { chain, store, admission, miner, threads, events, app, failures, clock, logged }
  opened.push(parts)
  return parts
}

export interface Mined {
  readonly parsed: ParsedBlock
  readonly block: Block
  readonly entry: BlockEntry
}

/** A good block on any parent, as somebody else would mine it. The difficulty must be low. */
export function minedOn(
  { chain }: Pick<Parts, 'chain'>,
  parent: BlockEntry,
  {
    transactions = [],
    to = BOB.address,
    now,
  }: { transactions?: readonly Transaction[]; to?: Address; now?: number } = {},
): Mined {
  const chosen = transactions.map((transaction) => ({ transaction })) as unknown as PoolEntry[]
  const at = now ?? parent.timestamp + 10
  const template = blockTemplate({ parent, rules: chain.rules, miner: to, now: at, select: () => chosen })
  const nonce = searchNonce(sealJobOf(template, parent), 0n, 1_000_000)
  if (nonce === undefined) throw new RuleError('block.seal', 'The difficulty is too high for a test.')
  const block = sealBlock(template, nonce)
  const parsed = parseBlock(parseJson(canonicalJson(block as unknown as JsonValue)))
  return { parsed, block, entry: entryAfter(parent, block, parsed.hash) }
}

/** Asks without a network. */
export async function injected(app: App, asked: Asked, remoteAddress = '127.0.0.1'): Promise<Reply> {
  const { method = 'GET', path, headers = {}, body } = asked
  const reply = await app.inject({
    method: method as 'GET',
    url: path,
    headers: { ...headers },
    remoteAddress,
    ...(body !== undefined && { payload: body }),
  })
  return { status: reply.statusCode, headers: reply.headers as Reply['headers'], text: reply.payload }
}
