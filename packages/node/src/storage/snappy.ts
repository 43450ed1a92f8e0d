/**
 * Unpacks Snappy's raw format (google/snappy, format_description.txt), by which LevelDB packs the blocks of its tables:
 * the length of the result, then literals and copies of what is there already.
 *
 * @param packed whole: its checksum was looked at
 */
export function unpackSnappy(packed: Buffer): Buffer {
  let at = 0
  const byte = () => packed[at++] ?? 0
  const number = (bytes: number) => {
    at += bytes
    return packed.readUIntLE(at - bytes, bytes)
  }
  let length = 0
  for (let factor = 1; ; factor *= 128) {
    const part = byte()
    length += (part & 127) * factor
    if (part < 128) break
  }
  const result = Buffer.alloc(length)
  let filled = 0
  const copy = (distance: number, count: number) => {
    // Byte by byte: what is copied may be what this very copy writes.
    for (const end = filled + count; filled < end; filled++) result[filled] = result[filled - distance] ?? 0
  }
  while (at < packed.length) {
    const tag = byte()
    const count = tag >> 2
    if ((tag & 3) === 0) {
      // Up to 60 bytes are counted in the tag, more in one to four bytes after it.
      const literal = 1 + (count < 60 ? count : number(count - 59))
      filled += packed.copy(result, filled, at, at + literal)
      at += literal
    } else if ((tag & 3) === 1) copy(((tag >> 5) << 8) | byte(), 4 + (count & 7))
    else copy(number((tag & 3) === 2 ? 2 : 4), 1 + count)
  }
  return result
}
