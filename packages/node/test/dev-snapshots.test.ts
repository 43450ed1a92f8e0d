/** Back to a snapshot, beneath HTTP: also where the chain was reorganised since. */
import { genesisOf, type Hash } from '@bc/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { importLines } from '../src/chain/import-lines.ts'
import { DevClock } from '../src/dev/clock.ts'
import { RewindStore } from '../src/dev/rewind-store.ts'
import { Snapshots } from '../src/dev/snapshots.ts'
import type { Miner } from '../src/mining/miner.ts'
import type { Reverted } from '../src/pool/changes.ts'
import { Serial } from '../src/serial.ts'
import { inspectAccounts, inspectBlocks, inspectTree } from '../src/storage/inspect.ts'
import {
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  newest,
  nothing,
  PEOPLE,
  type Site,
  signedPayment,
  transactionsIn,
} from './support/ledger-blocks.ts'
import { all, freshImport, Ledger, MAIN_STATE, mainTexts, memoryLevel, records } from './support/ledger-node.ts'
import { blocksOf, treeRecipe } from './support/ledger-tree.ts'

const rules = easyRules()
const genesis = genesisOf(rules, GENESIS_TIME)
const [alice, bob, carol] = PEOPLE

/** @param onReverted called within the door */
async function opened(onReverted?: () => void) {
  const level = await memoryLevel()
  const rewindable = await RewindStore.open(level)
  const ledger = await Ledger.open({ genesis, store: rewindable.store })
  const clock = new DevClock(GENESIS_TIME + 1)
  const reverted: Reverted[] = []
  const turns = new Serial()
  const snapshots = new Snapshots(rewindable, clock, {
    ...ledger,
    miner: { inTurn: (task: () => Promise<unknown>) => turns.run(task) } as unknown as Miner,
    onReverted: (what) => {
      reverted.push(what)
      onReverted?.()
    },
  })
  return { ledger, level, clock, snapshots, reverted }
}

/** All that follows from the main chain and the pool, as it is stored, and as those who were told know it. */
async function stateOf({ ledger, level }: Pick<Awaited<ReturnType<typeof opened>>, 'ledger' | 'level'>) {
  return { head: ledger.chain.head, records: await records(level, MAIN_STATE), waiting: ledger.waiting }
}

/** What a node's scrub looks at: every record against every other. */
async function inspect({ store, chain }: Ledger): Promise<void> {
  for (const look of [inspectAccounts(store, chain), inspectBlocks(store, chain), inspectTree(store)])
    for await (const _ of look);
}

async function importAll(ledger: Ledger, texts: readonly string[]): Promise<void> {
  for (const text of texts) await ledger.import(text)
}

const textsAfter = (site: Site, from: Site) => site.texts.slice(from.texts.length)

const without = (ids: readonly Hash[], others: readonly Hash[]) => ids.filter((id) => !others.includes(id))

const paying = (from: number, to: number) => ({ payments: [{ from, to, amount: 7, fee: 1 }], after: 5 })

