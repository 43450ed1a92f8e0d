/**
 * LevelDB, with what it lacks for a ledger: it notices that something is gone.
 *
 * LevelDB drops a damaged batch in the middle of its log without a word, opens with an older state when the log's end
 * is cut, and reads table files without looking at their checksums. So here
 *
 * - every value carries a CRC-32 over its key and itself, looked at whenever it is read;
 * - every batch leaves its number in the journal: a gap among the newest ones means that a batch was lost;
 * - the number of the newest batch, and the head that it knew, also stand in a file of their own, the witness: a
 *   database that ends before it has lost its end.
 */
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { AbstractLevel, AbstractSnapshot } from 'abstract-level'
import { DamageError, StorageError } from '../errors.ts'
import { Serial } from '../serial.ts'
import { key, lastPart, number, within } from './layout.ts'

export type Level = AbstractLevel<string | Buffer | Uint8Array, string, Buffer>
export type Snapshot = AbstractSnapshot

export interface WriteOptions {
  /** Whether the batch must be on the disk before the promise settles. */
  readonly sync: boolean
}

/** Keys to write, `undefined` for those to delete. */
export type Batch = Map<string, string | undefined>

export interface Range {
  readonly gt?: string
  readonly gte?: string
  readonly lt?: string
  readonly lte?: string
  readonly reverse?: boolean
  readonly limit?: number
  readonly snapshot?: Snapshot
}

/**
 * Journal records that are kept. A batch takes at least 500 bytes, so this many are more than the two write buffers of
 * 4 MiB that LevelDB's log can hold; what is older has reached table files.
 */
const JOURNAL_LENGTH = 16_384
const PAGE = 256
const CRC_BYTES = 4

export class Database {
  private readonly level: Level
  private readonly witness: Witness | undefined
  private readonly writes = new Serial()
  private sequence: number

  private constructor(level: Level, witness: Witness | undefined, sequence: number) {
    this.level = level
    this.witness = witness
    this.sequence = sequence
  }

  /**
   * @param level open, with string keys and buffer values
   * @param witnessFile undefined for a database in memory
   * @throws DamageError where a batch is missing in the middle or at the end
   */
  static async open(level: Level, witnessFile: string | undefined): Promise<Database> {
    const sequence = await readJournal(level)
    if (witnessFile === undefined) return new Database(level, undefined, sequence)
    const seen = readWitness(witnessFile)
    if (seen === undefined && sequence > 0) throw new DamageError(`the file ${witnessFile} is missing`)
    if (seen !== undefined && seen.sequence > sequence)
      throw new DamageError(`the database ends with batch ${sequence}, and ${seen.sequence} was written`)
    return new Database(level, new Witness(witnessFile, seen?.head ?? NO_HEAD), sequence)
  }

  /** @throws DamageError where the value is not what was written under this key */
  async get(at: string, snapshot?: Snapshot): Promise<Buffer | undefined> {
    return unframe(at, await this.level.get(at, { ...(snapshot && { snapshot }) }))
  }

  async getMany(keys: readonly string[], snapshot?: Snapshot): Promise<(Buffer | undefined)[]> {
    const values = await this.level.getMany([...keys], { ...(snapshot && { snapshot }) })
    return values.map((value, i) => unframe(keys[i] as string, value))
  }

  /** Entries in the order of their keys, read a page at a time. */
  async *entries(range: Range): AsyncGenerator<[string, Buffer]> {
    const iterator = this.level.iterator(range)
    try {
      for (let page = await iterator.nextv(PAGE); page.length > 0; page = await iterator.nextv(PAGE))
        for (const [at, value] of page) yield [at, unframe(at, value) as Buffer]
    } finally {
      await iterator.close()
    }
  }

  snapshot(): Snapshot {
    return this.level.snapshot()
  }

