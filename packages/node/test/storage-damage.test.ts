/**
 * A database damaged in one place, some hundred times: what is read afterwards is what was written, or the damage was
 * noticed. Never a wrong answer, and never an end without a sentence.
 */
import { join } from 'node:path'
import { genesisOf, type Hash } from '@bc/core'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alice, bob, dave, type Site } from '../../core/test/support/site.ts'
import { DamageError, StorageError } from '../src/errors.ts'
import { markDamaged } from '../src/start/open.ts'
import {
  type BlockRecipe,
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  signedPayment,
} from './support/ledger-blocks.ts'
import {
  copyOf,
  type Damage,
  type DiskLedger,
  damageOne,
  differences,
  diskLedger,
  isSentence,
  newDirectory,
  type Picture,
  pictureOf,
  removeDirectories,
  removeDirectory,
  scrubAll,
} from './support/ledger-disk.ts'
import { hashOfText } from './support/ledger-node.ts'
import { Random } from './support/ledger-random.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)
const BLOCKS = 150
const SEED = Number(process.env.BC_DAMAGE_SEED ?? 1)
const CASES = Number(process.env.BC_DAMAGE_CASES ?? 50)

interface Variant {
  readonly name: string
  /** The node is stopped and started this many times while the chain grows: each start writes a table file. */
  readonly sessions: number
  readonly compacted: boolean
  readonly waiting: number
}

const VARIANTS: readonly Variant[] = [
  { name: 'all in the log', sessions: 1, compacted: false, waiting: 0 },
  { name: 'tables, and the newest in the log', sessions: 6, compacted: false, waiting: 0 },
  { name: 'compacted tables', sessions: 3, compacted: true, waiting: 0 },
  { name: 'with transactions that wait', sessions: 4, compacted: false, waiting: 60 },
]

const busy = (i: number): BlockRecipe => ({
  payments: [
    { from: 0, to: 3, amount: 5 + i, fee: i % 3 },
    { from: 1, to: 0, amount: 7, fee: 0 },
    { from: 2, to: i % 5, amount: 1 + (i % 9), fee: 1 },
  ],
  after: 10,
  ...(i % 5 === 0 && { rewardTo: 300 + i }),
})

let texts: readonly string[]
let tip: Site

beforeAll(() => {
  // A reorganisation of three blocks in the middle, and a branch beside the end.
  const trunk = grown(genesisSite(RULES), BLOCKS / 2, busy)
  const abandoned = grown(trunk, 3, (i) => ({ ...busy(i), rewardTo: 900 + i }))
  tip = grown(trunk, BLOCKS / 2, busy)
  const beside = grown(grown(trunk, BLOCKS / 2 - 2, busy), 2, (i) => ({ ...busy(i), rewardTo: 950 + i }))
  const new_ = (site: Site, below: Site) => site.texts.slice(below.texts.length)
  texts = [...new_(abandoned, genesisSite(RULES)), ...new_(tip, trunk), ...beside.texts.slice(-2)]
})

afterAll(removeDirectories)

async function build({ sessions, compacted, waiting }: Variant): Promise<string> {
  const directory = newDirectory()
  const each = Math.ceil(texts.length / sessions)
  for (let session = 0; session < sessions; session++) {
    const ledger = await diskLedger({ directory, genesis: GENESIS })
    for (const text of texts.slice(session * each, (session + 1) * each)) await ledger.import(text)
    if (session === sessions - 1)
      for (let nonce = 0; nonce < waiting; nonce++) await ledger.submit(waitingPayment(nonce))
    await ledger.close()
  }
  if (compacted) {
    const level = new ClassicLevel(join(directory, 'chain'))
    await level.compactRange('', '~')
    await level.close()
  }
  return directory
}

function waitingPayment(i: number) {
  const sender = i % 2 === 0 ? alice : bob
  const nonce = (tip.accounts.get(sender.address)?.nonce ?? 0) + Math.floor(i / 2)
  return signedPayment(tip, sender, dave, 1, i % 4, nonce)
}

type Outcome = 'intact' | 'repaired' | 'refused'

/** What a node makes of a directory: its answers, or why it gives none. */
interface Life {
  readonly end: 'answered' | 'refused' | 'noticed'
  readonly picture: Picture
  readonly rebuilt: boolean
  /** Whether it said that what waited may be lost. */
  readonly warned: boolean
}

