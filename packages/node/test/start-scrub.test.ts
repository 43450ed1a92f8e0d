/** The look through the whole store, behind the node's work: no false alarm, nothing left open, called off at once. */
import { genesisOf } from '@bc/core'
import { describe, expect, test, vi } from 'vitest'
import { DamageError } from '../src/errors.ts'
import { Pace, scrub } from '../src/start/scrub.ts'
import { key } from '../src/storage/layout.ts'
import { type BlockRecipe, easyRules, GENESIS_TIME, genesisSite, grown, nothing } from './support/ledger-blocks.ts'
import { scrubAll } from './support/ledger-disk.ts'
import { freshImport, ledgerOver } from './support/ledger-node.ts'

const RULES = easyRules()
const GENESIS = genesisOf(RULES, GENESIS_TIME)

const busy = (i: number): BlockRecipe => ({
  payments: [
    { from: 0, to: 3, amount: 5, fee: 1 },
    { from: 1, to: 2, amount: 2, fee: 0 },
  ],
  after: 10,
  ...(i % 3 === 0 && { rewardTo: 300 + i }),
})

const trunk = grown(genesisSite(RULES), 60, busy)
const old = grown(trunk, 70, busy)

describe('the scrub', () => {
  test('raises no alarm while blocks come in, also when they shorten the chain for a moment or replace half of it', async () => {
    const ledger = await freshImport(GENESIS, old.texts.slice(1))
    const branches = [
      grown(trunk, 72, () => nothing),
      grown(old, 5, busy),
      grown(trunk, 90, (i) => ({ ...busy(i), rewardTo: 600 + i })),
    ]
    const blocks = branches.flatMap(({ texts }) => texts.slice(trunk.texts.length))
    let running = true
    const scrubbing = (async () => {
      let count = 0
      for (; running; count++) await scrubAll(ledger)
      return count
    })()
    for (const text of blocks) await ledger.import(text)
    running = false
    expect(await scrubbing).toBeGreaterThan(0)
    expect(ledger.chain.head.hash).toBe(branches[2]?.parent.hash)
    await scrubAll(ledger)
  })

  test('lets every snapshot go, whatever it finds', async () => {
    const { level } = await freshImport(GENESIS, old.texts.slice(1))
    const open = new Set<object>()
    const snapshot = level.snapshot.bind(level)
    vi.spyOn(level, 'snapshot').mockImplementation(() => {
      const taken = snapshot()
      const close = taken.close.bind(taken)
      open.add(taken)
      taken.close = () => {
        open.delete(taken)
        return close()
      }
      return taken
    })
    const ledger = await ledgerOver(level, GENESIS)
    await scrubAll(ledger)
    const { store } = ledger
    await expect(store.reading(() => Promise.reject(new Error('a reader')))).rejects.toThrow('a reader')
    await level.del(key.account((await firstAccount(ledger)) as never))
    await expect(scrubAll(ledger)).rejects.toThrow(DamageError)
    expect(open.size).toBe(0)
    expect(vi.mocked(level.snapshot).mock.calls.length).toBeGreaterThan(3)
  })

  async function firstAccount({ store }: Awaited<ReturnType<typeof ledgerOver>>): Promise<string> {
    for await (const [address, { balance }] of store.allAccounts()) if (balance > 0) return address
    throw new RangeError('nobody has anything')
  }

  test('that is called off looks at nothing more', async () => {
    const ledger = await freshImport(GENESIS, old.texts.slice(1))
    await ledger.level.del(key.undo(90))
    await expect(scrubAll(ledger)).rejects.toThrow(/undo record of block 90/)
    const stopping = new AbortController()
    const done = scrub(ledger.store, ledger.chain, new Pace(stopping.signal))
    stopping.abort()
    await done
  })

  test('rests again and again, and looks at nothing after the rest in which it is called off', async () => {
    const ledger = await freshImport(GENESIS, old.texts.slice(1))
    const stopping = new AbortController()
    let rests = 0
    const rest = async () => {
      if (++rests === 3) stopping.abort()
    }
    const read = vi.spyOn(ledger.store, 'blocks')
    await scrub(ledger.store, ledger.chain, { signal: stopping.signal, rest, slowDown: () => undefined } as never)
    // The accounts first, then sixteen blocks at a time.
    expect([rests, read.mock.calls.length]).toEqual([3, 2])
  })

  test('rests as little as it can until somebody else has work; then long, but a rest is cut short', async () => {
    const stopping = new AbortController()
    const pace = new Pace(stopping.signal)
    const worked = (ms: number) => vi.spyOn(performance, 'now').mockReturnValueOnce(performance.now() + ms)
    const turns = async (count: number) => {
      for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
      return 'still resting'
    }
    worked(60_000)
    // At full speed it is over in a turn of the event loop, however much was done.
    expect(await Promise.race([pace.rest(), turns(3)])).toBeUndefined()
    pace.slowDown()
    worked(60_000)
    const rest = pace.rest()
    expect(await Promise.race([rest, turns(3)])).toBe('still resting')
    stopping.abort()
    expect(await Promise.race([rest, turns(3)])).toBeUndefined()
  })
})
