/** LevelDB's own files, read by ours: what it has written is whole to us, and what is mended is harmless to it. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DamageError } from '../src/errors.ts'
import { crc32c } from '../src/storage/crc32c.ts'
import { forgetAside, inspectTables, mendFiles, setAside } from '../src/storage/level-files.ts'
import { damagedBlocks } from '../src/storage/level-format.ts'
import { SeenTables } from '../src/storage/seen-tables.ts'
import { unpackSnappy } from '../src/storage/snappy.ts'
import { newDirectory, removeDirectories } from './support/ledger-disk.ts'
import { Random } from './support/ledger-random.ts'

afterAll(removeDirectories)

type Records = Map<string, string>

/** Short and long values, some that pack well and some that don't, and one longer than a block of the log. */
function someRecords(count: number, seed: number): Records {
  const random = new Random(seed)
  const value = (i: number) => {
    const letters = i % 3 === 0 ? 'a' : '0123456789abcdef'
    return Array.from({ length: 1 + random.below(400) }, () => random.pick([...letters])).join('')
  }
  const records = new Map(Array.from({ length: count }, (_, i) => [`key/${String(i).padStart(6, '0')}`, value(i)]))
  return records.set('key/long', '0123456789abcdef'.repeat(6_000)) as Records
}

async function written(records: Records, compression: boolean): Promise<string> {
  const location = newDirectory()
  const level = new ClassicLevel(location, { compression })
  for (const [at, value] of records) await level.put(at, value)
  await level.close()
  return location
}

async function withTables(records: Records, compression = true): Promise<string> {
  const location = await written(records, compression)
  const level = new ClassicLevel(location, { compression })
  await level.compactRange('', '~')
  await level.close()
  return location
}

const tablesIn = (location: string) => readdirSync(location).filter((name) => name.endsWith('.ldb'))
const logIn = (location: string) => readdirSync(location).find((name) => name.endsWith('.log')) as string

async function repaired(location: string): Promise<Records> {
  await ClassicLevel.repair(location)
  const level = new ClassicLevel(location)
  const found = new Map<string, string>()
  const iterator = level.iterator()
  try {
    for (let [one] = await iterator.nextv(1); one; [one] = await iterator.nextv(1)) found.set(...one)
  } catch {
    // What it has to say of blocks that it skipped, at the end.
  }
  await iterator.close()
  await level.close()
  return found
}

function expectPart(found: Records, whole: Records): void {
  for (const [at, value] of found) expect(value === whole.get(at)).toBe(true)
}

test('CRC-32C: the known answers of RFC 3720, B.4, and of everybody', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e)
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)))).toBe(0x113fdb5c)
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})

test('CRC-32C of every length, beside the sum bit by bit', () => {
  const random = new Random(9)
  for (let length = 0; length < 70; length++) {
    const bytes = Buffer.from(Array.from({ length }, () => random.below(256)))
    expect(crc32c(bytes)).toBe(bitByBit(bytes))
  }
})

function bitByBit(bytes: Buffer): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

