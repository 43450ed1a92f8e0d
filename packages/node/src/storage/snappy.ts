import { ByteReader } from './byte-reader.ts'

/**
 * Unpacks Snappy's raw format (google/snappy, format_description.txt), by which LevelDB packs the blocks of its tables:
 * the length of the result, then literals and copies of what is there already.
 *
 * @param packed whole: its checksum was looked at
 */
export function unpackSnappy(packed: Buffer): Buffer {
  const bytes = new ByteReader(packed)
  const result = Buffer.alloc(bytes.varint())
  let filled = 0
  const copy = (distance: number, count: number) => {
    // Byte by byte: what is copied may be what this very copy writes.
    for (const end = filled + count; filled < end; filled++) result[filled] = result[filled - distance] ?? 0
  }
  while (!bytes.atEnd) {
    const tag = bytes.byte()
    const count = tag >> 2
    if ((tag & 3) === 0) {
      // Up to 60 bytes are counted in the tag, more in one to four bytes after it.
      const literal = 1 + (count < 60 ? count : bytes.number(count - 59))
      filled += bytes.take(literal).copy(result, filled)
    } else if ((tag & 3) === 1) copy(((tag >> 5) << 8) | bytes.byte(), 4 + (count & 7))
    else copy(bytes.number((tag & 3) === 2 ? 2 : 4), 1 + count)
  }
  return result
}
