/** A ledger on a disk: how it is made, started as node.ts starts it, damaged, and read to the last record. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Genesis,
  type Hash,
  type JsonObject,
  merkleBranch,
  merkleLeaf,
  type Reward,
  type Transaction,
  transactionId,
} from '@bc/core'
import { pino } from 'pino'
import { StartError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import { openStore } from '../../src/start/open.ts'
import { Pace, scrub } from '../../src/start/scrub.ts'
import { curve, LATE, Ledger, parsed, placesOf, textOf } from './ledger-node.ts'
import type { Random } from './ledger-random.ts'

export interface DiskOptions {
  readonly directory: string
  readonly genesis: Genesis
  readonly acceptLoss?: boolean
  readonly now?: number
  readonly signal?: AbortSignal
}

export interface DiskLedger extends Ledger {
  /** Messages logged on the way. */
  readonly logged: readonly string[]
  close(): Promise<void>
}

/** @throws whatever a node's start throws; then nothing is left open */
export async function diskLedger({
  directory,
  genesis,
  acceptLoss = false,
  now = LATE,
  signal,
}: DiskOptions): Promise<DiskLedger> {
  const logged: string[] = []
  const store = await openStore({ directory, genesis, curve, log: logInto(logged), acceptLoss, signal })
  try {
    const ledger = await Ledger.open({ genesis, store }, now)
    const close = async () => {
      await ledger.door.idle()
      await store.close()
    }
    return Object.assign(ledger, { logged, close })
  } catch (error) {
    await store.close()
    throw error
  }
}

export function logInto(messages: string[]): Log {
  return pino({ level: 'info' }, { write: (line: string) => void messages.push(JSON.parse(line).msg) })
}

/** The whole of what a running node looks through. */
export function scrubAll({ store, chain }: Ledger): Promise<void> {
  return scrub(store, chain, new Pace(new AbortController().signal))
}

const directories: string[] = []

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bc-ledger-'))
  directories.push(directory)
  return directory
}

export function copyOf(directory: string): string {
  const copy = newDirectory()
  cpSync(directory, copy, { recursive: true })
  return copy
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) removeDirectory(directory)
}

/** Everything that a node could be asked, by what it would be asked for. */
export type Picture = ReadonlyMap<string, string>

/** @param hashes of all blocks, also those beside the main chain */
export async function pictureOf(ledger: Ledger, hashes: readonly Hash[]): Promise<Picture> {
  const { store, chain, admission } = ledger
  const picture = new Map<string, string>()
  picture.set('head', textOf({ hash: chain.head.hash, work: String(chain.head.totalWork) }))
  for (const hash of hashes) await drawBlock(ledger, hash, picture)
  for (let index = 1; index <= chain.head.index; index++) await drawMain(ledger, index, picture)
  for await (const [address] of store.allAccounts()) {
    picture.set(`account ${address}`, textOf(await store.account(address)))
    picture.set(`history ${address}`, textOf((await placesOf(ledger, address)) ?? []))
  }
  for (const [i, { id, transaction, arrivedAt }] of [...admission.pool.list()].entries())
    picture.set(`pool ${i}`, textOf({ id, transaction, arrivedAt }))
  return picture
}

async function drawBlock({ store }: Ledger, hash: Hash, picture: Map<string, string>): Promise<void> {
  const entry = await store.entry(hash)
  const text = entry && (await store.block(entry)).canonical
  picture.set(`block ${hash}`, text ?? 'not found')
}

async function drawMain({ store, chain }: Ledger, index: number, picture: Map<string, string>): Promise<void> {
  const hash = await store.mainHash(index)
  if (hash === undefined) return void picture.set(`main ${index}`, 'not found')
  const text = await store.blockText(index, hash)
  picture.set(`main ${index}`, String(text))
  if (index === 1) return
  const { block } = parsed(String(text))
  const undo = [...(await store.undo({ hash, block }))].map(([address, account]) => [address, account ?? null])
  picture.set(`undo ${index}`, textOf(undo))
  const { transactions } = block as unknown as { transactions: (Reward | Transaction)[] }
  const leaves = transactions.map((transaction) => merkleLeaf(transaction as unknown as JsonObject))
  const ids = transactions.map((transaction) => transactionId(transaction, chain.id))
  for (const [position, found] of (await store.transactionPlaces(ids)).entries()) {
    const proof = merkleBranch(leaves, position) as unknown as JsonObject
    picture.set(`transaction ${ids[position]}`, textOf({ found: found ?? null, proof }))
  }
}

