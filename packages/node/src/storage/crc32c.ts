/** CRC-32C (Castagnoli), which LevelDB's files carry: node:zlib has the other one only. */

const REVERSED_POLYNOMIAL = 0x82f63b78
/** Bytes that are taken in one go: four times as fast as one by one ("slicing by eight"). */
const SLICE = 8

/** What a byte adds to the sum: the first 256 of one that stands last, the next of one with a byte behind it, and so on. */
const TABLE = tableOf(SLICE)

function tableOf(slices: number): Uint32Array {
  const table = new Uint32Array(256 * slices)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ REVERSED_POLYNOMIAL : crc >>> 1
    table[byte] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256] as number
    table[i] = (before >>> 8) ^ (table[before & 255] as number)
  }
  return table
}

export function crc32c(bytes: Uint8Array): number {
  const byte = (at: number) => bytes[at] as number
  const sum = (slice: number, value: number) => TABLE[256 * slice + (value & 255)] as number
  let crc = -1
  let i = 0
  for (; i + SLICE <= bytes.length; i += SLICE) {
    const first = crc ^ (byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24))
    const four = sum(7, first) ^ sum(6, first >>> 8) ^ sum(5, first >>> 16) ^ sum(4, first >>> 24)
    crc = four ^ sum(3, byte(i + 4)) ^ sum(2, byte(i + 5)) ^ sum(1, byte(i + 6)) ^ sum(0, byte(i + 7))
  }
  for (; i < bytes.length; i++) crc = sum(0, crc ^ byte(i)) ^ (crc >>> 8)
  return ~crc >>> 0
}