describe('a revert', () => {
  it('undoes blocks; the same ones can come again, and so can others', async () => {
    const node = await opened()
    const base = grown(genesisSite(), 2, () => paying(0, 1))
    await importAll(node.ledger, textsAfter(base, genesisSite()))
    const before = await stateOf(node)
    const { id } = await node.snapshots.take()
    const first = grown(base, 3, () => paying(1, 2))
    const second = grown(base, 2, () => paying(2, 0))
    await importAll(node.ledger, textsAfter(first, base))
    const after = await stateOf(node)
    expect(after.head.index).toBe(6)

    await node.snapshots.revert(id)
    expect(await stateOf(node)).toEqual(before)
    await inspect(node.ledger)
    const left = node.reverted[0]?.abandoned.map(({ entry }) => entry.index)
    expect([left, node.reverted[0]?.adopted, node.reverted[0]?.head.hash]).toEqual([[6, 5, 4], [], before.head.hash])

    const outcomes = []
    for (const text of textsAfter(first, base)) outcomes.push((await node.ledger.import(text)).kind)
    expect(outcomes).toEqual(['head', 'head', 'head'])
    expect(await stateOf(node)).toEqual(after)

    await node.snapshots.revert(id)
    await importAll(node.ledger, textsAfter(second, base))
    expect(await mainTexts(node.ledger)).toEqual(second.texts.slice(1))
    await inspect(node.ledger)
  })

  it('lets a file of the same blocks lead to the same head again', async () => {
    const node = await opened()
    const base = grown(genesisSite(), 2, () => paying(0, 1))
    const lines = grown(base, 3, () => paying(1, 2)).texts.map((text) => Buffer.from(text))
    await importLines(node.ledger, lines.slice(0, base.texts.length), () => undefined)
    const { id } = await node.snapshots.take()
    await importLines(node.ledger, lines, () => undefined)
    const after = await stateOf(node)
    await node.snapshots.revert(id)
    expect(await importLines(node.ledger, lines, () => undefined)).toEqual({ imported: 3, beside: 0, known: 3 })
    expect(await stateOf(node)).toEqual(after)
  })

  it('leads back over a reorganisation', async () => {
    const node = await opened()
    const short = grown(genesisSite(), 2, () => paying(0, 1))
    const long = grown(genesisSite(), 4, () => paying(1, 2))
    await importAll(node.ledger, textsAfter(short, genesisSite()))
    const before = await stateOf(node)
    const { id } = await node.snapshots.take()
    await importAll(node.ledger, textsAfter(long, genesisSite()))
    expect(node.ledger.chain.head.index).toBe(5)
    await node.snapshots.revert(id)
    expect(await stateOf(node)).toEqual(before)
    const [{ abandoned, adopted } = { abandoned: [], adopted: [] }] = node.reverted
    expect([abandoned, adopted].map((blocks) => blocks.map(({ entry }) => entry.index))).toEqual([
      [5, 4, 3, 2],
      [2, 3],
    ])
    await inspect(node.ledger)
    // A block that comes to the branch which was left brings it back: it has more work.
    await importAll(node.ledger, [newest(grown(long, 1, () => nothing))])
    expect(node.ledger.chain.head.index).toBe(6)
    await inspect(node.ledger)
  })

  it('brings the pool back: what was confirmed or came since, and what had to go', async () => {
    const node = await opened()
    const site = genesisSite()
    const waits = [
      signedPayment(site, alice, bob, 5, 0, 0),
      signedPayment(site, alice, bob, 6, 2, 1),
      signedPayment(site, bob, carol, 7, 0, 3),
      // It has come after the one that it goes before.
      signedPayment(site, bob, carol, 8, 0, 2),
    ]
    for (const one of waits) await node.ledger.submit(one)
    const before = await stateOf(node)
    const { id } = await node.snapshots.take()
    await node.ledger.submit(signedPayment(site, carol, bob, 1, 0, 0))
    await node.ledger.submit(signedPayment(site, bob, alice, 1, 9, 3))
    const block = grown(site, 1, () => ({ payments: [{ from: 0, to: 1, amount: 5, fee: 0 }], after: 5 }))
    await node.ledger.import(newest(block))
    const { waiting } = await stateOf(node)
    const [left, back] = [without(waiting, before.waiting), without(before.waiting, waiting)]
    expect([left.length, back.length]).toEqual([2, 2])
    for (let i = 0; i < 2; i++) {
      await node.snapshots.revert(id)
      const told = node.reverted[i]?.pool.map((change) => [change.kind, change.entry.id])
      const changes = [...left.map((one) => ['dropped', one]), ...back.map((one) => ['pending', one])]
      expect(told).toEqual(i === 0 ? changes : [])
      expect(await stateOf(node)).toEqual(before)
      expect((await all(node.ledger.store.pool())).map(({ transaction }) => transaction)).toEqual(waits)
    }
  })

  it('tells of what was confirmed since and is not any more, the oldest first', async () => {
    const node = await opened()
    const site = genesisSite()
    const waits = signedPayment(site, bob, carol, 7, 0, 0)
    await node.ledger.submit(waits)
    const { id } = await node.snapshots.take()
    const payments = [
      { from: 0, to: 1, amount: 5, fee: 0 },
      { from: 1, to: 2, amount: 7, fee: 0 },
    ]
    const later = grown(
      grown(site, 1, () => ({ payments, after: 5 })),
      1,
      () => paying(0, 2),
    )
    await importAll(node.ledger, textsAfter(later, site))
    await node.snapshots.revert(id)
    const [first, , second] = later.texts.slice(1).flatMap(transactionsIn)
    expect(node.reverted[0]?.pool.map(({ kind, entry: { transaction } }) => [kind, transaction])).toEqual([
      ['dropped', first],
      ['dropped', second],
      ['pending', waits],
    ])
    expect(node.reverted[0]?.pool.map((change) => change.kind === 'dropped' && change.reason)).toEqual([
      'reverted',
      'reverted',
      false,
    ])
  })

  it('tells of nothing that is confirmed on either branch', async () => {
    const node = await opened()
    const [short, long] = [grown(genesisSite(), 2, () => paying(0, 1)), grown(genesisSite(), 3, () => nothing)]
    await importAll(node.ledger, textsAfter(short, genesisSite()))
    const { id } = await node.snapshots.take()
    await importAll(node.ledger, textsAfter(long, genesisSite()))
    expect(node.ledger.waiting).toHaveLength(2)
    await node.snapshots.revert(id)
    expect(node.reverted[0]).toMatchObject({ pool: [], head: { index: 3 } })
  })

  it('forgets blocks that were held', async () => {
    const node = await opened()
    const site = grown(genesisSite(), 2, () => nothing)
    const { id } = await node.snapshots.take()
    expect((await node.ledger.import(newest(site))).kind).toBe('orphan')
    await node.snapshots.revert(id)
    expect((await node.ledger.import(site.texts[1] as string)).kind).toBe('head')
    expect(node.ledger.chain.head.index).toBe(2)
  })

  it('takes the clock along', async () => {
    const { snapshots, clock } = await opened()
    const { id } = await snapshots.take()
    clock.moveTo(GENESIS_TIME + 3600)
    await snapshots.revert(id)
    expect(clock.now()).toBe(GENESIS_TIME + 1)
  })

  it('ends later snapshots and no others, and numbers come once', async () => {
    const { snapshots } = await opened()
    const taken = [await snapshots.take(), await snapshots.take(), await snapshots.take()]
    expect(taken.map(({ id }) => id)).toEqual([1, 2, 3])
    await snapshots.revert(2)
    for (const gone of [0, 3, 4])
      await expect(snapshots.revert(gone)).rejects.toMatchObject({ code: 'request.not_found' })
    expect((await snapshots.take()).id).toBe(4)
    await snapshots.revert(4)
    await snapshots.revert(2)
    await snapshots.revert(1)
    await expect(snapshots.revert(2)).rejects.toMatchObject({ code: 'request.not_found' })
  })

  it('answers what it has put back, as a snapshot does what it holds, whatever comes next', async () => {
    const moves: Promise<void>[] = []
    const moveOn = () => void moves.push(ledger.door.run(async () => clock.moveTo(clock.now() + 3600)))
    const { ledger, clock, snapshots } = await opened(moveOn)
    const state = { id: 1, height: 1, tip: ledger.chain.id, time: GENESIS_TIME + 1 }
    const taking = snapshots.take()
    moveOn()
    expect(await taking).toEqual(state)
    expect(await snapshots.revert(1)).toEqual(state)
    await Promise.all(moves)
    expect(clock.now()).toBe(GENESIS_TIME + 3601)
  })

  it('waits until a block that is being mined is done, and lets nothing in meanwhile', async () => {
    const { snapshots, ledger } = await opened()
    const { id } = await snapshots.take()
    const site = grown(genesisSite(), 5, () => paying(0, 1))
    const work = [
      ...textsAfter(site, genesisSite()).map((text) => ledger.import(text)),
      snapshots.revert(id),
      ledger.submit(signedPayment(site, carol, bob, 1, 0, 0)),
    ]
    await Promise.all(work)
    expect([ledger.chain.head.index, ledger.waiting.length]).toEqual([1, 1])
    await inspect(ledger)
  })
})

