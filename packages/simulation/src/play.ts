/**
 * The course of a run: a network that starts, is divided again and again while nodes come and go, heals, and is left in
 * peace until all agree.
 */
import type { PeerId } from '@bc/node/parts'
import type { SimulatedNode } from './node.ts'
import type { Random } from './random.ts'
import type { Division } from './scenario.ts'
import type { World } from './world.ts'

const LOOK_MS = 1_000
/** Longer than a ban, after which the last ones find each other again. */
const PATIENCE_MS = 30 * 60_000
/** For what is on its way, and one more question to every peer. */
const REST_MS = 60_000

export async function play(world: World): Promise<void> {
  const { clock } = world
  const random = world.random('course')
  await world.start()
  world.startBusiness()
  const trouble = new Trouble(world)
  trouble.start()
  await clock.sleep(random.between(10_000, 40_000))
  for (const division of world.scenario.divisions) {
    await divide(world, division, random)
    await clock.sleep(random.between(5_000, 60_000))
  }
  await trouble.end()
  world.journal.write('world', 'is left in peace')
  await clock.sleep(random.between(20_000, 60_000))
  world.stopBusiness()
  await clock.sleep(REST_MS)
  await agree(world)
  // So that whatever has come with the last block is settled everywhere.
  await clock.sleep(REST_MS)
}

/** Nodes that restart and wires that are cut, at random. */
class Trouble {
  private readonly world: World
  private readonly random: Random
  private over = false

  constructor(world: World) {
    this.world = world
    this.random = world.random('trouble')
  }

  start(): void {
    const { restartSeconds, cutSeconds } = this.world.scenario
    this.everySoOften(1000 * restartSeconds, () => this.restartOne())
    this.everySoOften(1000 * cutSeconds, () => this.world.medium.cutOne(this.random.between(1_000, 90_000)))
  }

  /** No more of it; whoever is down starts again. */
  async end(): Promise<void> {
    this.over = true
    for (const node of this.world.nodes) {
      // One that shall be killed at its next write is spared.
      node.spare()
      if (node.running === undefined) await node.start()
    }
  }

  private everySoOften(meanMs: number, what: () => void): void {
    this.world.clock.after(this.random.exponential(meanMs), () => {
      if (this.over) return false
      this.everySoOften(meanMs, what)
      what()
      return true
    })
  }

  private restartOne(): void {
    const { random, world } = this
    const node = random.pick(world.nodes)
    if (node.running === undefined) return
    node.spare()
    const way = random.whole(0, 3)
    if (way === 0) node.stop().catch((error) => world.fault(`${node.name} can't stop: ${error.stack}`))
    if (way === 1) node.kill()
    if (way === 2) node.killSoon(random.whole(0, 3))
    if (way === 3) node.killSoon('reorganisation')
    world.clock.after(random.between(1_000, 120_000), () => this.bringBack(node))
  }

  private bringBack(node: SimulatedNode): boolean {
    if (this.over) return false
    // One that has nothing to write lives on, and is no longer to be killed.
    node.spare()
    if (node.running === undefined)
      node.start().catch((error) => this.world.fault(`${node.name} can't start: ${error.stack}`))
    return true
  }
}

/** Lasts until the weaker parts have found enough, or one has found far more than that. */
async function divide(world: World, { parts, depth, silent, even }: Division, random: Random): Promise<void> {
  const sides = sidesOf(world, parts, even, random)
  const groups = Array.from({ length: parts }, (_, side) =>
    world.nodes.filter(({ name }) => sides.get(name) === side).map(({ name }) => name),
  )
  world.journal.write(
    'world',
    `is divided${silent ? ' silently' : ''}: ${groups.map((one) => one.join(' ')).join(' | ')}`,
  )
  world.medium.divide(sides, silent)
  const from = heightOf(world.nodes)
  for (;;) {
    await world.clock.sleep(LOOK_MS)
    const found = groups.map((group) => heightOf(world.nodes.filter(({ name }) => group.includes(name))) - from)
    const [second = 0] = found.sort((a, b) => b - a).slice(1)
    if (second >= depth || (found[0] ?? 0) >= 2 * depth + 10) break
  }
  world.journal.write('world', 'is whole again')
  world.medium.unite()
}

/** Every part has somebody in it. */
function sidesOf({ nodes, scenario }: World, parts: number, even: boolean, random: Random): Map<PeerId, number> {
  const power = Array.from({ length: parts }, () => 0)
  const sides = new Map<PeerId, number>()
  for (const [i, at] of random.shuffled([...nodes.keys()]).entries()) {
    const weakest = power.indexOf(Math.min(...power))
    const side = i < parts ? i : even ? weakest : random.whole(0, parts - 1)
    power[side] = (power[side] ?? 0) + (scenario.shares[at] ?? 0)
    sides.set((nodes[at] as SimulatedNode).name, side)
  }
  return sides
}

function heightOf(nodes: readonly SimulatedNode[]): number {
  return Math.max(0, ...nodes.map(({ running }) => running?.chain.head.index ?? 0))
}

/**
 * Waits until all are on one tip. Two branches of the same work are each right for those who saw it first: then, and
 * only then, one more block decides.
 */
async function agree(world: World): Promise<void> {
  const end = world.clock.now() + PATIENCE_MS
  while (!isAgreed(world) && world.clock.now() < end) {
    const best = leaders(world)
    if (new Set(best.map(tipOf)).size > 1) world.mineOne(best[0] as SimulatedNode)
    await world.clock.sleep(REST_MS)
  }
}

function isAgreed({ nodes }: World): boolean {
  return new Set(nodes.map(tipOf)).size === 1
}

function leaders({ nodes }: World): SimulatedNode[] {
  const work = (node: SimulatedNode) => node.running?.chain.head.totalWork ?? 0n
  return nodes.filter((node) => nodes.every((other) => work(other) <= work(node)))
}

function tipOf({ running }: SimulatedNode): string | undefined {
  return running?.chain.head.hash
}
