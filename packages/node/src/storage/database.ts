/**
 * LevelDB, with what it lacks for a ledger: it notices that something is gone.
 *
 * LevelDB drops a damaged batch in the middle of its log without a word, opens with an older state when the log's end
 * is cut, and reads table files without looking at their checksums. So here
 *
 * - every value carries a CRC-32 over its key and itself, looked at whenever it is read;
 * - every batch leaves its number in the journal: a gap among the newest ones means that a batch was lost;
 * - the number of the newest batch that was promised to last, and the head that it knew, also stand in a file of their
 *   own, the witness (witness.ts): a database that ends before it has lost its end.
 */
import { crc32 } from 'node:zlib'
import type { AbstractLevel, AbstractSnapshot } from 'abstract-level'
import { DamageError, StorageError } from '../errors.ts'
import { Serial } from '../serial.ts'
import { key, lastPart, within } from './layout.ts'
import { NO_HEAD, readWitness, Witness, type WitnessLine } from './witness.ts'

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
  readonly snapshot?: Snapshot
}

/**
 * What LevelDB keeps in memory, and in a log, before it makes a table of it. The greater, the less often it merges its
 * tables: with its own 4 MiB it spends four times as much on that while a chain comes in.
 */
export const WRITE_BUFFER_BYTES = 16 * 1024 * 1024

/**
 * Journal records that are kept, and the least that is written for each batch. Together they are the two write buffers
 * that LevelDB's logs can hold: what is older has reached table files.
 */
const JOURNAL_LENGTH = 16_384
const LEAST_BATCH_BYTES = (2 * WRITE_BUFFER_BYTES) / JOURNAL_LENGTH
const PAGE = 256
const CRC_BYTES = 4

/**
 * `sync` is LevelDB's own option: a database in memory has nothing to wait for. It is inherited, since abstract-level
 * copies the options' own properties into every operation, which costs more than all the rest of a write.
 */
const [SYNCED, UNSYNCED] = [true, false].map((sync) => Object.create({ sync })) as [object, object]

export class Database {
  private readonly level: Level
  private readonly witness: Witness | undefined
  private readonly writes = new Serial()
  private sequence: number
  /** The newest batch that was written with `sync`. */
  private synced: number
  private failure: unknown

  private constructor(level: Level, witness: Witness | undefined, sequence: number) {
    this.level = level
    this.witness = witness
    this.sequence = sequence
    this.synced = sequence
  }

  /**
   * @param level open, with string keys and buffer values
   * @param witnessFile undefined for a database in memory
   * @throws DamageError where a batch is missing in the middle or at the end
   */
  static async open(level: Level, witnessFile: string | undefined): Promise<Database> {
    if (witnessFile === undefined) return new Database(level, undefined, await readJournal(level))
    const { sequence, head } = await readNewest(level, witnessFile)
    return new Database(level, new Witness(witnessFile, head), sequence)
  }

  /** Whether nothing has ever been written. */
  get isNew(): boolean {
    return this.sequence === 0
  }

  /** @throws DamageError where the value is not what was written under this key */
  async get(at: string, snapshot?: Snapshot): Promise<Buffer | undefined> {
    return unframe(at, await reading(this.level.get(at, { ...(snapshot && { snapshot }) })))
  }

  /**
   * The same, on this thread: what LevelDB has in memory it finds in a fraction of the time that it takes to wake
   * another one and to hear of it. For records that are asked for often; what the disk has to be asked for holds
   * everybody up that long.
   */
  getNow(at: string): Buffer | undefined {
    try {
      return unframe(at, this.level.getSync(at))
    } catch (error) {
      throw asFault(error, "can't be read")
    }
  }

  async getMany(keys: readonly string[], snapshot?: Snapshot): Promise<(Buffer | undefined)[]> {
    const values = await reading(this.level.getMany([...keys], { ...(snapshot && { snapshot }) }))
    return values.map((value, i) => unframe(keys[i] as string, value))
  }

  /** Entries in the order of their keys, read a page at a time. */
  async *entries(range: Range): AsyncGenerator<[string, Buffer]> {
    const iterator = this.level.iterator(range)
    try {
      const next = () => reading(iterator.nextv(PAGE))
      for (let page = await next(); page.length > 0; page = await next())
        for (const [at, value] of page) yield [at, unframe(at, value) as Buffer]
    } finally {
      await iterator.close()
    }
  }

  /** Keys alone, in their order. */
  keys(range: Range): AsyncGenerator<string> {
    return keysOf(this.level, range)
  }

  /** Which of the keys are there. */
  hasMany(keys: readonly string[]): Promise<boolean[]> {
    return reading(this.level.hasMany([...keys]))
  }

  snapshot(): Snapshot {
    return this.level.snapshot()
  }

  /**
   * All of the batch or none of it. Batches are numbered and written in the order of the calls.
   * @throws StorageError, and from then on always: LevelDB's log may have been torn, and what follows would be lost
   * @throws DamageError where LevelDB has met it while it tidied up
   */
  write(batch: Batch, options: WriteOptions): Promise<void> {
    return this.writes.run(async () => {
      if (this.failure) throw this.failure
      try {
        await this.writeNext(batch, options)
      } catch (error) {
        this.failure = asFault(error, "can't be written")
        throw this.failure
      }
    })
  }