describe("Snappy's raw format", () => {
  const unpacked = (hex: string) => unpackSnappy(Buffer.from(hex.replaceAll(' ', ''), 'hex')).toString('latin1')

  test('literals of every length of length', () => {
    expect(unpacked('00')).toBe('')
    expect(unpacked('01 00 61')).toBe('a')
    for (const [length, tag] of [
      [60, 'ec'],
      [61, 'f03c'],
      [256, 'f0ff'],
      [257, 'f40001'],
      [70_000, 'f86f1101'],
      [70_001, 'fc70110100'],
    ] as const)
      expect(unpackSnappy(Buffer.concat([varint(length), Buffer.from(tag, 'hex'), Buffer.alloc(length, 'x')]))).toEqual(
        Buffer.alloc(length, 'x'),
      )
  })

  test('copies from 1, 2 and 4 bytes away, also over their own end', () => {
    expect(unpacked('0a 04 6162 11 02')).toBe('ababababab'.slice(0, 10))
    expect(unpacked('0c 0c 61626364 1d 04')).toBe('abcdabcdabcd'.slice(0, 4) + 'abcdabcdabc'.slice(0, 8))
    expect(unpacked('06 08 616263 0a 0300')).toBe('abcabc')
    expect(unpacked('06 08 616263 0b 03000000')).toBe('abcabc')
    const far = Buffer.concat([
      varint(1004),
      Buffer.from('f4e703', 'hex'),
      Buffer.alloc(1000, 'abcd'),
      Buffer.from('61e8', 'hex'),
    ])
    expect(unpackSnappy(far).toString()).toBe('abcd'.repeat(251))
  })
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
  return Buffer.from([...bytes, left])
}

describe.each([
  ['packed', true],
  ['plain', false],
])('tables, %s', (_, compression) => {
  const records = someRecords(16_000, 1)
  let original: string

  beforeAll(async () => {
    original = await withTables(records, compression)
  })

  function copied(): string {
    const location = newDirectory()
    cpSync(original, location, { recursive: true })
    return location
  }

  test('as LevelDB has written them are whole', async () => {
    expect(tablesIn(original).length).toBeGreaterThan(1)
    await inspectTables(original, SeenTables.take(original))
    // The manifest names all of them, however often LevelDB has compacted.
    const names = readdirSync(original)
    setAside(original)
    expect(readdirSync(original)).toEqual(names)
    for (const name of tablesIn(original)) expect(damagedBlocks(readFileSync(join(original, name)))).toEqual([])
  })

  test('that the manifest does not name are set aside, and come back for a repair only', async () => {
    const location = copied()
    const stray = join(location, '000999.ldb')
    cpSync(join(location, tablesIn(location)[0] as string), stray)
    setAside(location)
    expect(existsSync(stray)).toBe(false)
    expect(existsSync(`${stray}.aside`)).toBe(true)
    mendFiles(location)
    expect(tablesIn(location)).toContain('100000000.ldb')
    setAside(location)
    forgetAside(location)
    expect(readdirSync(location).filter((name) => /100000000|999/.test(name))).toEqual([])
    expect(await repaired(location)).toEqual(records)
  })

  test('that a compaction had not finished are no damage', async () => {
    const location = copied()
    const half = readFileSync(join(location, tablesIn(location)[0] as string)).subarray(0, 10_000)
    writeFileSync(join(location, '000999.ldb'), half)
    await inspectTables(location, SeenTables.take(location))
    // Without a manifest that can be read there is nothing to tell it by.
    writeFileSync(join(location, 'CURRENT'), 'MANIFEST-000000\n')
    await expect(inspectTables(location, SeenTables.take(location))).rejects.toThrow(DamageError)
  })

  test('every bit counts, but for the padding of the footer', () => {
    const name = tablesIn(original).at(-1) as string
    const table = readFileSync(join(original, name))
    const random = new Random(2)
    const tail = Array.from({ length: 200 }, (_, i) => table.length - 1 - i)
    const some = Array.from({ length: 300 }, () => random.below(table.length))
    let unnoticed = 0
    for (const at of [...tail, ...some]) {
      const changed = Buffer.from(table)
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << random.below(8)), at)
      const damaged = damagedBlocks(changed)
      if (damaged !== undefined && damaged.length === 0) {
        expect(at).toBeGreaterThanOrEqual(table.length - 48)
        expect(at).toBeLessThan(table.length - 8)
        unnoticed++
      }
    }
    expect(unnoticed).toBeLessThan(40)
  })

  test('cut to any length are damaged', () => {
    const table = readFileSync(join(original, tablesIn(original)[0] as string))
    const random = new Random(3)
    for (const length of [0, 1, 47, 48, 49, ...Array.from({ length: 50 }, () => random.below(table.length))])
      expect(damagedBlocks(table.subarray(0, length))).toBeUndefined()
  })

  test('mended, LevelDB takes from them what is still whole, and nothing else', async () => {
    const random = new Random(4)
    let [lost, kept] = [0, 0]
    for (let i = 0; i < 6; i++) {
      const location = copied()
      const file = join(location, random.pick(tablesIn(location)))
      const table = readFileSync(file)
      const at = random.below(table.length - 4096)
      if (i % 2 === 0) table.fill(0, at, at + 4096)
      else table.writeUInt8(table.readUInt8(at) ^ 1, at)
      writeFileSync(file, table)
      await expect(inspectTables(location, SeenTables.take(location))).rejects.toThrow(DamageError)
      mendFiles(location)
      const found = await repaired(location)
      expectPart(found, records)
      lost += records.size - found.size
      kept += found.size
    }
    // A page is in a few blocks of some hundred records.
    expect(lost).toBeGreaterThan(0)
    expect(kept / (lost + kept)).toBeGreaterThan(0.9)
  })
})

describe('a log', () => {
  const records = someRecords(1_000, 5)

  test('that is whole is left as it is', async () => {
    const location = await written(records, true)
    const before = readFileSync(join(location, logIn(location)))
    mendFiles(location)
    expect(readFileSync(join(location, logIn(location)))).toEqual(before)
    expect(await repaired(location)).toEqual(records)
  })

  test('with any damage loses what is damaged, and nothing else that can be told from it', async () => {
    const original = await written(records, true)
    let bits = 0
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom('bit', 'page', 'cut', 'header'), async (seed, kind) => {
        const location = newDirectory()
        cpSync(original, location, { recursive: true })
        const file = join(location, logIn(location))
        writeFileSync(file, damagedLog(readFileSync(file), kind, new Random(seed)))
        mendFiles(location)
        const found = await repaired(location)
        expectPart(found, records)
        if (kind === 'bit') bits = Math.max(bits, records.size - found.size)
      }),
      { numRuns: 60 },
    )
    // One bit costs one record; in the header of a record all until the next block of 32 KiB.
    expect(bits).toBeGreaterThan(0)
  })

  function damagedLog(log: Buffer, kind: 'bit' | 'page' | 'cut' | 'header', random: Random): Buffer {
    if (kind === 'cut') return log.subarray(0, random.below(log.length))
    const at =
      kind === 'header'
        ? 32_768 * random.below(Math.floor(log.length / 32_768)) + random.below(7)
        : random.below(log.length)
    if (kind === 'page') log.fill(0, at, at + Math.min(4096, log.length - at))
    else log.writeUInt8(log.readUInt8(at) ^ (1 << random.below(8)), at)
    return log
  }
})
