import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Block, type Genesis, genesisOf, hashOf } from '../src/block.ts'
import { type BlockEntry, entryAfter, genesisEntry, hasMoreWork, planReorganisation } from '../src/fork-choice.ts'
import { sha256Hex } from '../src/hash.ts'
import type { Hash, Height, Proof, Target } from '../src/primitives.ts'
import { easiestTarget, workOf } from '../src/target.ts'
import { paperRules } from './support/paper.ts'

const genesis: Genesis = genesisOf(paperRules(), 1_700_000_000)
const root = genesisEntry(genesis, hashOf(genesis))

function child(parent: BlockEntry, name: string, target: Target = easiestTarget(1), seconds = 10): BlockEntry {
  const block: Block = {
    index: (parent.index + 1) as Height,
    merkle_root: sha256Hex(''),
    previous_hash: parent.hash,
    proof: '0'.repeat(80) as Proof,
    target,
    timestamp: parent.timestamp + seconds,
    transactions: [],
  }
  return entryAfter(parent, block, sha256Hex(name))
}

function chain(from: BlockEntry, name: string, length: number, target?: Target): BlockEntry[] {
  const entries: BlockEntry[] = []
  for (let i = 0; i < length; i++) entries.push(child(entries.at(-1) ?? from, `${name}${i}`, target))
  return entries
}

const last = (entries: readonly BlockEntry[]) => entries.at(-1) as BlockEntry

/** Each number says whose child the next entry is, of those there are; and how hard it is. */
const trees = fc.array(fc.tuple(fc.oneof(fc.nat(3), fc.nat(60)), fc.nat(3)), { maxLength: 60 }).map((shape) => {
  const entries = [root]
  for (const [back, difficulty] of shape) {
    const parent = entries[Math.max(0, entries.length - 1 - back)] as BlockEntry
    entries.push(child(parent, `entry ${entries.length}`, easiestTarget(difficulty)))
  }
  return entries
})

describe('the way from one head to another', () => {
  test('is that of a naive computation, on random trees', async () => {
    await fc.assert(
      fc.asyncProperty(trees, fc.nat(), fc.nat(), async (entries, m, n) => {
        const byHash = new Map(entries.map((entry) => [entry.hash, entry]))
        const ancestry = (entry: BlockEntry | undefined): BlockEntry[] =>
          entry ? [entry, ...ancestry(byHash.get(entry.previousHash as Hash))] : []
        const [from, to] = [entries[m % entries.length], entries[n % entries.length]] as [BlockEntry, BlockEntry]
        const [old, young] = [ancestry(from), ancestry(to)]
        const abandon = old.filter((entry) => !young.includes(entry))
        const adopt = young.filter((entry) => !old.includes(entry)).reverse()

        const asked: Hash[] = []
        const plan = await planReorganisation(from, to, async (hash) => {
          asked.push(hash)
          return byHash.get(hash) as BlockEntry
        })
        expect(plan.abandon).toEqual(abandon)
        expect(plan.adopt).toEqual(adopt)
        expect(plan.fork).toEqual(old.find((entry) => young.includes(entry)))
        // Once for each block on the way: what is below the fork is never asked for.
        const parents = [...abandon, ...adopt].map(({ previousHash }) => previousHash)
        expect(asked.sort()).toEqual(parents.sort())
      }),
      { numRuns: 500 },
    )
  })

  test('by hand', async () => {
    const [a1, a2] = chain(root, 'a', 2) as [BlockEntry, BlockEntry]
    const [b2, b3, b4] = chain(a1, 'b', 3) as [BlockEntry, BlockEntry, BlockEntry]
    const byHash = new Map([root, a1, a2, b2, b3, b4].map((entry) => [entry.hash, entry]))
    const entryOf = async (hash: Hash) => byHash.get(hash) as BlockEntry
    expect(await planReorganisation(a2, b4, entryOf)).toEqual({ fork: a1, abandon: [a2], adopt: [b2, b3, b4] })
    expect(await planReorganisation(b4, a2, entryOf)).toEqual({ fork: a1, abandon: [b4, b3, b2], adopt: [a2] })
    expect(await planReorganisation(a1, b2, entryOf)).toEqual({ fork: a1, abandon: [], adopt: [b2] })
    expect(await planReorganisation(b2, a1, entryOf)).toEqual({ fork: a1, abandon: [b2], adopt: [] })
    expect(await planReorganisation(root, root, entryOf)).toEqual({ fork: root, abandon: [], adopt: [] })
  })

  test('between two chains with different genesis blocks is a bug of the caller', async () => {
    const other = genesisOf(paperRules(), 1_800_000_000)
    const stranger = genesisEntry(other, hashOf(other))
    const entryOf = async () => root
    await expect(planReorganisation(root, stranger, entryOf)).rejects.toThrow(TypeError)
  })

  test('fails as the tree fails', async () => {
    const [a1] = chain(root, 'a', 1) as [BlockEntry]
    const broken = async (): Promise<BlockEntry> => {
      throw new RangeError('the disk is gone')
    }
    await expect(planReorganisation(a1, root, broken)).rejects.toThrow(RangeError)
  })
})

