/** What the database adds to LevelDB, piece by piece: checksums, the journal, the witness, and how it fails. */
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { genesisOf } from '@bc/core'
import { ClassicLevel } from 'classic-level'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { DamageError, StorageError } from '../src/errors.ts'
import { ChainStore } from '../src/storage/chain-store.ts'
import { Database, type Level, unframe, WRITE_BUFFER_BYTES } from '../src/storage/database.ts'
import { key, number, within } from '../src/storage/layout.ts'
import { openLevel, witnessFile } from '../src/storage/level.ts'
import { readWitness } from '../src/storage/witness.ts'
import { easyRules, GENESIS_TIME } from './support/ledger-blocks.ts'
import { newDirectory, removeDirectories } from './support/ledger-disk.ts'
import { all, Ledger, memoryLevel, records } from './support/ledger-node.ts'

afterAll(removeDirectories)

const SYNC = { sync: true }
const HEAD = 'ab'.repeat(32)

async function filled(level: Level, batches: number): Promise<Database> {
  const database = await Database.open(level, undefined)
  for (let i = 1; i <= batches; i++) await database.write(new Map([['tx/a', String(i)]]), { sync: false })
  return database
}

describe('a value', () => {
  test('is read under the key that it was written under, and under no other', async () => {
    const level = await memoryLevel()
    const database = await Database.open(level, undefined)
    await database.write(
      new Map([
        ['account/a', '[1,0]'],
        ['account/b', '[2,0]'],
        ['account/empty', ''],
      ]),
      SYNC,
    )
    expect(String(await database.get('account/a'))).toBe('[1,0]')
    expect(String(await database.get('account/empty'))).toBe('')
    // A value that was lost isn't taken for an empty one.
    await level.put('account/lost', Buffer.alloc(0))
    await expect(database.get('account/lost')).rejects.toThrow(DamageError)
    await level.del('account/lost')
    expect(await database.get('account/c')).toBeUndefined()
    expect((await database.getMany(['account/b', 'account/c'])).map(String)).toEqual(['[2,0]', 'undefined'])
    // Right in itself, and somebody else's.
    await level.put('account/c', (await level.get('account/a')) as Buffer)
    await expect(database.get('account/c')).rejects.toThrow(DamageError)
    await expect(database.getMany(['account/a', 'account/c'])).rejects.toThrow(DamageError)
    await expect(all(database.entries(within('account/')))).rejects.toThrow(DamageError)
  })

  test('of which any one bit differs is noticed', async () => {
    const level = await memoryLevel()
    const database = await Database.open(level, undefined)
    await database.write(new Map([['tx/a', '[17,3]']]), SYNC)
    const framed = (await level.get('tx/a')) as Buffer
    for (let bit = 0; bit < framed.length * 8; bit++) {
      const changed = Buffer.from(framed)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => unframe('tx/a', changed)).toThrow(DamageError)
    }
    for (let length = 0; length < framed.length; length++)
      expect(() => unframe('tx/a', framed.subarray(0, length))).toThrow(DamageError)
    expect(String(unframe('tx/a', framed))).toBe('[17,3]')
  })
})

describe('the journal', () => {
  test('tells of every batch that is gone, wherever it was', async () => {
    const level = await memoryLevel()
    await filled(level, 300)
    for (const lost of [1, 2, 150, 299]) {
      const record = (await level.get(key.journal(lost))) as Buffer
      await level.del(key.journal(lost))
      await expect(Database.open(level, undefined)).rejects.toThrow(/missing/)
      await level.put(key.journal(lost), record)
    }
    await Database.open(level, undefined)
  })

  test('keeps the newest 16384, without a gap, also across restarts', async () => {
    const level = await memoryLevel()
    const count = 16_384
    const database = await filled(level, count)
    expect((await records(level, ['journal/'])).size).toBe(count)
    await database.write(new Map(), SYNC)
    await database.write(new Map(), SYNC)
    const kept = [...(await records(level, ['journal/'])).keys()]
    expect(kept).toHaveLength(count)
    expect([kept[0], kept.at(-1)]).toEqual([key.journal(3), key.journal(count + 2)])
    const again = await Database.open(level, undefined)
    await again.write(new Map(), SYNC)
    expect((await records(level, ['journal/'])).size).toBe(count)
    await Database.open(level, undefined)
    await level.del(key.journal(4))
    await expect(Database.open(level, undefined)).rejects.toThrow(/the batches before 5 are missing/)
  })

  test('holds as much as LevelDB keeps in its logs: no batch is shorter than 2048 bytes', async () => {
    const sizes: number[] = []
    const level = await memoryLevel()
    level.on('write', (operations: { type: string; key: string; value?: Buffer }[]) => {
      sizes.push(operations.reduce((sum, { key: at, value }) => sum + at.length + (value?.length ?? 0), 0))
    })
    const database = await Database.open(level, undefined)
    await database.write(new Map(), SYNC)
    await database.write(new Map([['pool/1', undefined]]), SYNC)
    await database.write(new Map([['tx/a', 'x'.repeat(10_000)]]), SYNC)
    expect(sizes.every((size) => size >= 2048)).toBe(true)
    expect(sizes[2]).toBeLessThan(10_100)
    expect(16_384 * 2048).toBe(2 * WRITE_BUFFER_BYTES)
  })
})

