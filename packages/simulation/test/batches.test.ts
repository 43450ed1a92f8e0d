/** Transactions by the thousand: what one node was handed in reaches the others, and nobody takes that for an attack. */
import { type Address, type Amount, MAX_BLOCK_BYTES, type Transaction } from '@bc/core'
import { signTransaction } from '@bc/wallet'
import { expect, test } from 'vitest'
import { sharedCurve } from '../src/curve.ts'
import { type Purse, purseOf } from '../src/purses.ts'
import { World } from '../src/world.ts'

const [funded, later] = ['funded', 'later'].map((name) =>
  Array.from({ length: 5 }, (_, i) => purseOf(`${name} ${i}`)),
) as [Purse[], Purse[]]

/** Two nodes that are connected, on lines without a delay. */
async function twoNodes(skews: readonly [number, number] = [0, 0]) {
  const allocations = Object.fromEntries(funded.map(({ address }) => [address, 1_000_000 as Amount]))
  const rules = { allocations, blockTime: 0, halfLife: 0, difficulty: 0, miningReward: 50 as Amount }
  const world = new World({
    seed: 'batches',
    scenario: {
      nodes: 2,
      rules: { ...rules, maxBlockBytes: MAX_BLOCK_BYTES },
      medium: { degree: 1, delayMs: 0, loss: 0, stall: 0 },
      ...{ blockSeconds: 60, paymentSeconds: 60, restartSeconds: 60, cutSeconds: 60 },
      ...{ skews, shares: [1, 1], divisions: [] },
    },
    curve: sharedCurve(),
    purses: { miners: [purseOf('miner')], payers: funded },
  })
  await world.start()
  await pass(world, 20)
  const [first, second] = world.nodes as [World['nodes'][0], World['nodes'][0]]
  const chain = first.running?.chain.id as Parameters<typeof signTransaction>[1]
  const payment = ({ address, secret }: Purse, nonce: number, recipient: Address, amount = 1): Transaction => {
    const unsigned = { amount, fee: 0, nonce, recipient, sender: address }
    return signTransaction(unsigned as Parameters<typeof signTransaction>[0], chain, secret)
  }
  /** So many of each sender, one of each after the other. */
  const interleaved = (purses: readonly Purse[], count: number) =>
    Array.from({ length: count }, (_, nonce) =>
      purses.map((purse) => payment(purse, nonce, later[0]?.address as Address)),
    )
  const handIn = async (transactions: readonly Transaction[]) => {
    for (let i = 0; i < transactions.length; i += 512) {
      const some = transactions.slice(i, i + 512).map((one) => first.submit(one))
      expect(await world.clock.runUntil(Promise.all(some))).not.toContain(false)
    }
  }
  const waiting = () => world.nodes.map(({ running }) => running?.admission.pool.size)
  return { world, first, second, payment, interleaved, handIn, waiting }
}

function pass(world: World, seconds: number): Promise<void> {
  return world.clock.runUntil(world.clock.sleep(1_000 * seconds))
}

test('ten thousand transactions of five senders, one after the other, arrive whole, and nobody is banned', async () => {
  const { world, interleaved, handIn, waiting } = await twoNodes()
  await handIn(interleaved(funded, 2_000).flat())
  await pass(world, 200)
  expect(waiting()).toEqual([10_000, 10_000])
  expect(world.faults).toEqual([])
}, 120_000)

test('a node whose clock is behind has them when it has the block that they need, as many as a block holds', async () => {
  const { world, first, second, payment, interleaved, handIn, waiting } = await twoNodes([0, -150])
  await handIn(later.map(({ address }, i) => payment(funded[i] as Purse, 0, address, 10_000)))
  world.mineOne(first)
  await pass(world, 10)
  expect(world.nodes.map(({ running }) => running?.chain.head.index)).toEqual([2, 1])
  await handIn(interleaved(later, 800).flat())
  await pass(world, 100)
  expect(second.running?.chain.head.index).toBe(2)
  expect(waiting()[1]).toBeGreaterThanOrEqual(1_500)
  for (let blocks = 0; blocks < 3; blocks++) {
    world.mineOne(second)
    await pass(world, 150)
  }
  expect(waiting()).toEqual([0, 0])
  expect(world.faults).toEqual([])
}, 120_000)
