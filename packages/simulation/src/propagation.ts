/**
 * How fast a block reaches everybody, and how many blocks are found in vain because it takes a while.
 *
 * While a block is on its way, somebody who hasn't got it may find another one: one of the two is stale in the end. With
 * blocks found at random every T seconds, and D seconds that a block needs to reach the average miner, that befalls
 * 1 − e^(−D/T) of them (Decker, Wattenhofer: Information Propagation in the Bitcoin Network, 2013).
 */
import { type Amount, type Hash, MAX_BLOCK_BYTES } from '@bc/core'
import type { Chain, PeerId } from '@bc/node/parts'
import { sharedCurve } from './curve.ts'
import { SharedValues } from './disk.ts'
import { purseOf } from './purses.ts'
import type { Scenario } from './scenario.ts'
import { World } from './world.ts'

export interface PropagationOptions {
  readonly nodes: number
  readonly seed: number
  /** Blocks to be found. */
  readonly blocks: number
  /** Seconds from block to block. */
  readonly interval: number
}

export interface PropagationResult {
  readonly interval: number
  readonly blocks: number
  /** Seconds from the finding of a block to its arrival, over all blocks and all other nodes. */
  readonly mean: number
  readonly p50: number
  readonly p95: number
  /** Share of the blocks that aren't on the main chain in the end. */
  readonly stale: number
  /** 1 − e^(−mean/interval) */
  readonly expected: number
}

/** Until all links are up, and until the last block is everywhere. */
const CONNECTING_MS = 15_000
const REST_MS = 60_000

export async function measurePropagation(options: PropagationOptions): Promise<PropagationResult> {
  const arrivals = new Arrivals()
  const world = makeWorld(options, arrivals)
  arrivals.now = () => world.clock.now()
  await world.clock.runUntil(run(world, options.blocks))
  if (world.faults.length > 0) throw world.faults[0]
  const { mean, p50, p95 } = arrivals.delays()
  const stale = (world.mined - mainChainLength(world)) / world.mined
  const { interval } = options
  return { interval, blocks: world.mined, mean, p50, p95, stale, expected: expectedStale(mean, interval) }
}

export function expectedStale(delay: number, interval: number): number {
  return 1 - Math.exp(-delay / interval)
}

async function run(world: World, blocks: number): Promise<void> {
  await world.start()
  await world.clock.sleep(CONNECTING_MS)
  world.startBusiness()
  while (world.mined < blocks) await world.clock.sleep(100 * world.scenario.blockSeconds)
  world.stopBusiness()
  await world.clock.sleep(REST_MS)
}

/** Without genesis. */
function mainChainLength({ nodes }: World): number {
  return (nodes[0]?.running?.chain.head.index ?? 1) - 1
}

function makeWorld({ nodes, seed, interval }: PropagationOptions, arrivals: Arrivals): World {
  return new World({
    seed: `propagation ${seed}`,
    scenario: scenarioOf(nodes, interval),
    curve: sharedCurve(),
    purses: { miners: [purseOf('miner 0')], payers: [] },
    sharedValues: new SharedValues(),
    onChain: (name, chain) => arrivals.watch(name, chain),
    onHead: ({ name }, { adopted }) => {
      for (const { entry } of adopted) arrivals.note(name, entry.hash)
    },
  })
}

/** Empty blocks, honest nodes, a network without faults: nothing is measured but delay. */
function scenarioOf(nodes: number, interval: number): Scenario {
  return {
    nodes,
    blockSeconds: interval,
    paymentSeconds: Number.POSITIVE_INFINITY,
    rules: {
      allocations: {},
      blockTime: 0,
      halfLife: 0,
      difficulty: 0,
      maxBlockBytes: MAX_BLOCK_BYTES,
      miningReward: 50 as Amount,
    },
    medium: { degree: 8, delayMs: 100, loss: 0, stall: 0 },
    restartSeconds: Number.POSITIVE_INFINITY,
    cutSeconds: Number.POSITIVE_INFINITY,
    skews: [],
    shares: Array.from({ length: nodes }, () => 1),
    divisions: [],
  }
}

/** When each node first had each block. */
export class Arrivals {
  /** Virtual milliseconds. */
  now: () => number = () => 0
  /** The first to have a block is who has found it. */
  private readonly times = new Map<Hash, Map<PeerId, number>>()

  /** Listens in on what comes from the network. */
  watch(name: PeerId, chain: Chain): void {
    const inside = chain.import.bind(chain)
    chain.import = async (block, options) => {
      const outcome = await inside(block, options)
      if (outcome.kind === 'head' || outcome.kind === 'beside') this.note(name, outcome.entry.hash)
      return outcome
    }
  }

  note(name: PeerId, hash: Hash): void {
    const times = this.times.get(hash) ?? new Map<PeerId, number>()
    this.times.set(hash, times)
    if (!times.has(name)) times.set(name, this.now())
  }

  /** Seconds. */
  delays(): { readonly mean: number; readonly p50: number; readonly p95: number } {
    const all = [...this.times.values()].flatMap((times) => delaysOf([...times.values()]))
    const sorted = Float64Array.from(all).sort()
    const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
    return { mean: all.reduce((sum, one) => sum + one, 0) / all.length, p50: quantile(0.5), p95: quantile(0.95) }
  }
}

function delaysOf([found = 0, ...others]: readonly number[]): number[] {
  return others.map((at) => (at - found) / 1000)
}
