/**
 * The block generator, in the manner of btcd's fullblocktests: good chains, and for every way of being wrong a block
 * that is wrong in this way first. A bad block is signed, committed and mined again after its fault was put in, so that
 * nothing but the rule it is about keeps it out.
 *
 * Every door through which blocks come in can be held against the same table: hand it the parent chain, then the bad
 * block, which it must refuse with the code, then the good one, which it must still take.
 */
import type { ChainRules, Hash, RuleCode } from '@bc/core'
import { BLOCK_FAULTS } from './faults/block.ts'
import type { Fault } from './faults/fault.ts'
import { MESSAGE_FAULTS } from './faults/message.ts'
import { PAIRS } from './faults/pairs.ts'
import { REWARD_FAULTS } from './faults/reward.ts'
import { TRANSACTION_FAULTS } from './faults/transaction.ts'
import { GOODS } from './goods.ts'
import { alice, blockOn, bob, carol, dave, extended, miner, nonceOf, pay, type Site, siteAtGenesis } from './site.ts'

export { type Validated, validateAlone } from './validate-alone.ts'

/** What a node must be configured with to be on the chain. */
interface OnChain {
  readonly rules: ChainRules
  /** The genesis block's timestamp. */
  readonly timestamp: number
  /** The genesis block's hash. */
  readonly chain: Hash
  /** The canonical JSON of every block before the one in question, genesis first. Cases of one chain share one list. */
  readonly parentChain: readonly string[]
}

export interface BadCase extends OnChain {
  readonly name: string
  readonly code: RuleCode
  /** Refused with this code, whatever else is wrong with it. */
  readonly bad: string
  /** Accepted in its place; undefined where nothing can follow the parent. */
  readonly good: string | undefined
  /** Which transaction of the block the refusal speaks of, where it does. */
  readonly position?: number
  readonly says?: RegExp
}

export interface GoodCase extends OnChain {
  readonly name: string
  readonly good: string
  /** Good for the chain, and to be kept for later by a node whose clock is right. */
  readonly fromTheFuture: boolean
}

/** The table: one fault each, then two at once. */
export const FAULTS: readonly Fault[] = [...MESSAGE_FAULTS, ...BLOCK_FAULTS, ...REWARD_FAULTS, ...TRANSACTION_FAULTS]

export { PAIRS }

const GENESIS_TIME = 1_700_000_000
const MAX = 2 ** 53 - 1

function rulesOf(changed: Partial<ChainRules>): ChainRules {
  const allocations = { [alice.address]: 1000, [bob.address]: 500 }
  const usual = { allocations, blockTime: 0, difficulty: 1, halfLife: 0, maxBlockBytes: 5000, miningReward: 50 }
  return { ...usual, ...changed } as ChainRules
}

let built: { readonly constant: Site; readonly moving: Site; readonly brim: readonly [Site, Site] } | undefined

/** The good chains, made once. */
export function sites() {
  built ??= {
    constant: withHistory(siteAtGenesis('constant', rulesOf({}), GENESIS_TIME)),
    moving: withHistory(
      siteAtGenesis('moving', rulesOf({ blockTime: 10, halfLife: 20, maxBlockBytes: 1_000_000 }), GENESIS_TIME),
    ),
    brim: brim(),
  }
  return built
}

/** Blocks 2 … 5, two of them with transfers; three come quickly, so that a moving target has moved well away. */
function withHistory(genesis: Site): Site {
  const after = (seconds: number, site: Site) => ({ timestamp: site.parent.timestamp + seconds })
  const second = extended(genesis, { fields: after(3, genesis), transfers: () => [] })
  const third = extended(second, {
    fields: after(25, second),
    transfers: () => [
      pay(second, alice, bob, 100, 2, { memo: '发票 42 — 🧾' }),
      pay(second, bob, carol, 30, 1),
      pay(second, alice, alice, 7, 1, { nonce: nonceOf(second, alice) + 1 }),
    ],
  })
  const fourth = extended(third, {
    fields: after(0, third),
    transfers: () => [pay(third, miner, dave, 40, 3, { memo: '\u007f' }), pay(third, carol, alice, 5, 0)],
    reward: (right) => ({ ...right, recipient: alice.address }),
  })
  return extended(fourth, { fields: after(1, fourth) })
}

/** A supply that reaches 2^53-1 with block 4: the sites of block 4, the last, and of block 5, which can't be. */
function brim(): readonly [Site, Site] {
  const rules = rulesOf({ allocations: { [alice.address]: MAX - 151, [bob.address]: 1 } as ChainRules['allocations'] })
  let site = siteAtGenesis('brim', rules, GENESIS_TIME)
  for (let index = 2; index <= 3; index++) site = extended(site, { transfers: () => [] })
  return [site, extended(site, { transfers: () => [] })]
}

function onChain({ rules, timestamp, chain, texts }: Site): OnChain {
  return { rules, timestamp, chain, parentChain: texts }
}

export interface Selection {
  /** Also two faults at once, which is about 250 blocks more. */
  readonly pairs?: boolean
}

/** Every bad block with the good one that takes its place. */
export function* badCases({ pairs = true }: Selection = {}): Generator<BadCase> {
  const { constant, moving } = sites()
  for (const site of [constant, moving]) {
    const good = blockOn(site)
    for (const fault of pairs ? [...FAULTS, ...PAIRS] : FAULTS)
      if (fault.only === undefined || fault.only === site.name) yield badCase(fault, site, good)
  }
  yield* atTheBrim()
}

function badCase({ name, code, position, says, make }: Fault, site: Site, good: string | undefined): BadCase {
  const bad = blockOn(site, make(site))
  const speaksOf = { ...(position !== undefined && { position }), ...(says && { says }) }
  return { ...onChain(site), name: `${code}, ${site.name} target: ${name}`, code, bad, good, ...speaksOf }
}

function* atTheBrim(): Generator<BadCase> {
  const [last, none] = sites().brim
  const supply = { ...onChain(last), code: 'block.reward' } as const
  const tooMuch = blockOn(last, { transfers: () => [], reward: (right) => ({ ...right, amount: 51 }) })
  yield { ...supply, name: 'block.reward: 1 more than there can be', bad: tooMuch, good: blockOn(last) }
  const beyond = blockOn(none, { transfers: () => [] })
  yield { ...supply, ...onChain(none), name: 'block.reward: a reward past 2^53-1', bad: beyond, good: undefined }
}

/** Every block at the edge of what is allowed. */
export function* goodCases(): Generator<GoodCase> {
  const { constant, moving, brim } = sites()
  for (const site of [constant, moving])
    for (const { name, make, only, fromTheFuture = false } of GOODS)
      if (only === undefined || only === site.name)
        yield { ...onChain(site), name: `${site.name} target: ${name}`, good: blockOn(site, make(site)), fromTheFuture }
  yield {
    ...onChain(brim[0]),
    name: 'the last reward there can be',
    good: blockOn(brim[0], { transfers: () => [] }),
    fromTheFuture: false,
  }
}
