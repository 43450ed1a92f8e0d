/** The chain in the database: what is read of blocks, accounts, transactions and the pool, and what is written together. */
import {
  type Account,
  type AccountChanges,
  type Address,
  type Block,
  type BlockEntry,
  canonicalJson,
  type Genesis,
  type Hash,
  type JsonValue,
  NO_ACCOUNT,
  type ParsedBlock,
  type PoolEntry,
  parseJson,
  type RuleCode,
} from '@bc/core'
import type { Batch, Database, Snapshot, WriteOptions } from './database.ts'
import { key, lastPart, within } from './layout.ts'
import type { Release } from './lock.ts'
import { RecentTexts } from './recent-texts.ts'
import {
  type BlockPlace,
  blockOf,
  blockPlaceOf,
  type ConnectedBlock,
  decodeAccount,
  decodeEntry,
  decodeMeta,
  decodePlace,
  encodeEntry,
  encodeMeta,
  known,
  type Meta,
  present,
  putAccounts,
  putBlock,
  putIndexes,
  putReturning,
  putWaiting,
  readHash,
  type StoredAccount,
  type StoredBlock,
  type StoredChanges,
  type StoredEntry,
  type TransactionPlace,
  undoOf,
} from './records.ts'

/** Of the blocks that were asked for lately, as they are answered: some 2,000 of ten transactions. */
const RECENT_BYTES = 8 << 20

/** Blocks of a page, as long as they are small: full ones are read one by one. */
const MOST_OF_PAGE = 16
const PAGE_BYTES = 500_000

/** A transaction that waited when the node stopped. */
export interface StoredTransaction {
  /** The key of its record. */
  readonly at: string
  readonly transaction: JsonValue
  /** undefined for one of an abandoned block, on its way back to the pool. */
  readonly arrivedAt: number | undefined
}

/** A block as it was read: its checksum was right, its hash wasn't computed. */
export interface MeasuredBlock extends StoredBlock {
  readonly bytes: number
}

export interface UndoableBlock extends MeasuredBlock {
  readonly undo: StoredChanges
}

export interface PoolWriteOptions extends WriteOptions {
  /** Abandoned blocks whose transactions the pool has looked at now. */
  readonly returned?: readonly ConnectedBlock[]
}

export class ChainStore {
  private readonly database: Database
  private readonly release: Release
  private readonly recent = new RecentTexts(RECENT_BYTES)
  /** Looks at the files behind the records, as far as that is too much for a start. */
  readonly inspectFiles: (signal: AbortSignal) => Promise<void>

  /** @param release what is to be let go once the database is closed */
  constructor(
    database: Database,
    release: Release = async () => undefined,
    inspectFiles: ChainStore['inspectFiles'] = async () => undefined,
  ) {
    this.database = database
    this.release = release
    this.inspectFiles = inspectFiles
  }

  /** Whether nothing has ever been written. */
  get isNew(): boolean {
    return this.database.isNew
  }

  async meta(): Promise<Meta> {
    return decodeMeta(present(await this.database.get(key.meta), 'the record of whose chain it is'))
  }

  async head(snapshot?: Snapshot): Promise<Hash> {
    return readHash(present(await this.database.get(key.head, snapshot), 'the head'))
  }

  /** The head's entry. */
  async headEntry(snapshot?: Snapshot): Promise<StoredEntry> {
    return this.knownEntry(await this.head(snapshot), snapshot)
  }

  async entry(hash: Hash, snapshot?: Snapshot): Promise<StoredEntry | undefined> {
    const value = await this.database.get(key.entry(hash), snapshot)
    return value && decodeEntry(hash, value)
  }

  /** For an entry that must be there, since something stored points at it. */
  async knownEntry(hash: Hash, snapshot?: Snapshot): Promise<StoredEntry> {
    return known(hash, await this.entry(hash, snapshot))
  }

