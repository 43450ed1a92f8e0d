/** A node's ledger without its network: store, chain and pool, wired as node.ts wires them. */
import {
  type Address,
  canonicalJson,
  type Genesis,
  genesisOf,
  type Hash,
  type JsonValue,
  type ParsedBlock,
  type PoolEntry,
  type PoolLimits,
  parseBlock,
  parseJson,
  type RuleCode,
} from '@bc/core'
import { bestVerifier } from '@bc/wallet'
import { MemoryLevel } from 'memory-level'
import { Chain, type ImportOutcome } from '../../src/chain/chain.ts'
import type { HeadChange } from '../../src/chain/head-change.ts'
import { Admission } from '../../src/pool/admission.ts'
import { readSubmission } from '../../src/pool/submission.ts'
import { Serial } from '../../src/serial.ts'
import { localCurve } from '../../src/signatures/curve.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database, type Level } from '../../src/storage/database.ts'
import { historyOf } from '../../src/storage/history.ts'
import { place } from '../../src/storage/layout.ts'
import type { TransactionPlace } from '../../src/storage/records.ts'

export const curve = localCurve(bestVerifier())

/** Later than every block of the tests' chains, unless a test says otherwise. */
export const LATE = 1_900_000_000

export interface LedgerOptions {
  readonly genesis: Genesis
  readonly store: ChainStore
  readonly limits?: PoolLimits
  /** Called where a node would hear of the new head, and instead of its pool. */
  readonly onHead?: (change: HeadChange) => Promise<void>
}

/** One ledger over one store. */
export class Ledger {
  readonly chain: Chain
  readonly admission: Admission
  readonly store: ChainStore
  readonly door: Serial
  /** What was refused after it had been held. */
  readonly heldRefused: { hash: Hash; code: RuleCode }[]
  readonly clock: { now: number }

  private constructor(parts: Pick<Ledger, 'chain' | 'admission' | 'store' | 'door' | 'heldRefused' | 'clock'>) {
    this.chain = parts.chain
    this.admission = parts.admission
    this.store = parts.store
    this.door = parts.door
    this.heldRefused = parts.heldRefused
    this.clock = parts.clock
  }

  static async open({ genesis, store, limits, onHead }: LedgerOptions, now = LATE): Promise<Ledger> {
    const clock = { now }
    const door = new Serial()
    const heldRefused: { hash: Hash; code: RuleCode }[] = []
    const parts = { store, curve, door, clock: () => clock.now }
    const chain = await Chain.open(genesis, {
      ...parts,
      onHead: onHead ?? (async (change) => void (await admission.follow(change))),
      onHeldRefused: (hash, { code }) => heldRefused.push({ hash, code }),
    })
    const admission = new Admission({ ...parts, chain: chain.id }, limits)
    await admission.restore()
    return new Ledger({ chain, admission, store, door, heldRefused, clock })
  }

  import(text: string): Promise<ImportOutcome> {
    return this.chain.import(parsed(text))
  }

  /** A body of `POST /transactions/new`. */
  submit(body: object): Promise<PoolEntry> {
    return this.admission.submit(readSubmission(body as Parameters<typeof readSubmission>[0]))
  }

  /** Ids of the waiting transactions, in order of arrival. */
  get waiting(): Hash[] {
    return [...this.admission.pool.list()].map(({ id }) => id)
  }
}

export function parsed(text: string): ParsedBlock {
  return parseBlock(parseJson(text))
}

export function hashOfText(text: string): Hash {
  return parsed(text).hash
}

export interface MemoryLedger extends Ledger {
  readonly level: Level
}

/** A ledger in memory, whose records can be looked at. */
export async function memoryLedger(
  rules: Genesis['rules'],
  timestamp: number,
  more: Pick<LedgerOptions, 'limits' | 'onHead'> = {},
): Promise<MemoryLedger> {
  return ledgerOver(await memoryLevel(), genesisOf(rules, timestamp), more)
}

export async function memoryLevel(): Promise<Level> {
  const level = new MemoryLevel<string, Buffer>({ storeEncoding: 'buffer', valueEncoding: 'buffer' })
  await level.open()
  return level as unknown as Level
}

/** Also what a restart would be: the same records, everything in memory anew. */
export async function ledgerOver(
  level: Level,
  genesis: Genesis,
  more: Pick<LedgerOptions, 'limits' | 'onHead'> = {},
  now = LATE,
): Promise<MemoryLedger> {
  const store = new ChainStore(await Database.open(level, undefined))
  return Object.assign(await Ledger.open({ genesis, store, ...more }, now), { level })
}

/** All records as they are stored, or those under some prefixes. */
export async function records(level: Level, prefixes: readonly string[] = ['']): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const [at, value] of level.iterator())
    if (prefixes.some((prefix) => at.startsWith(prefix))) found.set(at, value.toString('latin1'))
  return found
}

/** What follows from the main chain alone, whichever way the node came to it. */
export const MAIN_STATE = ['head', 'account/', 'main/', 'undo/', 'tx/'] as const

/** Where an address's transactions stand, newest first. */
export function placesOf(
  { store }: Ledger,
  address: Address,
  before?: TransactionPlace,
): Promise<string[] | undefined> {
  return store.reading(async (snapshot) => {
    const history = await historyOf(store, address, before, snapshot)
    if (history === undefined) return undefined
    const places: string[] = []
    for await (const { index, positions } of history) places.push(...positions.map((at) => place(index, at)))
    return places
  })
}

/** A node that has heard of these blocks only, in their order. */
export async function freshImport(genesis: Genesis, texts: readonly string[]): Promise<MemoryLedger> {
  const ledger = await ledgerOver(await memoryLevel(), genesis)
  for (const text of texts) await ledger.import(text)
  return ledger
}

/** The canonical JSON of the main chain's blocks after genesis. */
export async function mainTexts({ store, chain }: Ledger): Promise<string[]> {
  return (await store.mainBlockTexts(2, chain.head.index)).map(String)
}

export async function totalBalance({ store }: Ledger): Promise<bigint> {
  let total = 0n
  for await (const [, { balance }] of store.allAccounts()) total += BigInt(balance)
  return total
}

export function textOf(value: object): string {
  return canonicalJson(value as unknown as JsonValue)
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
