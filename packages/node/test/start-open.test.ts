/** What a start does with what it finds: another node, another chain, damage of every kind of record, a rebuild cut short. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { genesisOf, type Hash, type Transaction, transactionId } from '@bc/core'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { numberedKey } from '../../core/test/support/keys.ts'
import { alice, blockOn, bob, dave, type Site } from '../../core/test/support/site.ts'
import { DamageError, StartError } from '../src/errors.ts'
import { markDamaged } from '../src/start/open.ts'
import { ChainStore } from '../src/storage/chain-store.ts'
import { Database } from '../src/storage/database.ts'
import { key } from '../src/storage/layout.ts'
import { openLevel, witnessFile } from '../src/storage/level.ts'
import { setAside } from '../src/storage/level-files.ts'
import {
  type BlockRecipe,
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  newest,
  nothing,
  signedPayment,
  withBlock,
} from './support/ledger-blocks.ts'
import {
  copyOf,
  type DiskLedger,
  type DiskOptions,
  differences,
  diskLedger,
  isSentence,
  newDirectory,
  type Picture,
  pictureOf,
  removeDirectories,
  scrubAll,
} from './support/ledger-disk.ts'
import { freshImport, hashOfText, Ledger, MAIN_STATE, mainTexts, parsed } from './support/ledger-node.ts'
import { endProcesses, killEarly, runProcess, startProcess } from './support/ledger-process.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)
const HEIGHT = 131
const WAITING = 8

const busy = (i: number): BlockRecipe => ({
  payments: [
    { from: 0, to: 3, amount: 5, fee: 1 },
    { from: 1, to: 2, amount: 2, fee: 0 },
  ],
  after: 10,
  ...(i % 10 === 0 && { rewardTo: 300 + i }),
})

let site: Site
let original: string
let texts: string[]
let hashes: Hash[]
let picture: Picture

/** Blocks 2 … 131 with a reorganisation at 20, in two sessions, and transactions that wait. */
beforeAll(async () => {
  const trunk = grown(genesisSite(RULES), 19, busy)
  site = grown(trunk, HEIGHT - 20, busy)
  const abandoned = withBlock(trunk, { ...busy(1), rewardTo: 999 })
  texts = [...trunk.texts.slice(1), newest(abandoned), ...site.texts.slice(20)]
  hashes = texts.map(hashOfText)
  original = newDirectory()
  let ledger = await diskLedger({ directory: original, genesis: GENESIS })
  for (const text of texts.slice(0, 100)) await ledger.import(text)
  await ledger.close()
  ledger = await diskLedger({ directory: original, genesis: GENESIS })
  for (const text of texts.slice(100)) await ledger.import(text)
  for (let i = 0; i < WAITING; i++) await ledger.submit(waitingPayment(i))
  picture = await pictureOf(ledger, hashes)
  await ledger.close()
})

afterAll(async () => {
  await endProcesses()
  removeDirectories()
})

function waitingPayment(i: number) {
  const sender = i % 2 === 0 ? alice : bob
  const nonce = (site.accounts.get(sender.address)?.nonce ?? 0) + Math.floor(i / 2)
  return signedPayment(site, sender, dave, 1, i, nonce)
}

const open = (directory: string, more: Omit<DiskOptions, 'directory' | 'genesis'> = {}) =>
  diskLedger({ directory, genesis: GENESIS, ...more })

async function refusalOf(started: Promise<DiskLedger>): Promise<string> {
  const error = await started.then(
    (ledger) => ledger.close().then(() => undefined),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StartError)
  expect(isSentence(error)).toBe(true)
  return (error as StartError).message
}

async function expectWhole(ledger: DiskLedger, rebuilt: boolean): Promise<void> {
  await scrubAll(ledger)
  expect(ledger.logged.some((message) => message.includes('was rebuilt'))).toBe(rebuilt)
  expect(differences(picture, await pictureOf(ledger, hashes))).toEqual([])
}

const chainIn = (directory: string) => join(directory, 'chain')

/** Only these: a lock, the chain, and nothing that a rebuild has left behind. */
function expectTidy(directory: string): void {
  expect(readdirSync(directory).sort()).toEqual(['chain', 'lock'])
  expect(readdirSync(chainIn(directory)).filter((name) => /aside|unreadable|lost/.test(name))).toEqual([])
}

test('a start that finds nothing wrong changes nothing and tidies up', async () => {
  const directory = copyOf(original)
  for (let i = 0; i < 3; i++) {
    const ledger = await open(directory)
    await expectWhole(ledger, false)
    await ledger.close()
    expectTidy(directory)
  }
})