  async entries(hashes: readonly Hash[], snapshot?: Snapshot): Promise<(StoredEntry | undefined)[]> {
    const values = await this.database.getMany(hashes.map(key.entry), snapshot)
    return values.map((value, i) => value && decodeEntry(hashes[i] as Hash, value))
  }

  /** The same where all of them must be there. */
  async knownEntries(hashes: readonly Hash[], snapshot?: Snapshot): Promise<StoredEntry[]> {
    const entries = await this.entries(hashes, snapshot)
    return entries.map((entry, i) => known(hashes[i] as Hash, entry))
  }

  /** Every entry of the tree. */
  async *allEntries(): AsyncGenerator<StoredEntry> {
    for await (const [at, value] of this.database.entries(within('entry/')))
      yield decodeEntry(lastPart(at) as Hash, value)
  }

  /** Where every block is stored, in the order of the heights. */
  async *allBlocks(): AsyncGenerator<BlockPlace> {
    for await (const at of this.database.keys(within('block/'))) yield blockPlaceOf(at)
  }

  haveBlocks(places: readonly BlockPlace[]): Promise<boolean[]> {
    return this.database.hasMany(places.map(({ index, hash }) => key.block(index, hash)))
  }

  /** The canonical JSON of a block that is stored. */
  async blockText(index: number, hash: Hash, snapshot?: Snapshot): Promise<Buffer> {
    return present(await this.database.get(key.block(index, hash), snapshot), `block ${index} ${hash}`)
  }

  /** The same for several. */
  async blockTexts(places: readonly BlockPlace[], snapshot?: Snapshot): Promise<Buffer[]> {
    const keys = places.map(({ index, hash }) => key.block(index, hash))
    const values = await this.database.getMany(keys, snapshot)
    return values.map((value, i) => present(value, `block ${places[i]?.index} ${places[i]?.hash}`))
  }

  async block(place: BlockPlace): Promise<ParsedBlock> {
    return blockOf(place, await this.blockText(place.index, place.hash))
  }

  /** The same for several. */
  async blocks(places: readonly BlockPlace[], snapshot: Snapshot): Promise<ParsedBlock[]> {
    const texts = await this.blockTexts(places, snapshot)
    return texts.map((text, i) => blockOf(places[i] as BlockPlace, text))
  }

  /** Hash of the main chain's block at an index; undefined above its height. */
  async mainHash(index: number, snapshot?: Snapshot): Promise<Hash | undefined> {
    const value = await this.database.get(key.main(index), snapshot)
    return value && readHash(value)
  }

  /** The same for one that must be there. */
  async knownMainHash(index: number, snapshot?: Snapshot): Promise<Hash> {
    return present(await this.mainHash(index, snapshot), `the main chain's block ${index}`)
  }

