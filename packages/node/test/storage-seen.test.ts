/** Tables that were read before: what a start takes on trust, what it doesn't, and who looks at the rest. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { genesisOf, type Hash } from '@bc/core'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Site } from '../../core/test/support/site.ts'
import { DamageError } from '../src/errors.ts'
import { markDamaged } from '../src/start/open.ts'
import { inspectTables, inspectTablesBehind } from '../src/storage/level-files.ts'
import { damagedBlocks, isEndWhole } from '../src/storage/level-format.ts'
import { SeenTables } from '../src/storage/seen-tables.ts'
import { type BlockRecipe, easyRules, GENESIS_TIME, genesisSite, grown } from './support/ledger-blocks.ts'
import {
  copyOf,
  differences,
  diskLedger,
  isSentence,
  newDirectory,
  type Picture,
  pictureOf,
  removeDirectories,
  scrubAll,
} from './support/ledger-disk.ts'
import { hashOfText } from './support/ledger-node.ts'
import { Random } from './support/ledger-random.ts'

const GENESIS = genesisOf(easyRules(), GENESIS_TIME)
const NOTE = 'tables-seen'
const CASES = 10
/** Whole seconds: a test can't set the time of a file as finely as LevelDB does. */
const TIME = 1_700_000_000

const busy = (i: number): BlockRecipe => ({
  payments: [
    { from: 0, to: 3, amount: 5 + i, fee: 1 },
    { from: 1, to: 2, amount: 2, fee: 0 },
  ],
  after: 10,
  ...(i < 40 && { rewardTo: 300 + i }),
})

let site: Site
let original: string
let hashes: Hash[]
let picture: Picture

beforeAll(async () => {
  site = grown(genesisSite(), 150, busy)
  hashes = site.texts.slice(1).map(hashOfText)
  original = newDirectory()
  const ledger = await open(original)
  for (const text of site.texts.slice(1)) await ledger.import(text)
  picture = await pictureOf(ledger, hashes)
  await ledger.close()
})

afterAll(removeDirectories)

const open = (directory: string) => diskLedger({ directory, genesis: GENESIS })
const chainIn = (directory: string) => join(directory, 'chain')
const tablesIn = (location: string) => readdirSync(location).filter((name) => name.endsWith('.ldb'))

/** A directory whose tables were all read, and none of them in this second. */
async function seenCopy(): Promise<string> {
  const directory = copyOf(original)
  await (await open(directory)).close()
  for (const name of tablesIn(chainIn(directory))) utimesSync(join(chainIn(directory), name), TIME, TIME)
  await (await open(directory)).close()
  expect(tablesIn(chainIn(directory)).length).toBeGreaterThan(0)
  expect(existsSync(join(chainIn(directory), NOTE))).toBe(true)
  return directory
}

/** What a disk does by itself: the bytes are others, and nothing says so. */
function rot(file: string, change: (bytes: Buffer) => void): void {
  const { mtimeMs, size, ino } = statSync(file)
  const bytes = readFileSync(file)
  change(bytes)
  writeFileSync(file, bytes)
  utimesSync(file, TIME, TIME)
  expect(statSync(file)).toMatchObject({ mtimeMs, size, ino })
}

const flip = (at: (length: number) => number) => (bytes: Buffer) => {
  bytes.writeUInt8(bytes.readUInt8(at(bytes.length)) ^ 4, at(bytes.length))
}
/** Accounts come first, and most of these have nothing to do with the blocks that a start reads. */
const inData = flip(() => 100)
const inIndex = flip((length) => length - 48 - 12)

function rotOne(directory: string, change: (bytes: Buffer) => void): void {
  const [name] = tablesIn(chainIn(directory))
  rot(join(chainIn(directory), name as string), change)
}

type Outcome = 'intact' | 'rebuilt' | 'refused'

/**
 * What a start makes of it. Rot in the only copy of a block can't be mended: then a sentence says what is lost.
 * @throws DamageError where the scrub notices
 */
