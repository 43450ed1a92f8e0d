/**
 * LevelDB's own files, looked at before LevelDB reads them. It opens tables without looking at their checksums, and
 * where a malformed one breaks an assumption of its code it ends the whole process (its binary has assertions).
 *
 *     table    data blocks │ filter block │ metaindex block │ index block │ footer       doc/table_format.md
 *     log      blocks of 32 KiB: records with a header of 7 bytes, that don't cross them   doc/log_format.md
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DamageError } from '../errors.ts'
import { crc32c } from './crc32c.ts'
import { unpackSnappy } from './snappy.ts'

const TABLE = /^[0-9]+\.(?:ldb|sst)$/
const LOG = /^[0-9]+\.log$/

/**
 * Reads every table: a gigabyte takes a few seconds.
 * @throws DamageError where one is not what LevelDB has written
 */
export async function inspectTables(location: string): Promise<void> {
  for (const name of tablesIn(location)) {
    const damaged = damagedBlocks(await readFile(join(location, name)))
    if (damaged === undefined) throw new DamageError(`the table ${name} has lost its index`)
    if (damaged.length > 0) throw new DamageError(`the table ${name} is damaged at byte ${damaged[0]?.offset}`)
  }
}

/** Makes damaged files harmless, for LevelDB's repair: it takes from them what is still whole. */
export function mendFiles(location: string): void {
  for (const name of tablesIn(location)) mendTable(join(location, name))
  for (const name of readdirSync(location).filter((one) => LOG.test(one))) mendLog(join(location, name))
}

function tablesIn(location: string): string[] {
  return readdirSync(location).filter((name) => TABLE.test(name))
}

/** Where a block stands in its table, without its trailer. */
interface Handle {
  readonly offset: number
  readonly size: number
}

const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** After each block: whether it is compressed, and a checksum over both. */
const TRAILER_BYTES = 5
const PLAIN = 0
const SNAPPY = 1
/** LevelDB knows no such compression: it skips the block. */
const UNREADABLE = 0xff

/** @returns the blocks that are not what was written; undefined where not even the index can be read */
export function damagedBlocks(table: Buffer): Handle[] | undefined {
  const footer = footerOf(table)
  if (footer === undefined || !isWhole(table, footer.index)) return undefined
  const meta = isWhole(table, footer.meta) ? handlesIn(table, footer.meta) : []
  const blocks = [footer.meta, ...meta, ...handlesIn(table, footer.index)]
  return blocks.filter((block) => !isWhole(table, block))
}

function footerOf(table: Buffer): { meta: Handle; index: Handle } | undefined {
  if (table.length < FOOTER_BYTES || table.readBigUInt64LE(table.length - 8) !== MAGIC) return undefined
  const footer = new Reader(table.subarray(-FOOTER_BYTES))
  return { meta: footer.handle(), index: footer.handle() }
}

function isWhole(table: Buffer, { offset, size }: Handle): boolean {
  const end = offset + size
  if (end + TRAILER_BYTES > table.length - FOOTER_BYTES) return false
  return table.readUInt32LE(end + 1) === masked(crc32c(table.subarray(offset, end + 1)))
}

/** The values of a block of handles, which is whole. Its keys don't matter here. */
function handlesIn(table: Buffer, block: Handle): Handle[] {
  const content = contentOf(table, block)
  if (content === undefined) return []
  const restarts = content.readUInt32LE(content.length - 4)
  const entries = new Reader(content.subarray(0, content.length - 4 * (restarts + 1)))
  const handles: Handle[] = []
  while (!entries.atEnd) {
    entries.varint()
    const [unshared, length] = [entries.varint(), entries.varint()]
    entries.take(unshared)
    handles.push(new Reader(entries.take(length)).handle())
  }
  return handles
}

/** @returns undefined for a compression that only a later LevelDB has */
function contentOf(table: Buffer, { offset, size }: Handle): Buffer | undefined {
  const content = table.subarray(offset, offset + size)
  switch (table[offset + size]) {
    case PLAIN:
      return content
    case SNAPPY:
      return unpackSnappy(content)
    default:
      return undefined
  }
}

/** So does LevelDB, since a checksum of something that holds checksums is a poor one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

class Reader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length
  }

  take(length: number): Buffer {
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++] ?? 0
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  handle(): Handle {
    return { offset: this.varint(), size: this.varint() }
  }
}

function mendTable(file: string): void {
  const table = readFileSync(file)
  const damaged = damagedBlocks(table)
  if (damaged === undefined) return void renameSync(file, `${file}.unreadable`)
  // One that reaches beyond the file LevelDB refuses by itself.
  for (const { offset, size } of damaged) if (offset + size < table.length) table[offset + size] = UNREADABLE
  if (damaged.length > 0) writeFileSync(file, table)
}

const LOG_BLOCK_BYTES = 32_768
const HEADER_BYTES = 7

/** LevelDB's repair doesn't look at a log's checksums. */
function mendLog(file: string): void {
  const log = readFileSync(file)
  for (let start = 0; start < log.length; start += LOG_BLOCK_BYTES)
    mendLogBlock(log.subarray(start, start + LOG_BLOCK_BYTES))
  writeFileSync(file, log)
}

function mendLogBlock(block: Buffer): void {
  for (let at = 0; at + HEADER_BYTES <= block.length; at += recordBytes(block, at)) {
    if (isWholeRecord(block, at)) continue
    const next = at + recordBytes(block, at)
    // Where its length is right, it alone is lost; otherwise nobody knows where the next one starts.
    if (next + HEADER_BYTES > block.length || !isWholeRecord(block, next)) return void block.fill(0, at)
    block[at + 6] = UNREADABLE
  }
}

function recordBytes(block: Buffer, at: number): number {
  return HEADER_BYTES + block.readUInt16LE(at + 4)
}

function isWholeRecord(block: Buffer, at: number): boolean {
  const end = at + recordBytes(block, at)
  return end <= block.length && block.readUInt32LE(at) === masked(crc32c(block.subarray(at + 6, end)))
}