  /** Hashes of the main chain from one index to another, both included; all of them must be there. */
  async mainHashes(from: number, to: number, snapshot?: Snapshot): Promise<Hash[]> {
    const keys = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => key.main(from + i))
    const values = await this.database.getMany(keys, snapshot)
    return values.map((value, i) => readHash(present(value, `the main chain's block ${from + i}`)))
  }

  /** The canonical JSON of the main chain's blocks from one index to another, both included. */
  async mainBlockTexts(from: number, to: number, snapshot?: Snapshot): Promise<Buffer[]> {
    const hashes = await this.mainHashes(from, to, snapshot)
    return this.blockTexts(
      hashes.map((hash, i) => ({ index: from + i, hash })),
      snapshot,
    )
  }

  /** The same for any number of them, some at a time, as fast as their reader takes them. */
  async *mainBlockPages(from: number, to: number, snapshot: Snapshot): AsyncGenerator<Buffer[], void, undefined> {
    let most = 1
    for (let index = from; index <= to; ) {
      const texts = await this.mainBlockTexts(index, Math.min(to, index + most - 1), snapshot)
      const bytes = texts.reduce((sum, { length }) => sum + length, 0)
      yield texts
      index += texts.length
      most = bytes < PAGE_BYTES ? Math.min(MOST_OF_PAGE, most * 2) : 1
    }
  }

  /** The main chain's block at an index, and how many bytes it has. */
  async mainBlock(index: number, snapshot: Snapshot): Promise<MeasuredBlock> {
    return this.readBlock(index, await this.knownMainHash(index, snapshot), snapshot)
  }

  /** The same, with what its accounts were before it: of genesis nothing is known. */
  async connectedBlock(index: number, snapshot: Snapshot): Promise<UndoableBlock> {
    const [main, undo] = await this.database.getMany([key.main(index), key.undo(index)], snapshot)
    const hash = readHash(present(main, `the main chain's block ${index}`))
    const read = await this.readBlock(index, hash, snapshot)
    return { ...read, undo: index > 1 ? undoOf(read, undo) : new Map() }
  }

  private async readBlock(index: number, hash: Hash, snapshot: Snapshot): Promise<MeasuredBlock> {
    const text = await this.blockText(index, hash, snapshot)
    return { hash, block: JSON.parse(text.toString()) as Block, bytes: text.length }
  }

  /** The canonical JSON of the main chain's block at an index, at once; undefined above the main chain's height. */
  mainBlockText(index: number): Buffer | undefined {
    const recent = this.recent.get(index)
    if (recent) return recent
    const value = this.database.getNow(key.main(index))
    if (value === undefined) return undefined
    const hash = readHash(value)
    const text = present(this.database.getNow(key.block(index, hash)), `block ${index} ${hash}`)
    this.recent.add(index, text)
    return text
  }

  /** The main chain isn't what it was, and somebody else has written that. */
  forgetRecent(): void {
    this.recent.clear()
  }

  /** What the accounts of blocks of the main chain were before each. */
  async undos(blocks: readonly StoredBlock[], snapshot: Snapshot): Promise<StoredChanges[]> {
    const keys = blocks.map(({ block }) => key.undo(block.index))
    const values = await this.database.getMany(keys, snapshot)
    return values.map((value, i) => undoOf(blocks[i] as StoredBlock, value))
  }

  async undo(block: StoredBlock): Promise<StoredChanges> {
    return undoOf(block, await this.database.get(key.undo(block.block.index)))
  }

  /** Balance and nonce of any address. */
  async account(address: Address): Promise<Account> {
    const { balance, nonce } = (await this.accounts([address])).get(address) ?? NO_ACCOUNT
    return { balance, nonce }
  }

  /** Only those that are stored. */
  async accounts(addresses: readonly Address[], snapshot?: Snapshot): Promise<Map<Address, StoredAccount>> {
    const values = await this.database.getMany(addresses.map(key.account), snapshot)
    const found = new Map<Address, StoredAccount>()
    for (const [i, value] of values.entries()) if (value) found.set(addresses[i] as Address, decodeAccount(value))
    return found
  }

  /** Every stored account, in the order of the addresses. */
  async *allAccounts(snapshot?: Snapshot): AsyncGenerator<[Address, StoredAccount]> {
    for await (const [at, value] of this.database.entries({ ...within('account/'), ...(snapshot && { snapshot }) }))
      yield [lastPart(at) as Address, decodeAccount(value)]
  }

  async transactionPlace(id: Hash, snapshot?: Snapshot): Promise<TransactionPlace | undefined> {
    const value = await this.database.get(key.transaction(id), snapshot)
    return value && decodePlace(value)
  }

  async transactionPlaces(ids: readonly Hash[], snapshot?: Snapshot): Promise<(TransactionPlace | undefined)[]> {
    const values = await this.database.getMany(ids.map(key.transaction), snapshot)
    return values.map((value) => value && decodePlace(value))
  }

  /** The waiting transactions as they were when the node stopped, in order of arrival; then those on their way back. */
  async *pool(): AsyncGenerator<StoredTransaction> {
    for (const prefix of ['pool/', 'returning/'] as const)
      for await (const [at, value] of this.database.entries(within(prefix))) {
        const { transaction, arrivedAt } = parseJson(value) as unknown as Omit<StoredTransaction, 'at'>
        yield { at, transaction, arrivedAt }
      }
  }

  snapshot(): Snapshot {
    return this.database.snapshot()
  }

  /** Runs reads that must agree with each other: they all see the store as it is now. */
  async reading<T>(read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const snapshot = this.database.snapshot()
    try {
      return await read(snapshot)
    } finally {
      await snapshot.close()
    }
  }

  async writeGenesis(genesis: Genesis, entry: BlockEntry, accounts: AccountChanges): Promise<void> {
    const batch: Batch = new Map()
    batch.set(key.meta, encodeMeta(entry.hash))
    batch.set(key.block(1, entry.hash), canonicalJson(genesis))
    batch.set(key.entry(entry.hash), encodeEntry({ ...entry, refused: undefined }))
    batch.set(key.main(1), entry.hash)
    putAccounts(batch, new Map([...accounts].map(([at, account]) => [at, account && { ...account, latest: 0 }])))
    batch.set(key.head, entry.hash)
    await this.database.write(batch, { sync: true })
  }

  /** A block beside the main chain, whose transactions the ledger hasn't seen. */
  async writeBeside(entry: BlockEntry, parsed: ParsedBlock, options: WriteOptions): Promise<void> {
    const batch: Batch = new Map()
    putBlock(batch, entry, parsed)
    await this.database.write(batch, options)
  }

  /** Remembers that the ledger refused these blocks, so that nothing is built on them. */
  async writeRefused(entries: readonly StoredEntry[], code: RuleCode): Promise<void> {
    const batch: Batch = new Map()
    for (const entry of entries) batch.set(key.entry(entry.hash), encodeEntry({ ...entry, refused: code }))
    await this.database.write(batch, { sync: false })
  }

  /**
   * Moves the head: everything that a block brings or takes away, in one atomic batch.
   * @param abandoned newest first
   * @param adopted oldest first
   * @param accounts as they are afterwards
   */
  async writeHead(
    abandoned: readonly ConnectedBlock[],
    adopted: readonly ConnectedBlock[],
    accounts: StoredChanges,
    options: WriteOptions,
  ): Promise<void> {
    const batch: Batch = new Map()
    for (const block of abandoned) {
      putIndexes(batch, block, false)
      putReturning(batch, block, true)
    }
    for (const block of adopted) {
      putBlock(batch, block.entry, block.parsed)
      putIndexes(batch, block, true)
    }
    putAccounts(batch, accounts)
    batch.set(key.head, present(adopted.at(-1), 'a new head').entry.hash)
    await this.database.write(batch, options)
    // Not before: until then they may be read and remembered.
    for (const { entry } of abandoned) this.recent.forget(entry.index)
  }

  async writePool(
    added: readonly PoolEntry[],
    removed: readonly PoolEntry[],
    { sync, returned = [] }: PoolWriteOptions,
  ): Promise<void> {
    const batch: Batch = new Map()
    for (const entry of added) putWaiting(batch, entry)
    for (const { order } of removed) batch.set(key.pool(order), undefined)
    for (const block of returned) putReturning(batch, block, false)
    await this.database.write(batch, { sync })
  }

  /** After a restart the pool counts its arrivals anew: `stale` are the keys under which they were stored. */
  async rewritePool(stale: readonly string[], entries: Iterable<PoolEntry>): Promise<void> {
    const batch: Batch = new Map()
    for (const at of stale) batch.set(at, undefined)
    for (const entry of entries) putWaiting(batch, entry)
    await this.database.write(batch, { sync: true })
  }

  /** Settles when the disk has all that was written so far. */
  sync(): Promise<void> {
    return this.database.write(new Map(), { sync: true })
  }

  /** Records as they are, from a database that is being rebuilt. */
  async writeRecords(records: Batch): Promise<void> {
    await this.database.write(records, { sync: true })
  }

  async close(): Promise<void> {
    try {
      await this.database.close()
    } finally {
      await this.release()
    }
  }
}
