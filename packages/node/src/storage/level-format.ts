/**
 * How LevelDB writes its files (doc/table_format.md, doc/log_format.md, db/version_edit.cc), as far as it takes to see
 * whether they are what it has written.
 *
 *     table     data blocks │ filter block │ metaindex block │ index block │ footer
 *     log       blocks of 32 KiB: parts of records, each with a header of 7 bytes
 *     manifest  a log: one record for every change of the set of tables
 */
import { ByteReader } from './byte-reader.ts'
import { crc32c } from './crc32c.ts'
import { unpackSnappy } from './snappy.ts'

/** No block of a table is packed like this, and no part of a record is of this kind: LevelDB skips them. */
export const UNREADABLE = 0xff

/** Where a block stands in its table, without its trailer. */
export interface Handle {
  readonly offset: number
  readonly size: number
}

const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** After each block: how it is packed, and a checksum over both. */
const TRAILER_BYTES = 5
const PLAIN = 0
const SNAPPY = 1

/** @returns the blocks that are not what was written; undefined where not even the index can be read */
export function damagedBlocks(table: Buffer): Handle[] | undefined {
  const footer = footerOf(table)
  if (footer === undefined || !isWhole(table, footer.index)) return undefined
  const meta = isWhole(table, footer.meta) ? handlesIn(table, footer.meta) : []
  const blocks = [footer.meta, ...meta, ...handlesIn(table, footer.index)]
  return blocks.filter((block) => !isWhole(table, block))
}

/**
 * The same of the index and the filter alone, by which LevelDB finds the records.
 * @param end the last bytes of a table
 * @param size how many bytes it has in all
 * @returns whether they are what was written; false also where they don't lie within `end`
 */
export function isEndWhole(end: Buffer, size: number): boolean {
  const footer = footerOf(end)
  if (footer === undefined) return false
  const isWholeInEnd = (block: Handle) => {
    const offset = block.offset - (size - end.length)
    return offset >= 0 && isWhole(end, { offset, size: block.size })
  }
  if (!isWholeInEnd(footer.index) || !isWholeInEnd(footer.meta)) return false
  const meta = { offset: footer.meta.offset - (size - end.length), size: footer.meta.size }
  return handlesIn(end, meta).every(isWholeInEnd)
}

function footerOf(table: Buffer): { meta: Handle; index: Handle } | undefined {
  if (table.length < FOOTER_BYTES || table.readBigUInt64LE(table.length - 8) !== MAGIC) return undefined
  const footer = new ByteReader(table.subarray(-FOOTER_BYTES))
  return { meta: handleOf(footer), index: handleOf(footer) }
}

function handleOf(bytes: ByteReader): Handle {
  return { offset: bytes.varint(), size: bytes.varint() }
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
  const entries = new ByteReader(content.subarray(0, content.length - 4 * (restarts + 1)))
  const handles: Handle[] = []
  while (!entries.atEnd) {
    // How much of the key before it shares, how much of its own follows, and how long the value is.
    entries.varint()
    const [own, length] = [entries.varint(), entries.varint()]
    entries.take(own)
    handles.push(handleOf(new ByteReader(entries.take(length))))
  }
  return handles
}

/** @returns undefined for a way of packing that only a later LevelDB has */
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

const LOG_BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
/** Kinds of parts: a whole record, its first, its last. There are middle ones as well. */
const [WHOLE, FIRST, LAST] = [1, 2, 4]

function* blocksOf(log: Buffer): Generator<Buffer> {
  for (let start = 0; start < log.length; start += LOG_BLOCK_BYTES) yield log.subarray(start, start + LOG_BLOCK_BYTES)
}

/** The records of a log up to the first that is not whole. */
function* recordsIn(log: Buffer): Generator<Buffer> {
  let parts: Buffer[] = []
  for (const block of blocksOf(log))
    for (let at = 0; at + HEADER_BYTES <= block.length; at += partBytes(block, at)) {
      if (!isWholePart(block, at)) return
      const kind = block[at + 6]
      if (kind === WHOLE || kind === FIRST) parts = []
      parts.push(block.subarray(at + HEADER_BYTES, at + partBytes(block, at)))
      if (kind === WHOLE || kind === LAST) yield Buffer.concat(parts)
    }
}

/** Makes LevelDB skip what is not whole, in place. */
export function mendLog(log: Buffer): void {
  for (const block of blocksOf(log)) mendLogBlock(block)
}

function mendLogBlock(block: Buffer): void {
  for (let at = 0; at + HEADER_BYTES <= block.length; at += partBytes(block, at)) {
    if (isWholePart(block, at)) continue
    const next = at + partBytes(block, at)
    // Where its length is right, it alone is lost; otherwise nobody knows where the next one starts.
    if (next + HEADER_BYTES > block.length || !isWholePart(block, next)) return void block.fill(0, at)
    block[at + 6] = UNREADABLE
  }
}

function partBytes(block: Buffer, at: number): number {
  return HEADER_BYTES + block.readUInt16LE(at + 4)
}

function isWholePart(block: Buffer, at: number): boolean {
  const end = at + partBytes(block, at)
  return end <= block.length && block.readUInt32LE(at) === masked(crc32c(block.subarray(at + 6, end)))
}

/** @returns the numbers of the tables that a manifest names; undefined where a later LevelDB has written it */
export function tablesNamedIn(manifest: Buffer): Set<number> | undefined {
  const named = new Set<number>()
  for (const edit of recordsIn(manifest)) if (!applyEdit(new ByteReader(edit), named)) return undefined
  return named
}

/** @returns false for an edit that only a later LevelDB makes */
function applyEdit(edit: ByteReader, named: Set<number>): boolean {
  while (!edit.atEnd)
    switch (edit.varint()) {
      // The comparator's name.
      case 1:
        edit.text()
        break
      // Numbers: of the log, of the next file, of the newest record, of the log before.
      case 2:
      case 3:
      case 4:
      case 9:
        edit.varint()
        break
      // How far a level has been compacted.
      case 5:
        edit.varint()
        edit.text()
        break
      // A table that is no longer in its level.
      case 6:
        edit.varint()
        named.delete(edit.varint())
        break
      // One that is new in its level: its number, its size, its first and its last key.
      case 7:
        edit.varint()
        named.add(edit.varint())
        edit.varint()
        edit.text()
        edit.text()
        break
      default:
        return false
    }
  return true
}