describe('the lock', () => {
  /** LevelDB doesn't open any database. */
  function refuseToOpen(reason: string) {
    const cause = Object.assign(new Error(`IO error: ${reason}`), { code: 'LEVEL_IO_ERROR' })
    const refused = Object.assign(new Error('Database failed to open', { cause }), { code: 'LEVEL_DATABASE_NOT_OPEN' })
    const opening = vi.spyOn(ClassicLevel.prototype, 'open').mockRejectedValue(refused)
    onTestFinished(() => opening.mockRestore())
    return opening
  }

  test('that can’t be opened says why', async () => {
    refuseToOpen('No space left on device')
    expect(await refusalOf(open(copyOf(original)))).toMatch(/can't be used: .*No space left on device/)
  })

  test('stays with the node that has it where a second one can’t open a file', async () => {
    const directory = copyOf(original)
    const ledger = await open(directory)
    const opening = refuseToOpen('lock/LOCK: Too many open files')
    expect(await refusalOf(open(directory))).toMatch(/can't be used: .*Too many open files/)
    expect(existsSync(join(directory, 'lock', 'LOCK'))).toBe(true)
    opening.mockRestore()
    expect(await refusalOf(open(directory))).toMatch(/^Another node is using/)
    await ledger.close()
  })

  test('keeps a second node out, and is given back', async () => {
    const directory = copyOf(original)
    const ledger: DiskLedger = await open(directory)
    expect(await refusalOf(open(directory))).toBe(
      `Another node is using ${directory}: stop it, or choose another --data-dir.`,
    )
    await ledger.submit(signedPayment(site, alice, dave, 1, 99, (await ledger.store.account(alice.address)).nonce))
    await ledger.close()
    await (await open(directory)).close()
    expectTidy(directory)
  })

  test('is given back after a start that was refused', async () => {
    const directory = copyOf(original)
    for (let i = 0; i < 2; i++)
      expect(await refusalOf(diskLedger({ directory, genesis: genesisOf(RULES, GENESIS_TIME + 1) }))).toMatch(/belongs/)
    await (await open(directory)).close()
  })

  test('holds nothing, so its own files may be damaged', async () => {
    const directory = copyOf(original)
    for (const name of ['CURRENT', ...readdirSync(join(directory, 'lock')).filter((one) => /^MANIFEST/.test(one))]) {
      writeFileSync(join(directory, 'lock', name), 'nonsense')
      const ledger = await open(directory)
      await refusalOf(open(directory))
      await expectWhole(ledger, false)
      await ledger.close()
    }
  })

  test('is taken back from a process that was killed, and kept from one that was not', async () => {
    const options = { directory: newDirectory(), rules: RULES }
    const node = await startProcess(options)
    const second = await runProcess(options)
    expect(second.code).not.toBe(0)
    expect(second.output).toMatch(/Another node is using .*: stop it, or choose another --data-dir\./)
    expect(second.output).not.toMatch(/ at .*\.js:\d+/)
    await node.kill()
    expect(await (await startProcess(options)).stop()).toBe(0)
  })
})

describe("another chain's directory", () => {
  const others = [genesisOf(RULES, GENESIS_TIME + 1), genesisOf(easyRules({ miningReward: 51 }), GENESIS_TIME)]

  test.each(others)('is refused, and left as it is', async (genesis) => {
    const directory = copyOf(original)
    const message = await refusalOf(diskLedger({ directory, genesis }))
    expect(message).toMatch(
      /^The data belongs to the chain [0-9a-f]{64}, and the configuration describes [0-9a-f]{64}: /,
    )
    const ledger = await open(directory)
    await expectWhole(ledger, false)
    await ledger.close()
  })

  test.each([false, true])('is not rebuilt either, however damaged it is (--repair: %s)', async (acceptLoss) => {
    const directory = copyOf(original)
    rmSync(join(chainIn(directory), 'CURRENT'))
    expect(await refusalOf(diskLedger({ directory, genesis: others[0] ?? GENESIS, acceptLoss }))).toMatch(/belongs to/)
    const ledger = await open(directory)
    await expectWhole(ledger, true)
    await ledger.close()
    expectTidy(directory)
  })

  test('of another format is refused before anything of it is read', async () => {
    const directory = copyOf(original)
    await change(
      directory,
      new Map([
        [key.meta, JSON.stringify({ chain: hashOfGenesis(), format: 1 })],
        [key.head, 'x'],
      ]),
    )
    expect(await refusalOf(open(directory))).toBe(
      'The data has the format 1, and this version reads format 4: bc export the chain from the version that wrote it, and bc import it into a new directory.',
    )
  })

  function hashOfGenesis(): string {
    return JSON.parse(site.texts[1] as string).previous_hash
  }
})

/** As if LevelDB had lost a record, or dug up an older one: everything else fits together. */
async function change(directory: string, records: Map<string, string | undefined>): Promise<void> {
  const level = await openLevel(chainIn(directory))
  const database = await Database.open(level, witnessFile(chainIn(directory)))
  await database.write(records, { sync: true })
  await database.close()
}

/** Starts it as often as it takes; a node that notices damage while it runs stops. */
async function afterNoticing(
  directory: string,
): Promise<{ ledger: DiskLedger; noticed: 'at the start' | 'by the scrub' }> {
  const ledger = await open(directory)
  if (ledger.logged.length > 0) return { ledger, noticed: 'at the start' }
  const error = await scrubAll(ledger).catch((reason: unknown) => reason)
  await ledger.close()
  expect(error).toBeInstanceOf(DamageError)
  markDamaged(directory, (error as Error).message)
  return { ledger: await open(directory), noticed: 'by the scrub' }
}

describe('a record that is lost', () => {
  const recent = HEIGHT - 3
  const old = 15
  const at = (index: number): Hash => hashOfText(site.texts[index - 1] as string)
  const rich = numberedKey(300).address

  test.each<[string, string, () => string]>([
    ['the chain that it is', 'at the start', () => key.meta],
    ['the head', 'at the start', () => key.head],
    ['the entry of the head', 'at the start', () => key.entry(at(HEIGHT))],
    ['the entry of an old block', 'by the scrub', () => key.entry(at(old))],
    ['the entry of a block beside the main chain', 'by the scrub', () => key.entry(hashes[19] as Hash)],
    ['the main chain at its head', 'at the start', () => key.main(HEIGHT)],
    ['the main chain at an old block', 'by the scrub', () => key.main(old)],
    ['a recent undo record', 'at the start', () => key.undo(recent)],
    ['an old undo record', 'by the scrub', () => key.undo(old)],
    ['an account that sends', 'at the start', () => key.account(alice.address)],
    ['an account that was only ever paid', 'by the scrub', () => key.account(rich)],
  ] as [string, string, () => string][])('%s: noticed %s, and rebuilt', async (_, expected, lost) => {
    const directory = copyOf(original)
    await change(directory, new Map([[lost(), undefined]]))
    const { ledger, noticed } = await afterNoticing(directory)
    expect(noticed).toBe(expected)
    await expectWhole(ledger, true)
    await ledger.close()
    expectTidy(directory)
  })

  test('a transaction that is not found by its id any more', async () => {
    for (const index of [recent, old]) {
      const directory = copyOf(original)
      const level = await openLevel(chainIn(directory))
      const ids = [...picture].flatMap(([question, answer]) =>
        question.startsWith('transaction ') && answer.includes(`"index": ${index},`) ? [question.slice(12)] : [],
      )
      expect(ids).toHaveLength(3)
      await level.del(key.transaction(ids[1] as Hash))
      await level.close()
      const { ledger, noticed } = await afterNoticing(directory)
      expect(noticed).toBe(index === recent ? 'at the start' : 'by the scrub')
      await expectWhole(ledger, true)
      await ledger.close()
    }
  })

  test('a block beside the main chain: noticed, and gone with a word', async () => {
    const directory = copyOf(original)
    await change(directory, new Map([[key.block(21, hashes[19] as Hash), undefined]]))
    const { ledger, noticed } = await afterNoticing(directory)
    expect(noticed).toBe('by the scrub')
    expect(differences(picture, await pictureOf(ledger, hashes))).toEqual([`block ${hashes[19]}`])
    await ledger.close()
  })
})

describe('a record that is an older one', () => {
  const older = (from: number) => freshImport(GENESIS, site.texts.slice(1, from))

  test.each([
    ['the head', async () => new Map([[key.head, hashOfText(site.texts[HEIGHT - 3] as string)]])],
    ['an account that has sent since', async () => accountThen(alice.address, HEIGHT - 1)],
    ['an account that was paid since', async () => accountThen(dave.address, HEIGHT - 1)],
    ['where a history begins', async () => accountFrom(alice.address, HEIGHT - 1)],
    ['the main chain', async () => new Map([[key.main(21), hashes[19]]])],
    ['the place of a transaction', async () => new Map([[key.transaction(await idAt(50)), '[49,1]']])],
    ['an undo record of another branch', undoOfAnotherBranch],
    ['an undo record of fewer accounts', undoOfFewer],
  ] as [string, () => Promise<Map<string, string | undefined>>][])('%s: noticed, and rebuilt', async (_, records) => {
    const directory = copyOf(original)
    await change(directory, await records())
    const { ledger } = await afterNoticing(directory)
    await expectWhole(ledger, true)
    await ledger.close()
  })

  async function accountThen(address: typeof alice.address, height: number): Promise<Map<string, string>> {
    const { level } = await older(height)
    return new Map([[key.account(address), ((await level.get(key.account(address))) as Buffer).subarray(4).toString()]])
  }

  async function accountFrom(address: typeof alice.address, latest: number): Promise<Map<string, string>> {
    const { balance, nonce } = await (await older(HEIGHT)).store.account(address)
    return new Map([[key.account(address), `[${balance},${nonce},${latest}]`]])
  }

  async function idAt(index: number): Promise<Hash> {
    const { store, chain } = await older(HEIGHT)
    const [hash] = (await store.mainHashes(index, index)) as [Hash]
    const { block } = await store.block(await store.knownEntry(hash))
    return transactionId(block.transactions[1] as unknown as Transaction, chain.id)
  }

  async function undoOfAnotherBranch(): Promise<Map<string, string>> {
    const { level } = await older(20)
    const other = await freshImport(GENESIS, [...site.texts.slice(1, 20), newest(withBlock(atHeight(20), nothing))])
    const record = (await other.level.get(key.undo(21))) as Buffer
    await level.close()
    return new Map([[key.undo(21), record.subarray(4).toString()]])
  }

  async function undoOfFewer(): Promise<Map<string, string>> {
    const { level } = await older(22)
    const { block, before } = JSON.parse(((await level.get(key.undo(21))) as Buffer).subarray(4).toString())
    await level.close()
    return new Map([[key.undo(21), JSON.stringify({ block, before: before.slice(1) })]])
  }

  function atHeight(index: number): Site {
    return grown(genesisSite(RULES), index - 1, busy)
  }
})

describe('blocks that are lost', () => {
  async function withoutBlock(index: number): Promise<string> {
    const directory = copyOf(original)
    await change(directory, new Map([[key.block(index, hashOfText(site.texts[index - 1] as string)), undefined]]))
    return directory
  }

  test('refuse the start, again and again, with what can be done about it', async () => {
    const directory = await withoutBlock(100)
    for (let i = 0; i < 3; i++) {
      const message = await refusalOf(open(directory))
      expect(message).toMatch(/is damaged \(.*block 100 .* is missing\), and blocks are lost/)
      expect(message).toMatch(/up to block 99, but not to the block that it ended with/)
      expect(message).toMatch(/start once with --repair/)
    }
  })

  test('with --repair are gone, and what is before them goes on', async () => {
    const directory = await withoutBlock(100)
    await refusalOf(open(directory))
    const ledger = await open(directory, { acceptLoss: true })
    await scrubAll(ledger)
    const fresh = await freshImport(GENESIS, site.texts.slice(1, 99))
    expect(ledger.chain.head).toEqual(fresh.chain.head)
    expect(await mainTexts(ledger)).toEqual(site.texts.slice(1, 99))
    expect(await ledger.store.account(alice.address)).toEqual(await fresh.store.account(alice.address))
    expect(existsSync(join(directory, 'chain-damaged'))).toBe(true)
    expect((await ledger.import(site.texts[99] as string)).kind).toBe('head')
    await ledger.close()
    const again = await open(directory)
    expect(again.logged).toEqual([])
    expect(again.chain.head.index).toBe(100)
    await again.close()
  })

  test('are kept with what they were lost from, also by later rebuilds', async () => {
    const directory = await withoutBlock(100)
    const kept = async (loss?: number) => {
      if (loss === undefined) markDamaged(directory, 'a test')
      else await change(directory, new Map([[key.block(loss, hashOfText(site.texts[loss - 1] as string)), undefined]]))
      const ledger = await open(directory, { acceptLoss: true })
      await ledger.close()
      return Object.fromEntries(
        readdirSync(directory).flatMap((name) =>
          name.startsWith('chain-') ? [[name, readFileSync(join(directory, name, 'witness'), 'latin1').slice(17)]] : [],
        ),
      )
    }
    const headAt = (index: number) => `${hashOfText(site.texts[index - 1] as string)}\n`
    const first = { 'chain-damaged': headAt(HEIGHT) }
    expect(await kept(100)).toEqual(first)
    expect(await kept()).toEqual(first)
    expect(await kept(90)).toEqual({ ...first, 'chain-damaged-2': headAt(99) })
    expect(await kept(80)).toEqual({ ...first, 'chain-damaged-2': headAt(99), 'chain-damaged-3': headAt(89) })
    // No more than these.
    expect(await kept(70)).toEqual({ ...first, 'chain-damaged-2': headAt(99), 'chain-damaged-3': headAt(79) })
  })

  test('further back than a start looks: the scrub notices, and then it is refused', async () => {
    const directory = await withoutBlock(10)
    const ledger = await open(directory)
    await expect(scrubAll(ledger)).rejects.toThrow(DamageError)
    await ledger.close()
    markDamaged(directory, 'block 10 is missing')
    expect(await refusalOf(open(directory))).toMatch(/up to block 9,/)
  })

  test('refused once, it does not look whole to the next start, wherever the first was interrupted', async () => {
    const directory = await withoutBlock(100)
    await refusalOf(open(directory))
    expect(readFileSync(join(directory, 'damage-found'), 'utf8')).toMatch(/block 100/)
    rmSync(join(directory, 'damage-found'))
    expect(await refusalOf(open(directory))).toMatch(/up to block 99,/)
  })
})

const PERHAPS_LOST = 'Some of what was written last may be lost, such as transactions that waited.'

describe('a rebuild', () => {
  test('keeps what waits, in order, whatever the clock says', async () => {
    const directory = copyOf(original)
    markDamaged(directory, 'a test')
    // Set back to before genesis: the blocks were judged when they came in.
    const ledger = await open(directory, { now: GENESIS_TIME - 1 })
    expect(ledger.waiting).toHaveLength(WAITING)
    await expectWhole(ledger, true)
    expect(ledger.logged).toEqual([
      'The stored chain is damaged: it is rebuilt from its blocks.',
      'The stored chain was rebuilt.',
    ])
    await ledger.close()
    expectTidy(directory)
  })

  test('of what has lost a batch says that what waited may be gone, and keeps what it was', async () => {
    const directory = copyOf(original)
    const log = join(chainIn(directory), logIn(directory))
    const bytes = readFileSync(log)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 4, bytes.length - 20)
    writeFileSync(log, bytes)
    const ledger = await open(directory)
    expect(ledger.chain.head.index).toBe(HEIGHT)
    expect(ledger.waiting.length).toBeLessThan(WAITING)
    expect(ledger.logged).toContain(PERHAPS_LOST)
    expect(existsSync(join(directory, 'chain-damaged'))).toBe(true)
    await ledger.close()
  })

  test('without a witness, that would say where it ended, says the same', async () => {
    const directory = copyOf(original)
    rmSync(witnessFile(chainIn(directory)))
    const ledger = await open(directory)
    await expectWhole(ledger, true)
    expect(ledger.logged).toContain(PERHAPS_LOST)
    await ledger.close()
  })

  test('ends with the head that was, also where another block has as much work', async () => {
    const parent = grown(genesisSite(RULES), 3, busy)
    const ties = Array.from({ length: 6 }, (_, i) => withBlock(parent, { ...nothing, rewardTo: 700 + i }))
    for (const first of ties) {
      const directory = newDirectory()
      const before = await open(directory)
      for (const text of [...parent.texts.slice(1), newest(first), ...ties.map(newest)]) await before.import(text)
      await before.close()
      markDamaged(directory, 'a test')
      const after = await open(directory)
      expect(after.chain.head.hash).toBe(first.parent.hash)
      expect(await Promise.all(ties.map(({ parent: { hash } }) => after.store.entry(hash)))).not.toContain(undefined)
      await after.close()
    }
  })

  test('takes up the main chain first, however heavy a branch beside it was', async () => {
    const rules = easyRules({ blockTime: 10, difficulty: 3, halfLife: 100 })
    const genesis = genesisOf(rules, GENESIS_TIME)
    const fork = grown(genesisSite(rules), 5, () => nothing)
    // Faster, so each of its blocks is more work than the main chain's of the same height.
    const beside = grown(fork, 12, () => ({ ...nothing, after: 7 })).texts.slice(6)
    const main = grown(fork, 20, () => nothing)
    // Where nothing says which way it went at the fork, both are tried, and no longer than there.
    for (const [lost, most] of [
      [[], 0],
      [[key.main(9), key.main(10), key.main(14)], 0],
      [[key.main(7)], 4],
    ] as const) {
      const directory = newDirectory()
      const before = await diskLedger({ directory, genesis })
      for (const text of [...main.texts.slice(1), ...beside]) await before.import(text)
      const { head } = before.chain
      await before.close()
      await change(directory, new Map(lost.map((at) => [at, undefined])))
      markDamaged(directory, 'a test')
      const moves = vi.spyOn(ChainStore.prototype, 'writeHead')
      const after = await diskLedger({ directory, genesis })
      const reorganisations = moves.mock.calls.filter(([abandoned]) => abandoned.length > 0)
      moves.mockRestore()
      expect(after.chain.head).toEqual(head)
      const entries = await after.store.entries(beside.map(hashOfText))
      expect(entries).not.toContain(undefined)
      expect(reorganisations.length).toBeLessThanOrEqual(most)
      await after.close()
    }
  })

  test('leaves out what is no block of the chain, with a word for each that a rule refuses', async () => {
    const directory = copyOf(original)
    const below = grown(genesisSite(RULES), 19, busy)
    const dear = blockOn(site, { transfers: () => [], reward: (right) => ({ ...right, amount: 51 }) })
    const forged = newest(withBlock(below, { ...nothing, rewardTo: 998 })).replace('"amount": 50', '"amount": 51')
    const stranger = withBlock(below, { ...nothing, rewardTo: 997 })
    const refused: [number, Hash, string][] = [
      [20, hashOfText(forged), forged],
      [21, '5'.repeat(64) as Hash, '{"index": 21}'],
      [HEIGHT + 1, hashOfText(dear), dear],
    ]
    // A good block, under a hash that isn't its own: nobody can say what was meant to be there.
    const records = [...refused, [20, '6'.repeat(64) as Hash, newest(stranger)] as const]
    await change(directory, new Map(records.map(([index, hash, text]) => [key.block(index, hash), text])))
    markDamaged(directory, 'a test')
    const ledger = await open(directory)
    await expectWhole(ledger, true)
    expect(ledger.logged.filter((message) => message === 'A stored block is refused.')).toHaveLength(refused.length)
    expect(await ledger.store.entry(hashOfText(newest(stranger)))).toBeUndefined()
    await ledger.close()
  })

  test('of a chain whose genesis block is longer than a block may be', async () => {
    const people = Array.from({ length: 60 }, (_, i) => [numberedKey(2000 + i).address, 5])
    const rules = easyRules({ allocations: Object.fromEntries(people), maxBlockBytes: 2000 })
    const genesis = genesisOf(rules, GENESIS_TIME)
    const directory = newDirectory()
    const before = await diskLedger({ directory, genesis })
    const chain = grown(genesisSite(rules), 3, () => nothing)
    for (const text of chain.texts.slice(1)) await before.import(text)
    await before.close()
    markDamaged(directory, 'a test')
    const after = await diskLedger({ directory, genesis })
    expect(after.chain.head.index).toBe(4)
    await after.close()
  })

  test('that is cut short at any step is taken up by the next start', async () => {
    const whole = copyOf(original)
    const damaged = copyOf(original)
    markDamaged(damaged, 'a test')
    const steps: ((directory: string) => void)[] = [
      // Before its first block, in the middle of them, before the first rename, and after each of the others.
      (directory) => mkdirSync(join(directory, 'chain-rebuilding')),
      (directory) => cpSync(join(whole, 'chain'), join(directory, 'chain-rebuilding'), { recursive: true }),
      (directory) => cpSync(join(whole, 'chain'), join(directory, 'chain-rebuilt'), { recursive: true }),
      (directory) => {
        cpSync(join(whole, 'chain'), join(directory, 'chain-rebuilt'), { recursive: true })
        cpSync(join(whole, 'chain'), join(directory, 'chain-replaced'), { recursive: true })
      },
      (directory) => {
        renameSync(join(directory, 'chain'), join(directory, 'chain-replaced'))
        cpSync(join(whole, 'chain'), join(directory, 'chain-rebuilt'), { recursive: true })
      },
      (directory) => cpSync(join(whole, 'chain'), join(directory, 'chain-replaced'), { recursive: true }),
    ]
    for (const step of steps) {
      const directory = copyOf(damaged)
      step(directory)
      const ledger = await open(directory)
      await expectWhole(ledger, true)
      await ledger.close()
      expectTidy(directory)
    }
  })

  test('that is asked to stop leaves all to the next start, and nobody waits for its end', async () => {
    const directory = copyOf(original)
    markDamaged(directory, 'a test')
    const asked = new AbortController()
    asked.abort()
    await expect(open(directory, { signal: asked.signal })).rejects.toBe(asked.signal.reason)
    const ledger = await open(directory)
    await expectWhole(ledger, true)
    await ledger.close()
    expectTidy(directory)
  })

  test('an interrupted swap without a marker is finished, and nothing is rebuilt again', async () => {
    const directory = copyOf(original)
    cpSync(join(directory, 'chain'), join(directory, 'chain-replaced'), { recursive: true })
    renameSync(join(directory, 'chain'), join(directory, 'chain-rebuilt'))
    const ledger = await open(directory)
    await expectWhole(ledger, false)
    await ledger.close()
    expectTidy(directory)
  })
})

describe('a chain that is a link to a folder elsewhere', () => {
  /** @returns the data directory, and where its chain lies among nothing else */
  function linked(): [string, string] {
    const [directory, elsewhere] = [copyOf(original), newDirectory()]
    renameSync(chainIn(directory), join(elsewhere, 'bc'))
    symlinkSync('elsewhere', chainIn(directory))
    symlinkSync(join(elsewhere, 'bc'), join(directory, 'elsewhere'))
    return [directory, elsewhere]
  }

  async function expectRebuiltThere([directory, elsewhere]: [string, string], rebuilt: boolean): Promise<void> {
    const ledger = await open(directory)
    await expectWhole(ledger, rebuilt)
    await ledger.close()
    expect(lstatSync(chainIn(directory)).isSymbolicLink()).toBe(true)
    expect(readdirSync(directory).sort()).toEqual(['chain', 'elsewhere', 'lock'])
    expect(readdirSync(elsewhere)).toEqual(['bc'])
  }

  test('is rebuilt there', async () => {
    const [directory, elsewhere] = linked()
    markDamaged(directory, 'a test')
    await expectRebuiltThere([directory, elsewhere], true)
  })

  test('is found there by the start after one that was killed between the two renames', async () => {
    const [directory, elsewhere] = linked()
    renameSync(join(elsewhere, 'bc'), join(elsewhere, 'bc-rebuilt'))
    await expectRebuiltThere([directory, elsewhere], false)
  })

  test('is not begun anew where there is nothing, as before a volume is mounted', async () => {
    const [directory, elsewhere] = linked()
    rmSync(join(elsewhere, 'bc'), { recursive: true })
    await refusalOf(open(directory))
    expect(readdirSync(elsewhere)).toEqual([])
  })
})

describe("LevelDB's own files", () => {
  const manifestIn = (directory: string) =>
    readdirSync(chainIn(directory)).find((name) => name.startsWith('MANIFEST')) as string

  async function expectRebuilt(directory: string): Promise<void> {
    const ledger = await open(directory)
    await expectWhole(ledger, true)
    await ledger.close()
    expectTidy(directory)
  }

  test('without CURRENT it would start anew and throw all away: rebuilt', async () => {
    const directory = copyOf(original)
    rmSync(join(chainIn(directory), 'CURRENT'))
    await expectRebuilt(directory)
  })

  test('copied in part, without what names them, they are not thrown away: rebuilt from what is there', async () => {
    const directory = copyOf(original)
    for (const name of ['CURRENT', 'witness']) rmSync(join(chainIn(directory), name))
    const whole = await open(directory)
    await expectWhole(whole, true)
    await whole.close()
    for (const left of [/ldb$|log$/, /ldb$/]) {
      const part = copyOf(original)
      for (const name of readdirSync(chainIn(part))) if (!left.test(name)) rmSync(join(chainIn(part), name))
      const ledger = await open(part)
      expect(ledger.logged).toContain(PERHAPS_LOST)
      // The tables are those of the first session.
      expect(ledger.chain.head.index).toBe(left.test('log') ? HEIGHT : 100)
      await ledger.close()
    }
  })

  /** The same chain, with a manifest that tells of one table after the other: LevelDB writes its memory out as it goes. */
  async function flushed(): Promise<string> {
    const directory = newDirectory()
    const level = await openLevel(chainIn(directory))
    const store = new ChainStore(await Database.open(level, witnessFile(chainIn(directory))))
    const ledger = await Ledger.open({ genesis: GENESIS, store })
    for (const [i, text] of texts.entries()) {
      await ledger.import(text)
      if (i % 30 === 29) await (level as unknown as ClassicLevel).compactRange('~', '~~')
    }
    for (let i = 0; i < WAITING; i++) await ledger.submit(waitingPayment(i))
    await store.close()
    return directory
  }

  /** Cut at eight places; between them LevelDB may have noted nothing that matters. @returns how often it was rebuilt */
  async function withCutManifests(before: (location: string) => Promise<void>): Promise<number> {
    const whole = await flushed()
    const { length } = readFileSync(join(chainIn(whole), manifestIn(whole)))
    let rebuilt = 0
    for (let cut = 1; cut <= length; cut += Math.ceil(length / 8)) {
      const directory = copyOf(whole)
      truncateSync(join(chainIn(directory), manifestIn(directory)), length - cut)
      await before(chainIn(directory))
      const ledger = await open(directory)
      if (ledger.logged.length > 0) rebuilt++
      await expectWhole(ledger, ledger.logged.length > 0)
      await ledger.close()
      expectTidy(directory)
    }
    return rebuilt
  }

  test('with a manifest that has lost its end it throws tables away: rebuilt', async () => {
    expect(await withCutManifests(async () => undefined)).toBeGreaterThan(2)
  })

  test('also by a start that was interrupted before it had looked at what it opened', async () => {
    const rebuilt = await withCutManifests(async (location) => {
      setAside(location)
      await openLevel(location).then(
        (level) => level.close(),
        () => undefined,
      )
    })
    expect(rebuilt).toBeGreaterThan(2)
  })

  test('that are no database at all: a sentence', async () => {
    const directory = newDirectory()
    writeFileSync(chainIn(directory), 'a file')
    expect(await refusalOf(open(directory))).toMatch(/can't be used/)
    const other = copyOf(original)
    for (const name of readdirSync(chainIn(other))) writeFileSync(join(chainIn(other), name), 'nonsense')
    expect(await refusalOf(open(other))).toMatch(/blocks are lost/)
    const missing = copyOf(original)
    for (const name of readdirSync(chainIn(missing))) if (name !== 'witness') rmSync(join(chainIn(missing), name))
    expect(await refusalOf(open(missing))).toMatch(/^The data in /)
  })
})

test('a power failure takes what nobody was promised, and that is no damage', async () => {
  const directory = newDirectory()
  const ledger = await open(directory)
  for (const text of texts.slice(0, 10)) await ledger.import(text)
  for (const text of texts.slice(10, 14)) await ledger.chain.import(parsed(text), { sync: false })
  // The disk has the witness of what was written with `sync`, and of the rest as much as it pleased.
  const after = copyOf(directory)
  await ledger.close()
  cutLog(after, (length) => length - 1)
  const restarted = await open(after)
  expect(restarted.logged).toEqual([])
  await scrubAll(restarted)
  expect(await mainTexts(restarted)).toEqual(texts.slice(0, 13))
  await restarted.close()
  const promised = copyOf(directory)
  cutLog(promised, (length) => length >> 2)
  expect(await refusalOf(open(promised))).toMatch(/blocks are lost/)
})

function cutLog(directory: string, to: (length: number) => number): void {
  const log = join(chainIn(directory), logIn(directory))
  truncateSync(log, to(readFileSync(log).length))
}

function logIn(directory: string): string {
  return readdirSync(chainIn(directory)).find((name) => name.endsWith('.log')) as string
}

/** Node 24 gives the copy of a folder the usual mode, and a data folder is for its owner alone. */
function copyOriginal(to: string): void {
  mkdirSync(to, { mode: 0o700 })
  cpSync(original, to, { recursive: true })
}

describe('a process', () => {
  test('that finds damage while it runs stops, and the next start rebuilds', async () => {
    const directory = newDirectory()
    copyOriginal(join(directory, 'data'))
    await change(join(directory, 'data'), new Map([[key.undo(15), undefined]]))
    const options = { directory, rules: RULES }
    const first = await startProcess(options).catch((error: Error) => error)
    const { code, output } =
      first instanceof Error ? { code: 1, output: first.message } : { code: await first.ended, output: first.output() }
    expect(code).not.toBe(0)
    expect(output).toMatch(/the undo record of block 15 is missing/)
    const second = await startProcess(options)
    expect(second.output()).toMatch(/The stored chain was rebuilt/)
    const status = (await (await fetch(`${second.url}/status`)).json()) as { height: number; tip: string }
    expect(status).toMatchObject({ height: HEIGHT, tip: site.parent.hash })
    expect(await second.stop()).toBe(0)
  })

  test('that is refused says why, without a stack, and exits', async () => {
    const directory = newDirectory()
    copyOriginal(join(directory, 'data'))
    await change(join(directory, 'data'), new Map([[key.block(100, hashOfText(site.texts[99] as string)), undefined]]))
    const { code, output } = await runProcess({ directory, rules: RULES })
    expect(code).toBe(1)
    expect(output).toMatch(/blocks are lost: it can be rebuilt up to block 99/)
    expect(output).not.toMatch(/ at .*\.js:\d+/)
    const repaired = await startProcess({ directory, rules: RULES, flags: ['--repair'] })
    expect(repaired.output()).toContain(`"kept":"${join(directory, 'data', 'chain-damaged')}"`)
    const status = (await (await fetch(`${repaired.url}/status`)).json()) as { height: number }
    expect(status.height).toBe(99)
    expect(await repaired.stop()).toBe(0)
  })

  test('whose chain is a mount point is told, before a rebuild, that it can’t be replaced', async (context) => {
    const directory = newDirectory()
    copyOriginal(join(directory, 'data'))
    const chain = chainIn(join(directory, 'data'))
    // In a namespace of its own: nobody else sees it, and it is gone with the node.
    const under = ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" "$0" && exec "$@"', chain]
    if (spawnSync('unshare', [...under.slice(1), 'true']).status !== 0) context.skip('nothing can be mounted here')
    markDamaged(join(directory, 'data'), 'a test')
    const before = readdirSync(chain)
    const { code, output } = await runProcess({ directory, rules: RULES, under })
    expect(code).toBe(1)
    expect(output).toMatch(/it is a mount point, which can't be replaced/)
    expect(readdirSync(chain)).toEqual(before)
    expect(readdirSync(join(directory, 'data')).filter((name) => name.startsWith('chain-'))).toEqual([])
  })

  test('that is killed while it makes its first directory leaves one that the next start can use', async () => {
    for (let i = 0; i < 5; i++) {
      const options = { directory: newDirectory(), rules: RULES }
      await killEarly(options, 150 + 90 * i)
      const node = await startProcess(options)
      expect(node.output()).not.toMatch(/damaged/)
      await node.kill()
    }
  })
})

test('everything of the main chain was compared', () => {
  expect(MAIN_STATE).toContain('undo/')
  expect([...picture.keys()].filter((question) => question.startsWith('transaction '))).toHaveLength(3 * (HEIGHT - 1))
})
