/** What a seed stands for: how large, how bad a network, how deep a division. */
import { type Address, type Amount, type ChainRules, MAX_BLOCK_BYTES } from '@bc/core'
import type { MediumOptions } from './medium.ts'
import type { Random } from './random.ts'

export interface Scenario {
  readonly nodes: number
  readonly rules: ChainRules
  readonly medium: MediumOptions
  /** Seconds from block to block, of the whole network. */
  readonly blockSeconds: number
  /** Seconds from payment to payment. */
  readonly paymentSeconds: number
  /** Seconds from restart to restart, and from cut wire to cut wire. */
  readonly restartSeconds: number
  readonly cutSeconds: number
  /** Seconds that each node's clock is ahead. */
  readonly skews: readonly number[]
  /** Each node's share of the hash power, in no particular unit. */
  readonly shares: readonly number[]
  /** Divisions, one after the other: how many blocks the weaker part shall have found before it is over. */
  readonly divisions: readonly Division[]
}

export interface Division {
  readonly parts: number
  readonly depth: number
  readonly silent: boolean
  /** The parts have the same hash power; otherwise as it happens. */
  readonly even: boolean
}

/** Of so many seeds one has a reorganisation of hundreds of blocks, and so many more than those one of dozens. */
const DEEP_EVERY = 20
const MIDDLING_EVERY = 5
const DEEPEST = 500

export interface ScenarioOptions {
  readonly nodes: number
  /** Depth of all divisions, instead of the seed's own. */
  readonly depth?: number
}

/** @param payers who shall have coins from the beginning */
export function scenarioOf(
  seed: number,
  { nodes, depth }: ScenarioOptions,
  payers: readonly Address[],
  random: Random,
): Scenario {
  const deep = seed % DEEP_EVERY === 0
  const blockSeconds = deep ? 2 : random.whole(3, 12)
  const divisions = divisionsOf(seed, random)
  return {
    nodes,
    blockSeconds,
    paymentSeconds: random.between(3, 12),
    rules: rulesOf(random, deep ? 0 : blockSeconds, payers),
    medium: {
      degree: random.between(3, 7),
      delayMs: random.between(20, 400),
      loss: random.pick([0, 0.02, 0.1, 0.3]),
      stall: random.pick([0, 0, 0.005, 0.02]),
    },
    restartSeconds: random.pick([20, 40, 120]),
    cutSeconds: random.pick([20, 60, 300]),
    skews: skewsOf(nodes, random),
    shares: Array.from({ length: nodes }, (_, i) => sharesOf(i, random)),
    divisions: depth === undefined ? divisions : divisions.map((division) => ({ ...division, depth })),
  }
}

function divisionsOf(seed: number, random: Random): Division[] {
  const silent = () => random.chance(0.5)
  if (seed % DEEP_EVERY === 0)
    return [{ parts: 2, depth: random.whole(0.7 * DEEPEST, DEEPEST), silent: silent(), even: true }]
  if (seed % MIDDLING_EVERY === 0)
    return [
      { parts: 2, depth: random.whole(20, 100), silent: silent(), even: true },
      { parts: 2, depth: random.whole(1, 10), silent: silent(), even: false },
    ]
  return Array.from({ length: random.whole(1, 3) }, () => ({
    parts: random.whole(2, 4),
    depth: random.whole(1, 15),
    silent: silent(),
    even: random.chance(0.5),
  }))
}

/** @param blockSeconds 0 for a constant target */
function rulesOf(random: Random, blockSeconds: number, payers: readonly Address[]): ChainRules {
  const moving = blockSeconds > 0 && random.chance(0.25)
  return {
    allocations: Object.fromEntries(payers.map((payer) => [payer, 1_000_000 as Amount])),
    blockTime: moving ? blockSeconds : 0,
    halfLife: moving ? 60 * blockSeconds : 0,
    difficulty: random.pick([0, 1]),
    maxBlockBytes: random.pick([MAX_BLOCK_BYTES, MAX_BLOCK_BYTES, 4_000]),
    miningReward: 50 as Amount,
  }
}

/** Most clocks are a little off, some are off by more than a block may be ahead. */
function skewsOf(nodes: number, random: Random): number[] {
  const wrong = random.chance(0.2)
  return Array.from({ length: nodes }, () =>
    wrong && random.chance(0.15) ? random.between(-150, 150) : random.between(-2, 2),
  )
}

/** A few that have much, many that have little, some that mine nothing. */
function sharesOf(i: number, random: Random): number {
  return i > 0 && random.chance(0.2) ? 0 : random.logNormal(1, 0.8)
}
