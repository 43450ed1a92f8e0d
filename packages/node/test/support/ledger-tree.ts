/** Random block trees for fast-check: a recipe that shrinks, and the blocks that it describes. */
import { type ChainRules, hasMoreWork } from '@bc/core'
import fc from 'fast-check'
import { type BlockRecipe, genesisSite, newest, PEOPLE, type Recipe, type Site, withBlock } from './ledger-blocks.ts'

/** A branch from somewhere below the newest block of all; the first one starts at genesis. */
interface BranchRecipe {
  /** How far below the newest block it forks off. */
  readonly back: number
  readonly blocks: readonly BlockRecipe[]
}

export type TreeRecipe = readonly BranchRecipe[]

/** Few different payments: often two branches have the very same one, and often two of the same nonce. */
const payment: fc.Arbitrary<Recipe> = fc
  .tuple(fc.nat(2), fc.constantFrom(1, 1, 1, 4))
  .map(([from, by]) => ({ from, to: (from + by) % PEOPLE.length, amount: 10 * by, fee: by - 1 }))

const block: fc.Arbitrary<BlockRecipe> = fc.record(
  {
    payments: fc.oneof(fc.array(payment, { maxLength: 4 }), fc.constant([])),
    after: fc.constantFrom(0, 1, 5, 10, 30),
    rewardTo: fc.integer({ min: 200, max: 205 }),
  },
  { requiredKeys: ['payments', 'after'] },
)

const branch: fc.Arbitrary<BranchRecipe> = fc.record({
  back: fc.oneof(fc.nat(3), fc.nat(40)),
  blocks: fc.oneof(
    fc.array(block, { minLength: 1, maxLength: 5 }),
    fc.array(block, { minLength: 20, maxLength: 45, size: 'max' }),
  ),
})

/** @param most blocks beside genesis: what goes beyond is left out */
export function treeRecipe(most: number): fc.Arbitrary<TreeRecipe> {
  return fc.array(branch, { minLength: 1, maxLength: 8, size: 'max' }).map((branches) => atMost(most, branches))
}

function atMost(most: number, branches: TreeRecipe): TreeRecipe {
  let left = most
  return branches.flatMap(({ back, blocks }) => {
    const kept = blocks.slice(0, left)
    left -= kept.length
    return kept.length > 0 ? { back, blocks: kept } : []
  })
}

export interface Tree {
  /** Every block once, each after its parent. */
  readonly texts: readonly string[]
  /** Of the best branch. */
  readonly mostWork: bigint
}

export function blocksOf(tree: TreeRecipe, rules: ChainRules): Tree {
  let trunk: Site[] = [genesisSite(rules)]
  let best = trunk[0] as Site
  const texts = new Set<string>()
  for (const { back, blocks } of tree) {
    trunk = trunk.slice(0, Math.max(1, trunk.length - back))
    for (const recipe of blocks) {
      const site = withBlock(trunk.at(-1) as Site, recipe)
      trunk.push(site)
      texts.add(newest(site))
      if (hasMoreWork(site.parent, best.parent)) best = site
    }
  }
  return { texts: [...texts], mostWork: best.parent.totalWork }
}