  /**
   * All of the batch or none of it. Batches are numbered and written in the order of the calls.
   * @throws StorageError
   */
  write(batch: Batch, options: WriteOptions): Promise<void> {
    return this.writes.run(async () => {
      const sequence = this.sequence + 1
      const operations = [...batch].map(([at, value]) => operation(at, value))
      operations.push(operation(key.journal(sequence), ''))
      operations.push(operation(key.journal(sequence - JOURNAL_LENGTH), undefined))
      // `sync` is LevelDB's own option: a database in memory has nothing to wait for.
      try {
        await this.level.batch(operations, { ...options } as object)
        this.sequence = sequence
        // After the batch, never before it: a crash in between leaves the witness behind, not ahead.
        this.witness?.write(sequence, batch.get(key.head))
      } catch (error) {
        throw new StorageError(`The database can't be written: ${(error as Error).message}`, { cause: error })
      }
    })
  }

  async close(): Promise<void> {
    await this.writes.idle()
    await this.level.close()
    this.witness?.close()
  }
}

function operation(at: string, value: string | undefined) {
  if (value === undefined) return { type: 'del' as const, key: at }
  return { type: 'put' as const, key: at, value: frame(at, value) }
}

function frame(at: string, value: string): Buffer {
  const framed = Buffer.allocUnsafe(CRC_BYTES + Buffer.byteLength(value))
  framed.write(value, CRC_BYTES)
  framed.writeUInt32BE(checksum(at, framed), 0)
  return framed
}

/**
 * The value of a record, without its checksum.
 * @throws DamageError where it is not what was written under this key
 */
export function unframe(at: string, framed: Buffer | undefined): Buffer | undefined {
  if (framed === undefined) return undefined
  if (framed.length < CRC_BYTES || framed.readUInt32BE(0) !== checksum(at, framed))
    throw new DamageError(`the record ${at} is not what was written`)
  return framed.subarray(CRC_BYTES)
}

function checksum(at: string, framed: Buffer): number {
  return crc32(framed.subarray(CRC_BYTES), crc32(at))
}

/** @returns the number of the newest batch; 0 in a new database */
async function readJournal(level: Level): Promise<number> {
  const iterator = level.keys(within('journal/'))
  let [count, first, last] = [0, 0, 0]
  try {
    for (let page = await iterator.nextv(PAGE); page.length > 0; page = await iterator.nextv(PAGE))
      for (const at of page) {
        const sequence = Number(lastPart(at))
        if (count === 0) first = sequence
        else if (sequence !== last + 1) throw new DamageError(`the batches ${last + 1} to ${sequence - 1} are missing`)
        last = sequence
        count++
      }
  } finally {
    await iterator.close()
  }
  if (count > 0 && first !== Math.max(1, last - JOURNAL_LENGTH + 1))
    throw new DamageError(`the batches before ${first} are missing`)
  return last
}

/** What the witness file says: the number of the newest batch, and the head of the chain after it. */
export interface WitnessLine {
  readonly sequence: number
  readonly head: string
}

const NO_HEAD = '-'.repeat(64)
const WITNESS_LINE = /^([0-9]{16}) ([0-9a-f]{64}|-{64})\n$/

/**
 * @returns undefined where there is no such file
 * @throws DamageError where it holds something else
 */
export function readWitness(file: string): WitnessLine | undefined {
  if (!existsSync(file)) return undefined
  const [, sequence, head] = WITNESS_LINE.exec(readFileSync(file, 'latin1')) ?? []
  if (sequence === undefined || head === undefined) throw new DamageError(`the file ${file} holds no batch number`)
  return { sequence: Number(sequence), head }
}

/** The witness file: one line of one length, written over in place. */
class Witness {
  private readonly descriptor: number
  private head: string

  constructor(file: string, head: string) {
    this.descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    this.head = head
  }

  /** @param head undefined where the batch didn't move it */
  write(sequence: number, head: string | undefined): void {
    this.head = head ?? this.head
    writeSync(this.descriptor, `${number(sequence)} ${this.head}\n`, 0, 'latin1')
  }

  close(): void {
    closeSync(this.descriptor)
  }
}
