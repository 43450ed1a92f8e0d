/** Everything that a run is made of: nodes on a network, who mine and pay under virtual time. */
import { createHash } from 'node:crypto'
import { genesisOf, hashOf } from '@bc/core'
import type { HeadChange } from '@bc/node/parts'
import type { Curve } from '@bc/node/signatures'
import { VirtualClock } from './clock.ts'
import { Disk, type SharedValues } from './disk.ts'
import { Journal } from './journal.ts'
import { Medium } from './medium.ts'
import { type OnChain, SimulatedNode } from './node.ts'
import { Payments } from './payments.ts'
import type { Purse } from './purses.ts'
import { Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import type { SimulatedTransport } from './transport.ts'

const GENESIS_TIME = 1_700_000_000

export interface WorldOptions {
  /** All chance follows from it. */
  readonly seed: string
  readonly scenario: Scenario
  readonly curve: Curve
  readonly purses: { readonly miners: readonly Purse[]; readonly payers: readonly Purse[] }
  readonly keepLog?: boolean
  readonly sharedValues?: SharedValues
  readonly onChain?: OnChain
  readonly onHead?: (node: SimulatedNode, change: HeadChange) => void
}

/** Something happened that no network, however bad, excuses. */
class Fault extends Error {
  override readonly name = 'Fault'
}

export class World {
  readonly clock = new VirtualClock()
  readonly journal: Journal
  readonly medium: Medium<SimulatedTransport>
  readonly nodes: readonly SimulatedNode[]
  readonly payments: Payments
  readonly scenario: Scenario
  /** Whatever went wrong while it ran. */
  readonly faults: Fault[] = []
  /** Blocks that the deepest reorganisation has abandoned, and how many reorganisations there were. */
  deepest = 0
  reorganisations = 0
  mined = 0
  private readonly seed: string
  private busy = true

  constructor(options: WorldOptions) {
    const { scenario, purses } = options
    this.seed = options.seed
    this.scenario = scenario
    this.journal = new Journal(() => this.clock.now(), options.keepLog ?? false)
    const { clock, journal } = this
    const names = Array.from({ length: scenario.nodes }, (_, i) => `n${String(i).padStart(3, '0')}`)
    this.medium = new Medium(names, scenario.medium, { clock, journal, random: this.random('medium') })
    const genesis = genesisOf(scenario.rules, GENESIS_TIME)
    const modules = {
      clock,
      journal,
      medium: this.medium,
      curve: options.curve,
      genesis,
      nameOf,
      onHead: (node: SimulatedNode, change: HeadChange) => {
        this.count(change)
        options.onHead?.(node, change)
      },
      onFault: (node: SimulatedNode, what: string) => this.fault(`${node.name}: ${what}`),
      ...(options.onChain && { onChain: options.onChain }),
    }
    this.nodes = names.map((name, i) => {
      const purse = purses.miners[i % purses.miners.length] as Purse
      return new SimulatedNode(
        { name, purse, disk: new Disk(options.sharedValues), skew: scenario.skews[i] ?? 0 },
        modules,
      )
    })
    this.payments = new Payments([...purses.payers, ...purses.miners], hashOf(genesis), this.random('payments'))
  }

  /** A source of chance for one purpose. */
  random(purpose: string): Random {
    return new Random(`${this.seed} ${purpose}`)
  }

  fault(what: string): void {
    this.journal.write('world', `FAULT ${what}`)
    this.faults.push(new Fault(what))
  }

  async start(): Promise<void> {
    for (const node of this.nodes) await node.start()
  }

  /** From now on blocks are found and payments made, by chance. */
  startBusiness(): void {
    for (const [i, node] of this.nodes.entries()) this.mineAt(node, this.scenario.shares[i] ?? 0)
    this.pay(this.random('payment times'), this.random('payment places'))
  }

  stopBusiness(): void {
    this.busy = false
  }

  /** Finds one block at a node. */
  mineOne(node: SimulatedNode): void {
    this.mined++
    // A node that is killed in the midst of it never answers: nobody waits for that.
    node.mine().catch((error) => this.fault(`${node.name} can't mine: ${error.stack}`))
  }

  private mineAt(node: SimulatedNode, share: number): void {
    if (share === 0) return
    const random = this.random(`miner ${node.name}`)
    const all = this.scenario.shares.reduce((sum, one) => sum + one, 0)
    const mean = (1000 * this.scenario.blockSeconds * all) / share
    const next = () => {
      this.clock.after(random.exponential(mean), () => {
        if (!this.busy) return false
        next()
        if (node.running) this.mineOne(node)
        return node.running !== undefined
      })
    }
    next()
  }

  private pay(times: Random, places: Random): void {
    this.clock.after(times.exponential(1000 * this.scenario.paymentSeconds), () => {
      if (!this.busy) return false
      this.pay(times, places)
      const node = places.pick(this.nodes)
      this.payments.payAt(node).catch((error) => this.fault(`nobody can pay at ${node.name}: ${error.stack}`))
      return true
    })
  }

  private count({ abandoned }: HeadChange): void {
    if (abandoned.length === 0) return
    this.reorganisations++
    this.deepest = Math.max(this.deepest, abandoned.length)
  }
}

function nameOf(message: Uint8Array): string {
  return createHash('sha256').update(message).digest('hex')
}