describe('any row of blocks, snapshots and reverts', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('block' as const), n: fc.nat(200) }) },
    fc.record({ kind: fc.constant('take' as const), n: fc.constant(0) }),
    fc.record({ kind: fc.constant('revert' as const), n: fc.nat(5) }),
  )

  it('leads to what a node would be that has heard of the main chain alone', async () => {
    await fc.assert(
      fc.asyncProperty(treeRecipe(60), fc.array(step, { minLength: 10, maxLength: 60 }), async (recipe, steps) => {
        const { texts } = blocksOf(recipe, rules)
        const node = await opened()
        const taken = new Map<number, { tip: Hash; state: Awaited<ReturnType<typeof stateOf>> }>()
        for (const { kind, n } of steps) {
          if (kind === 'block') await importAll(node.ledger, texts.slice(n % texts.length, (n % texts.length) + 3))
          if (kind === 'take')
            taken.set((await node.snapshots.take()).id, {
              tip: node.ledger.chain.head.hash,
              state: await stateOf(node),
            })
          const ids = [...taken.keys()]
          const id = ids[n % ids.length]
          if (kind !== 'revert' || id === undefined) continue
          await node.snapshots.revert(id)
          expect(await stateOf(node)).toEqual(taken.get(id)?.state)
          for (const later of ids.filter((other) => other > id)) taken.delete(later)
        }
        await inspect(node.ledger)
        const fresh = await freshImport(genesis, await mainTexts(node.ledger))
        expect(await all(node.ledger.store.allAccounts())).toEqual(await all(fresh.store.allAccounts()))
        expect(node.ledger.chain.head).toEqual(fresh.chain.head)
      }),
      { numRuns: 25 },
    )
  }, 300_000)
})