describe('the most work', () => {
  test('is the sum over the chain, genesis included, also past 2^53', () => {
    const hard = 'f'.padStart(64, '0') as Target
    const head = last(chain(root, 'hard', 3, hard))
    expect(head.totalWork).toBe(16n + 3n * 2n ** 252n)
  })

  test('grows with every block, on random trees', () => {
    fc.assert(
      fc.property(trees, (entries) => {
        const byHash = new Map(entries.map((entry) => [entry.hash, entry]))
        for (const entry of entries.slice(1)) {
          const parent = byHash.get(entry.previousHash as Hash) as BlockEntry
          expect(entry.totalWork - parent.totalWork).toBe(workOf(entry.target))
          expect(hasMoreWork(entry, parent)).toBe(true)
          expect(hasMoreWork(parent, entry)).toBe(false)
        }
      }),
    )
  })

  test('on a tie the one seen first stays, from whichever side one looks', () => {
    const [a, b] = [last(chain(root, 'a', 5)), last(chain(root, 'b', 5))]
    expect(hasMoreWork(a, b)).toBe(false)
    expect(hasMoreWork(b, a)).toBe(false)
    expect(hasMoreWork(a, a)).toBe(false)
  })

  test('with one constant target it is the longest chain', () => {
    const [short, long] = [last(chain(root, 'a', 5)), last(chain(root, 'b', 6))]
    expect(hasMoreWork(long, short)).toBe(true)
    expect(hasMoreWork(short, long)).toBe(false)
  })

  test('a short hard chain beats a long easy one', () => {
    const long = last(chain(root, 'easy', 255, easiestTarget(1)))
    const short = last(chain(root, 'hard', 1, easiestTarget(3)))
    expect(long.totalWork).toBe(16n + 255n * 16n)
    expect(short.totalWork).toBe(16n + 4096n)
    expect(hasMoreWork(short, long)).toBe(true)
    expect(hasMoreWork(long, short)).toBe(false)
    expect(hasMoreWork(last(chain(root, 'easy', 257, easiestTarget(1))), short)).toBe(true)
  })

  test('one step of the target decides', () => {
    const target = '00ff'.padEnd(64, '0') as Target
    const harder = '00fe'.padEnd(64, '0') as Target
    expect(hasMoreWork(child(root, 'a', harder), child(root, 'b', target))).toBe(true)
  })
})

describe('entries', () => {
  test('genesis has no solve time, and others have the seconds after their parent', () => {
    expect(root.solveTime).toBeUndefined()
    expect(root.totalWork).toBe(16n)
    expect(root.previousHash).toBe('1')
    expect(root.index).toBe(1)
    const entry = child(root, 'a', easiestTarget(1), 0)
    expect(entry.solveTime).toBe(0)
    expect(child(entry, 'b', easiestTarget(1), 4000).solveTime).toBe(4000)
    expect(entry).toMatchObject({ index: 2, previousHash: root.hash, timestamp: root.timestamp, hash: sha256Hex('a') })
  })
})
