/** One seed, from its beginning to the judgement. */
import { findFaults } from './checker.ts'
import { sharedCurve } from './curve.ts'
import type { OnChain } from './node.ts'
import { play } from './play.ts'
import { purseOf } from './purses.ts'
import { Random } from './random.ts'
import { type ScenarioOptions, scenarioOf } from './scenario.ts'
import { World } from './world.ts'

export interface SimulationOptions extends ScenarioOptions {
  readonly seed: number
  readonly keepLog?: boolean
  /** Where the checker is tested: what is put into a node's chain, and what happens before the judgement. */
  readonly onChain?: OnChain
  readonly beforeJudgement?: (world: World) => Promise<void>
}

export interface Outcome {
  readonly seed: number
  /** Nothing where all is well. */
  readonly faults: readonly string[]
  readonly height: number
  readonly mined: number
  readonly reorganisations: number
  /** Blocks that the deepest reorganisation has abandoned. */
  readonly deepest: number
  readonly payments: number
  readonly virtualSeconds: number
  readonly events: number
  /** Of the log: the same for the same seed. */
  readonly fingerprint: string
  readonly log: readonly string[] | undefined
}

const PAYERS = 6

const payers = Array.from({ length: PAYERS }, (_, i) => purseOf(`payer ${i}`))

export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const { seed, nodes, keepLog = false, onChain, beforeJudgement } = options
  const addresses = payers.map(({ address }) => address)
  const scenario = scenarioOf(seed, options, addresses, new Random(`${seed} scenario`))
  const world = new World({
    seed: String(seed),
    scenario,
    curve: sharedCurve(),
    purses: { miners: Array.from({ length: nodes }, (_, i) => purseOf(`miner ${i}`)), payers },
    keepLog,
    ...(onChain && { onChain }),
  })
  await world.clock.runUntil(play(world)).catch((error) => world.fault(`the run has ended early: ${error.stack}`))
  await beforeJudgement?.(world)
  const faults = [...world.faults.map(({ message }) => message), ...(await findFaults(world, addresses))]
  return {
    seed,
    faults,
    height: world.nodes[0]?.running?.chain.head.index ?? 0,
    mined: world.mined,
    reorganisations: world.reorganisations,
    deepest: world.deepest,
    payments: world.payments.accepted.length,
    virtualSeconds: world.clock.now() / 1000,
    events: world.journal.length,
    fingerprint: world.journal.fingerprint(),
    log: world.journal.lines,
  }
}