async function live(directory: string, hashes: readonly Hash[]): Promise<Life> {
  let ledger: DiskLedger | undefined
  try {
    ledger = await diskLedger({ directory, genesis: GENESIS })
    await scrubAll(ledger)
    const picture = await pictureOf(ledger, hashes)
    const rebuilt = ledger.logged.some((message) => /rebuilt/.test(message))
    const warned = ledger.logged.some((message) => /may be lost/.test(message))
    return { end: 'answered', picture, rebuilt, warned }
  } catch (error) {
    const nothing = { picture: new Map(), rebuilt: false, warned: false }
    if (isSentence(error)) return { end: 'refused', ...nothing }
    if (!(error instanceof DamageError || error instanceof StorageError)) throw error
    // As node.ts does it.
    if (error instanceof DamageError) markDamaged(directory, error.message)
    return { end: 'noticed', ...nothing }
  } finally {
    await ledger?.close()
  }
}

/** Starts the node until it answers or refuses: a node that notices damage while it runs stops, and is started again. */
async function outcomeOf(directory: string, expected: Picture, hashes: readonly Hash[]): Promise<Outcome> {
  let noticed = false
  for (let start = 1; start <= 2; start++) {
    const { end, picture, rebuilt, warned } = await live(directory, hashes)
    if (end === 'refused') return 'refused'
    noticed ||= end === 'noticed' || rebuilt
    if (end === 'noticed') continue
    const differ = differences(expected, picture)
    expect(differ.filter((question) => !(noticed && mayBeLost(question, picture)))).toEqual([])
    expect(warned || !differ.some((question) => question.startsWith('pool '))).toBe(true)
    expectSubset(picture, expected)
    return noticed ? 'repaired' : 'intact'
  }
  throw new Error('damage was noticed while it ran, and nothing came of it at the next start')
}

/**
 * With a batch a transaction may be gone that waits, or a block beside the main chain. It was noticed, and said, and no
 * answer is wrong.
 */
function mayBeLost(question: string, picture: Picture): boolean {
  return question.startsWith('pool ') || (question.startsWith('block ') && picture.get(question) === 'not found')
}

/** Whatever waits did wait before. */
function expectSubset(picture: Picture, expected: Picture): void {
  const before = new Set([...expected].filter(([question]) => question.startsWith('pool ')).map(([, answer]) => answer))
  for (const [question, answer] of picture) if (question.startsWith('pool ')) expect(before.has(answer)).toBe(true)
}

describe('one damage to a database', () => {
  const counts = new Map<Outcome, number>([
    ['intact', 0],
    ['repaired', 0],
    ['refused', 0],
  ])

  for (const [number, variant] of VARIANTS.entries())
    test(`${variant.name}: ${CASES} cases`, async () => {
      const original = await build(variant)
      const hashes = [hashOfText(tip.texts[1] as string), ...texts.map(hashOfText)]
      const first = await live(copyOf(original), hashes)
      expect(first.end).toBe('answered')
      expect(first.rebuilt).toBe(false)
      expect(first.picture.size).toBeGreaterThan(1000)
      const seen: string[] = []
      for (let i = 0; i < CASES; i++) {
        const directory = copyOf(original)
        const done = damageOne(join(directory, 'chain'), new Random(SEED * 1_000_000 + number * 10_000 + i))
        const outcome = await outcomeOf(directory, first.picture, hashes).catch((error: Error) => {
          seen.push(`${describeDamage(i, done)}: ${error.message.slice(0, 600)}`)
          return 'refused' as const
        })
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
        removeDirectory(directory)
        if (process.env.BC_DAMAGE_VERBOSE) console.log(describeDamage(i, done), outcome)
      }
      expect(seen).toEqual([])
    }, 600_000)

  test('was repaired sometimes, refused sometimes, and sometimes touched nothing', () => {
    console.log(`seed ${SEED}:`, Object.fromEntries(counts))
    for (const count of counts.values()) expect(count).toBeGreaterThan(0)
  })
})

function describeDamage(i: number, { file, what }: Damage): string {
  return `case ${i}, ${file}: ${what}`
}