/** What differs between two pictures, by what it would be asked for. */
export function differences(expected: Picture, found: Picture): string[] {
  const questions = new Set([...expected.keys(), ...found.keys()])
  return [...questions].filter((question) => expected.get(question) !== found.get(question))
}

export function isSentence(error: unknown): error is StartError {
  return error instanceof StartError && /^[A-Z].{30,}\.$/s.test(error.message)
}

/** What was done to one file. */
export interface Damage {
  readonly file: string
  readonly what: string
}

const PAGE = 4096

const KINDS: readonly { readonly name: string; readonly run: (file: string, random: Random) => string | undefined }[] =
  [
    { name: 'bit', run: changed((bytes, random) => flipBit(bytes, random.below(bytes.length * 8))) },
    { name: 'zeroed page', run: changed((bytes, random) => zeroPage(bytes, random.below(pagesOf(bytes)))) },
    { name: 'swapped pages', run: changed(swapPages) },
    {
      name: 'cut tail',
      run: (file, random) => {
        const { size } = statSync(file)
        // Half of the cuts are short: within the last batch, say.
        const length = 1 + random.below(random.next() < 0.5 ? Math.min(size, 300) : size)
        if (size === 0) return undefined
        truncateSync(file, size - length)
        return `${length} of ${size} bytes`
      },
    },
    {
      name: 'emptied',
      run: (file) => {
        truncateSync(file)
        return ''
      },
    },
    {
      name: 'deleted',
      run: (file) => {
        rmSync(file)
        return ''
      },
    },
  ]

/** @returns what it did; undefined where this damage can't be done to the file it picked */
function changed(change: (bytes: Buffer, random: Random) => string | undefined) {
  return (file: string, random: Random) => {
    const bytes = readFileSync(file)
    if (bytes.length === 0) return undefined
    const before = Buffer.from(bytes)
    const what = change(bytes, random)
    if (bytes.equals(before)) return undefined
    writeFileSync(file, bytes)
    return what
  }
}

function flipBit(bytes: Buffer, bit: number): string {
  const at = bit >> 3
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at)
  return `${bit & 7} of byte ${at} of ${bytes.length}`
}

function pagesOf(bytes: Buffer): number {
  return Math.ceil(bytes.length / PAGE)
}

function zeroPage(bytes: Buffer, page: number): string {
  bytes.fill(0, page * PAGE, Math.min(bytes.length, (page + 1) * PAGE))
  return `${page} of ${pagesOf(bytes)}`
}

function swapPages(bytes: Buffer, random: Random): string | undefined {
  const pages = Math.floor(bytes.length / PAGE)
  if (pages < 2) return undefined
  const one = random.below(pages)
  const other = (one + 1 + random.below(pages - 1)) % pages
  const kept = Buffer.from(bytes.subarray(one * PAGE, (one + 1) * PAGE))
  bytes.copyWithin(one * PAGE, other * PAGE, (other + 1) * PAGE)
  kept.copy(bytes, other * PAGE)
  return `${one} and ${other} of ${pages}`
}

/** Damages one file of a database: one with data in it, most of the time. */
export function damageOne(location: string, random: Random): Damage {
  for (;;) {
    const files = readdirSync(location).filter((name) => !/^(LOCK|LOG)/.test(name) || random.next() < 0.05)
    const file = random.pick(files)
    const kind = random.pick(KINDS)
    const what = kind.run(join(location, file), random)
    if (what !== undefined) return { file, what: `${kind.name} ${what}` }
  }
}