describe('the witness', () => {
  async function onDisk(): Promise<{ location: string; file: string; open: () => Promise<Database> }> {
    const location = join(newDirectory(), 'chain')
    const file = witnessFile(location)
    const open = async () => {
      const level = await openLevel(location)
      try {
        return await Database.open(level, file)
      } catch (error) {
        await level.close()
        throw error
      }
    }
    return { location, file, open }
  }

  test('speaks of the newest batch that was promised to last, never of a later one', async () => {
    const { file, open } = await onDisk()
    const database = await open()
    expect(database.isNew).toBe(true)
    await database.write(new Map([[key.head, HEAD]]), SYNC)
    expect(readWitness(file)).toEqual({ sequence: 1, head: HEAD })
    expect(statSync(file)).toMatchObject({ size: 82, mode: 0o100600 })
    const later = 'cd'.repeat(32)
    await database.write(new Map([[key.head, later]]), { sync: false })
    // After a power failure the disk may not have it.
    expect(readWitness(file)).toEqual({ sequence: 1, head: HEAD })
    await database.write(new Map([['tx/a', '']]), SYNC)
    expect(readWitness(file)).toEqual({ sequence: 3, head: later })
    await database.write(new Map([['tx/b', '']]), { sync: false })
    await database.close()
    expect(readWitness(file)).toEqual({ sequence: 5, head: later })
    const again = await open()
    expect(again.isNew).toBe(false)
    await again.close()
    expect(readWitness(file)).toEqual({ sequence: 5, head: later })
  })

  test('speaks of the genesis block as soon as a chain is open', async () => {
    const { file, open } = await onDisk()
    const store = new ChainStore(await open())
    const { chain } = await Ledger.open({ genesis: genesisOf(easyRules(), GENESIS_TIME), store })
    expect(readWitness(file)).toEqual({ sequence: 1, head: chain.id })
    await store.close()
  })

  test('that is gone, empty, something else or ahead is damage', async () => {
    const { file, open } = await onDisk()
    const database = await open()
    for (let i = 0; i < 3; i++) await database.write(new Map([['tx/a', '']]), SYNC)
    await database.close()
    const line = readFileSync(file, 'utf8')
    for (const content of [
      '',
      line.slice(1),
      line.slice(0, -1),
      `${line}\n`,
      line.replace('-', 'g'),
      line.toUpperCase().replaceAll('-', 'A'),
      '\0'.repeat(82),
      `${number(4)} ${'-'.repeat(64)}\n`,
    ]) {
      writeFileSync(file, content)
      await expect(open()).rejects.toThrow(DamageError)
    }
    rmSync(file)
    await expect(open()).rejects.toThrow(DamageError)
    writeFileSync(file, line)
    await (await open()).close()
    writeFileSync(file, `${number(2)} ${'-'.repeat(64)}\n`)
    await (await open()).close()
  })

  test('of a node that was killed at its very first start is no damage', async () => {
    const { file, open } = await onDisk()
    await (await open()).close()
    expect(readFileSync(file, 'utf8')).toBe('')
    const database = await open()
    await database.write(new Map([[key.head, HEAD]]), SYNC)
    await database.close()
    // Between its first batch and the witness of it.
    truncateSync(file)
    const again = await open()
    await again.write(new Map(), SYNC)
    await again.close()
    truncateSync(file)
    await expect(open()).rejects.toThrow(DamageError)
  })
})