async function startOf(directory: string): Promise<Outcome> {
  const ledger = await open(directory).catch((error: Error) => error)
  if (ledger instanceof Error) {
    expect(isSentence(ledger)).toBe(true)
    expect(ledger.message).toMatch(/is damaged \(the (?:table|record) .* and blocks are lost/)
    return 'refused'
  }
  try {
    await scrubAll(ledger)
    expect(differences(picture, await pictureOf(ledger, hashes))).toEqual([])
    return ledger.logged.includes('The stored chain was rebuilt.') ? 'rebuilt' : 'intact'
  } finally {
    await ledger.close()
  }
}

test('the note is there from the end of one run to the start of the next', async () => {
  const directory = await seenCopy()
  const ledger = await open(directory)
  expect(existsSync(join(chainIn(directory), NOTE))).toBe(false)
  await ledger.close()
  const note = readFileSync(join(chainIn(directory), NOTE), 'latin1')
    .trim()
    .split('\n')
  expect(note.slice(1).map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining(tablesIn(chainIn(directory))))
})

test('a table that was seen and has rotted: the scrub notices before it looks for a record, and the next start rebuilds', async () => {
  const directory = await seenCopy()
  rotOne(directory, inData)
  const ledger = await open(directory)
  expect(ledger.logged).toEqual([])
  const error = await scrubAll(ledger).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(DamageError)
  expect((error as Error).message).toMatch(/^the table [0-9]+\.ldb is damaged at byte 0$/)
  await ledger.close()
  markDamaged(directory, (error as Error).message)
  expect(await startOf(directory)).toBe('rebuilt')
})

test('also when it was left unnoticed by a run that was too short', async () => {
  const directory = await seenCopy()
  rotOne(directory, inData)
  await (await open(directory)).close()
  const ledger = await open(directory)
  await expect(scrubAll(ledger)).rejects.toThrow(DamageError)
  await ledger.close()
})

describe('a start notices by itself', () => {
  test.each([
    ['an index that has rotted', (directory: string) => rotOne(directory, inIndex)],
    [
      'a footer that has rotted',
      (directory: string) =>
        rotOne(
          directory,
          flip((length) => length - 3),
        ),
    ],
    [
      'any rot after a run that did not come to its end',
      (directory: string) => {
        rotOne(directory, inData)
        rmSync(join(chainIn(directory), NOTE))
      },
    ],
    [
      'any rot where the note is damaged as well',
      (directory: string) => {
        rotOne(directory, inData)
        flipIn(join(chainIn(directory), NOTE), 3)
      },
    ],
    [
      'any rot where the end of the note is lost',
      (directory: string) => {
        rotOne(directory, inData)
        const note = join(chainIn(directory), NOTE)
        writeFileSync(note, readFileSync(note).subarray(0, -1))
      },
    ],
    [
      'any damage that something has written',
      (directory: string) => {
        const [name] = tablesIn(chainIn(directory))
        flipIn(join(chainIn(directory), name as string), 100)
      },
    ],
  ])('%s', async (_, damage) => {
    const directory = await seenCopy()
    damage(directory)
    expect(await startOf(directory)).not.toBe('intact')
  })

  test('any rot in a copy of the directory', async () => {
    const directory = copyOf(await seenCopy())
    // A copy that keeps the times.
    for (const name of tablesIn(chainIn(directory))) {
      const file = join(chainIn(directory), name)
      utimesSync(file, TIME, TIME)
      rot(file, inData)
    }
    expect(await startOf(directory)).not.toBe('intact')
  })

  function flipIn(file: string, at: number): void {
    const bytes = readFileSync(file)
    flip(() => at)(bytes)
    writeFileSync(file, bytes)
  }
})

test(`rot anywhere in the tables, ${CASES} cases: no wrong answer once the scrub has been through`, async () => {
  const directory = await seenCopy()
  const outcomes = new Set<string>()
  for (let i = 0; i < CASES; i++) {
    const random = new Random(100 + i)
    const rotten = i === 0 ? directory : await seenCopy()
    rotOne(
      rotten,
      i % 2 === 0 ? flip((length) => random.below(length)) : flip((length) => length - 1 - random.below(3_000)),
    )
    outcomes.add(await outcomeOf(rotten))
  }
  expect([...outcomes].sort()).toEqual(expect.arrayContaining(['at start', 'by the scrub']))
})

async function outcomeOf(directory: string): Promise<'at start' | 'by the scrub' | 'harmless'> {
  try {
    return (await startOf(directory)) === 'intact' ? 'harmless' : 'at start'
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    markDamaged(directory, error.message)
    expect(await startOf(directory)).not.toBe('intact')
    return 'by the scrub'
  }
}

describe('tables of LevelDB', () => {
  async function withTables(): Promise<string> {
    const location = newDirectory()
    const level = new ClassicLevel(location)
    const random = new Random(7)
    const value = () => Array.from({ length: 300 }, () => random.pick([...'0123456789abcdef'])).join('')
    for (let i = 0; i < 12_000; i++) await level.put(`key/${String(i).padStart(6, '0')}`, value())
    await level.compactRange('', '~')
    await level.close()
    expect(tablesIn(location).length).toBeGreaterThan(1)
    for (const name of tablesIn(location)) utimesSync(join(location, name), TIME, TIME)
    return location
  }

  test('that come or go while others are read: each that stays is read once', async () => {
    const location = await withTables()
    const seen = SeenTables.take(location)
    const { signal } = new AbortController()
    const reading = inspectTablesBehind(location, seen, signal)
    // The first one is being read: the last is gone before its turn.
    rmSync(join(location, tablesIn(location).at(-1) as string))
    await reading
    const left = tablesIn(location)
    for (const name of left) expect(seen.isSeen(name, seen.stampOf(name) as string)).toBe(true)
    // Now nobody would notice, until something is written.
    const [name] = left as [string]
    rot(join(location, name), inData)
    await inspectTablesBehind(location, seen, signal)
    utimesSync(join(location, name), TIME + 1, TIME + 1)
    await expect(inspectTablesBehind(location, seen, signal)).rejects.toThrow(`the table ${name} is damaged at byte 0`)
  })

  test('are not looked at when it is called off, nor where no manifest says which of them are whole', async () => {
    const location = await withTables()
    for (const name of tablesIn(location)) rot(join(location, name), inData)
    const seen = SeenTables.take(location)
    await inspectTablesBehind(location, seen, AbortSignal.abort())
    await expect(inspectTablesBehind(location, seen, new AbortController().signal)).rejects.toThrow(DamageError)
    writeFileSync(join(location, 'CURRENT'), 'MANIFEST-000000\n')
    await inspectTablesBehind(location, seen, new AbortController().signal)
  })

  test('every bit of an end counts, but for the padding of the footer', async () => {
    const location = await withTables()
    await inspectTables(location, SeenTables.take(location))
    const table = readFileSync(join(location, tablesIn(location)[0] as string))
    const random = new Random(8)
    const ends = [table, table.subarray(-131_072)]
    for (const end of ends) expect(isEndWhole(end, table.length)).toBe(true)
    for (const short of [0, 47, 48, 500])
      expect(isEndWhole(table.subarray(table.length - short), table.length)).toBe(false)
    let [noticed, padding] = [0, 0]
    for (let i = 0; i < 300; i++) {
      const changed = Buffer.from(table)
      const at = table.length - 1 - (i < 100 ? i : random.below(20_000))
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << random.below(8)), at)
      const [whole, harmless] = [
        isEndWhole(changed.subarray(-131_072), table.length),
        damagedBlocks(changed)?.length === 0,
      ]
      if (harmless) padding++
      else if (!whole) noticed++
      // What it overlooks is in the data.
      if (whole && !harmless)
        expect(damagedBlocks(changed)?.every(({ offset, size }) => offset + size < at + 5_000)).toBe(true)
      if (harmless) expect(whole).toBe(true)
    }
    expect(padding).toBeLessThan(40)
    expect(noticed).toBeGreaterThan(100)
  })
})
