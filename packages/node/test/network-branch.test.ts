/** A peer's branch by its headers: how long it is matters to nobody, and what it shows twice must be the same. */
import { type Address, type BlockEntry, type Hash, headerOfEntry } from '@bc/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { MOST_HEADERS } from '../src/network/messages.ts'
import { Branch, type BranchModules } from '../src/network/sync/branch.ts'
import { machineTime } from '../src/network/time.ts'
import { ALICE, BOB } from './support/http-node.ts'
import { minedOn, openParts, type Parts } from './support/http-parts.ts'

let parts: Parts
/** Two branches of which memory keeps no whole one. */
let long: BlockEntry[]
let other: BlockEntry[]

beforeAll(async () => {
  parts = await openParts()
  const grown = (to: Address) => {
    const entries: BlockEntry[] = []
    for (let parent = parts.chain.head; entries.length < 5_500; parent = entries.at(-1) as BlockEntry)
      entries.push(minedOn(parts, parent, { to, now: parent.timestamp + 1 }).entry)
    return entries
  }
  long = grown(ALICE.address)
  other = grown(BOB.address)
}, 60_000)

interface Talk {
  /** The work of our own chain, in blocks. */
  readonly ours: number
  /** Its chain at the time of each question, the last one from then on. */
  readonly chains: readonly (readonly BlockEntry[])[]
  /** What it claims, in blocks. */
  readonly claimed?: number
  /** How many of its blocks have a time that isn't the future to us. */
  readonly due?: number
}

function branchOf({ ours, chains, claimed = chains[0]?.length ?? 0, due }: Talk) {
  const { chain, store } = parts
  const each = (long[0] as BlockEntry).totalWork - chain.head.totalWork
  const workOf = (blocks: number) => chain.head.totalWork + BigInt(blocks) * each
  const now = due === undefined ? Number.POSITIVE_INFINITY : (long[due - 1] as BlockEntry).timestamp
  const ahead: BlockEntry[] = []
  let asked = 0
  const headers = async (_: string, locator: readonly Hash[]) => {
    const current = chains[Math.min(asked++, chains.length - 1)] as readonly BlockEntry[]
    const from = locator.map((hash) => current.findIndex((entry) => entry.hash === hash) + 1).find((at) => at > 0) ?? 0
    const some = current.slice(from, from + MOST_HEADERS)
    return { headers: some.map(headerOfEntry), tip: some.at(-1)?.hash }
  }
  const modules = {
    chain: {
      rules: chain.rules,
      head: { index: 1, totalWork: workOf(ours) },
      isEarly: ({ timestamp }: BlockEntry) => timestamp > now,
    },
    ...{ store, conversations: { headers }, time: machineTime, onAhead: (newest: BlockEntry) => ahead.push(newest) },
  } as unknown as BranchModules
  const status = { height: claimed + 1, tip: chains[0]?.at(-1)?.hash as Hash, work: workOf(claimed) }
  const branch = new Branch(modules, 'peer', status, new AbortController().signal)
  return { branch, workOf, asked: () => asked, ahead }
}

async function all(branch: Branch): Promise<BlockEntry[]> {
  const found: BlockEntry[] = []
  for await (const entries of branch.entries()) {
    expect(entries.length).toBeLessThanOrEqual(3 * MOST_HEADERS)
    found.push(...entries)
  }
  return found
}

describe('a branch that has more work than ours', () => {
  it.each([
    [0, 6],
    [1_500, 6],
    [5_200, 12],
    [5_499, 12],
  ])('is handed on whole, where ours has %i blocks: %i answers', async (ours, answers) => {
    const { branch, workOf, asked } = branchOf({ ours, chains: [long] })
    expect(await branch.lead()).toBe(workOf(Math.min(5_500, 1_000 * (Math.floor(ours / 1_000) + 1))))
    expect(await all(branch)).toEqual(long)
    expect(asked()).toBe(answers)
  })

  it('may give way to another one while it is told', async () => {
    const { branch, workOf } = branchOf({ ours: 5_200, chains: [long, long, long, other] })
    expect(await branch.lead()).toBe(workOf(5_500))
    expect(await all(branch)).toEqual(other)
  })

  it('is refused where its headers are others the second time', async () => {
    const { branch, workOf } = branchOf({ ours: 5_200, chains: [long, long, long, long, long, long, other] })
    expect(await branch.lead()).toBe(workOf(5_500))
    await expect(all(branch)).rejects.toMatchObject({ fault: 'withheld' })
  })
})

describe('a branch that goes on in the future', () => {
  it('is handed on as far as its time has come, where that has more work than ours', async () => {
    const { branch, workOf, ahead } = branchOf({ ours: 5_100, chains: [long], due: 5_200 })
    expect(await branch.lead()).toBe(workOf(5_200))
    expect(await all(branch)).toEqual(long.slice(0, 5_200))
    expect(new Set(ahead)).toEqual(new Set([long.at(-1)]))
  })

  it('is refused where it is long, and all of it has less work than ours', async () => {
    const { branch, ahead } = branchOf({ ours: 5_600, chains: [long], claimed: 6_000, due: 5_200 })
    await expect(branch.lead()).rejects.toMatchObject({ fault: 'withheld' })
    expect(ahead).toEqual([])
  })

  it('is of no use yet where that has less, and is told of', async () => {
    const { branch, ahead } = branchOf({ ours: 5_300, chains: [long], due: 5_200 })
    expect(await branch.lead()).toBeUndefined()
    expect(ahead).toEqual([long.at(-1)])
  })
})

it.each([
  [5_400, 5_500],
  [2_000, 6_000],
])('%i blocks where %i were spoken of: less work than claimed', async (has, claimed) => {
  const { branch } = branchOf({ ours: 5_450, chains: [long.slice(0, has)], claimed })
  await expect(branch.lead()).rejects.toMatchObject({ fault: 'withheld' })
})