  private async writeNext(batch: Batch, { sync }: WriteOptions): Promise<void> {
    const sequence = this.sequence + 1
    await this.collect(batch, sequence).write(sync ? SYNCED : UNSYNCED)
    this.sequence = sequence
    // After the batch, never before it: a crash in between leaves the witness behind, not ahead. For the same reason
    // it doesn't speak of what the disk may not have yet: after a power failure it would be the only one to remember.
    this.witness?.remember(batch.get(key.head))
    if (!sync) return
    this.synced = sequence
    this.witness?.write(sequence)
  }

  /**
   * The batch as LevelDB is going to write it, with its journal record. It copies each record at once: in a list of them
   * all would outlive a collection of garbage, and abstract-level would check, copy and encode each in three times the
   * time.
   */
  private collect(batch: Batch, sequence: number) {
    const collected = this.level.batch()
    let bytes = 0
    for (const [at, value] of batch) {
      if (value === undefined) collected.del(at)
      else {
        const framed = frame(at, value)
        collected.put(at, framed)
        bytes += at.length + framed.length
      }
    }
    const journal = key.journal(sequence)
    collected.put(journal, frame(journal, ' '.repeat(Math.max(0, LEAST_BATCH_BYTES - bytes))))
    if (sequence > JOURNAL_LENGTH) collected.del(key.journal(sequence - JOURNAL_LENGTH))
    return collected
  }

  async close(): Promise<void> {
    await this.writes.idle()
    try {
      // So that the witness vouches for all of it.
      if (this.synced < this.sequence && !this.failure) await this.write(new Map(), { sync: true })
    } finally {
      await this.level.close()
      this.witness?.close()
    }
  }
}

/** @throws DamageError or StorageError for what LevelDB has to say of its files */
async function reading<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw asFault(error, "can't be read")
  }
}

/** LevelDB reports damage as corruption, and a table file that is gone as a plain I/O error. */
export function asDamage(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string }
  const damage = code === 'LEVEL_CORRUPTION' || /corruption|no such file|invalid argument/i.test(message ?? '')
  return damage ? new DamageError(`LevelDB: ${message}`, { cause: error }) : error
}

/** A call that LevelDB never made, since it is closed or since it was called wrongly: no fault of the disk. */
const NOT_OF_THE_DISK = /^(?:LEVEL_(?!IO_ERROR|LOCKED)|ERR_)/

/** @param what "can't be read", say */
export function asFault(error: unknown, what: string): unknown {
  const fault = asDamage(error)
  const { code, message } = error as { code?: string; message?: string }
  if (fault instanceof DamageError || error instanceof TypeError || NOT_OF_THE_DISK.test(code ?? '')) return fault
  return new StorageError(`The database ${what}: ${message}`, { cause: error })
}

function frame(at: string, value: string): Buffer {
  const framed = Buffer.allocUnsafe(CRC_BYTES + Buffer.byteLength(value))
  framed.write(value, CRC_BYTES)
  framed.writeUInt32BE(checksum(at, value), 0)
  return framed
}

/** Where one call costs more than the bytes of both. */
const SHORT = 1_000

function checksum(at: string, value: string): number {
  return value.length < SHORT ? crc32(at + value) : crc32(value, crc32(at))
}

/**
 * The value of a record, without its checksum.
 * @throws DamageError where it is not what was written under this key
 */
export function unframe(at: string, framed: Buffer | undefined): Buffer | undefined {
  if (framed === undefined) return undefined
  if (!isAsWritten(at, framed)) throw new DamageError(`the record ${at} is not what was written`)
  return framed.subarray(CRC_BYTES)
}

function isAsWritten(at: string, framed: Buffer): boolean {
  return framed.length >= CRC_BYTES && framed.readUInt32BE(0) === crc32(framed.subarray(CRC_BYTES), crc32(at))
}

/**
 * The number of the newest batch, and the head that the witness says.
 * @throws DamageError where a batch is missing in the middle or at the end, or nothing says where the end is
 */
export async function readNewest(level: Level, witnessFile: string): Promise<WitnessLine> {
  const sequence = await readJournal(level)
  const seen = readWitness(witnessFile)
  // A node that is killed at its first start may leave its first batch behind, and not yet a witness of it.
  if (seen === undefined && sequence > 1) throw new DamageError(`the file ${witnessFile} is missing or empty`)
  if (seen !== undefined && seen.sequence > sequence)
    throw new DamageError(`the database ends with batch ${sequence}, and ${seen.sequence} was written`)
  return { sequence, head: seen?.head ?? NO_HEAD }
}

/** @returns the number of the newest batch; 0 in a new database */
async function readJournal(level: Level): Promise<number> {
  let [count, first, last] = [0, 0, 0]
  for await (const at of keysOf(level, within('journal/'))) {
    const sequence = Number(lastPart(at))
    if (count === 0) first = sequence
    else if (sequence !== last + 1) throw new DamageError(`the batches ${last + 1} to ${sequence - 1} are missing`)
    last = sequence
    count++
  }
  if (count > 0 && first !== Math.max(1, last - JOURNAL_LENGTH + 1))
    throw new DamageError(`the batches before ${first} are missing`)
  return last
}

async function* keysOf(level: Level, range: Range): AsyncGenerator<string> {
  const iterator = level.keys(range)
  try {
    const next = () => reading(iterator.nextv(PAGE))
    for (let page = await next(); page.length > 0; page = await next()) yield* page
  } finally {
    await iterator.close()
  }
}