describe('a disk that fails', () => {
  /** A batch that is collected, and not written. */
  const refused = (fault: Error) => () =>
    ({ put: () => undefined, del: () => undefined, write: () => Promise.reject(fault) }) as never

  test('is believed once: nothing is written after a write that failed', async () => {
    const level = await memoryLevel()
    const database = await Database.open(level, undefined)
    await database.write(new Map([['tx/a', '1']]), SYNC)
    const full = vi
      .spyOn(level, 'batch')
      .mockImplementationOnce(refused(new Error('IO error: No space left on device')))
    const [first, second] = await Promise.allSettled([
      database.write(new Map([['tx/b', '1']]), SYNC),
      database.write(new Map([['tx/c', '1']]), SYNC),
    ])
    expect(first).toMatchObject({ status: 'rejected', reason: { name: 'StorageError' } })
    expect(second).toEqual(first)
    full.mockRestore()
    await expect(database.write(new Map(), { sync: false })).rejects.toThrow(StorageError)
    expect(String(await database.get('tx/a'))).toBe('1')
    expect(await database.get('tx/c')).toBeUndefined()
    await database.close()
  })

  test.each([
    ['LEVEL_CORRUPTION', 'Corruption: block checksum mismatch', DamageError],
    ['LEVEL_IO_ERROR', 'IO error: /x/000005.ldb: No such file or directory', DamageError],
    ['LEVEL_IO_ERROR', 'IO error: /x/000005.ldb: Input/output error', StorageError],
  ])('with %s, "%s"', async (code, message, expected) => {
    const level = await memoryLevel()
    const database = await Database.open(level, undefined)
    const fault = Object.assign(new Error(message), { code })
    vi.spyOn(level, 'get').mockRejectedValue(fault)
    vi.spyOn(level, 'getMany').mockRejectedValue(fault)
    vi.spyOn(level, 'batch').mockImplementation(refused(fault))
    vi.spyOn(level, 'iterator').mockImplementation(
      () => ({ nextv: () => Promise.reject(fault), close: async () => undefined }) as never,
    )
    await expect(database.get('head')).rejects.toThrow(expected)
    await expect(database.getMany(['head'])).rejects.toThrow(expected)
    await expect(all(database.entries(within('pool/')))).rejects.toThrow(expected)
    await expect(database.write(new Map(), SYNC)).rejects.toThrow(expected)
  })

  test('is told from a database that is closed, and from a bug of ours', async () => {
    const level = await memoryLevel()
    const database = await Database.open(level, undefined)
    await database.write(new Map([['tx/a', '1']]), SYNC)
    await expect(database.get(undefined as unknown as string)).rejects.not.toThrow(StorageError)
    await expect(database.write(new Map([['tx/a', 7 as unknown as string]]), SYNC)).rejects.toThrow(TypeError)
    await database.close()
    await expect(database.get('tx/a')).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' })
  })

  test('reading goes on from page to page, and an iterator that is left early is closed', async () => {
    const level = await memoryLevel()
    const database = await Database.open(level, undefined)
    const many = new Map(Array.from({ length: 700 }, (_, i) => [key.pool(i), String(i)]))
    await database.write(many, SYNC)
    const found = await all(database.entries(within('pool/')))
    expect(found.map(([at, value]) => [at, String(value)])).toEqual([...many])
    for await (const [at] of database.entries(within('pool/'))) {
      expect(at).toBe(key.pool(0))
      break
    }
    for await (const _ of database.keys(within('pool/'))) break
    // It would wait for ever for an iterator that is open.
    await database.close()
  })
})

test('LevelDB itself drops a batch in the middle of its log, and opens: that is what the journal is for', async () => {
  const location = join(newDirectory(), 'chain')
  const level = new ClassicLevel<string, Buffer>(location, { valueEncoding: 'buffer' })
  await level.open()
  const database = await filled(level as unknown as Level, 200)
  await database.close()
  const log = join(location, '000003.log')
  const bytes = readFileSync(log)
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  writeFileSync(log, bytes)
  const again = new ClassicLevel<string, Buffer>(location, { valueEncoding: 'buffer' })
  await again.open()
  await expect(Database.open(again as unknown as Level, undefined)).rejects.toThrow(
    /the batches \d+ to \d+ are missing/,
  )
  await again.close()
})
