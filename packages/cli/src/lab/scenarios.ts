/** What may happen in a lab, by name. Each ends with all nodes connected; whether they agree is judged afterwards. */
import type { ScenarioName } from '../command-line/arguments.ts'
import { Refusal } from '../failure.ts'
import { counted } from '../terminal/text.ts'
import { ALLOCATION } from './accounts.ts'
import type { AccountName } from './events.ts'
import type { Lab } from './lab.ts'
import type { NodeProcess } from './node-process.ts'

/** So many times branches may grow alike. A node that hasn't followed for so long isn't just slow. */
const TIES = 4
const TIE_MS = 3_000

type Scenario = (lab: Lab) => Promise<void>

export const SCENARIOS = {
  mine: mineInTurn,
  partition,
  'double-spend': doubleSpend,
  '51': majority,
  churn,
} as const satisfies Record<ScenarioName, Scenario>

async function mineInTurn(lab: Lab): Promise<void> {
  let paid = 0
  for (const node of lab.random.shuffled(lab.nodes)) {
    const amount = lab.random.between(1, 9)
    await payAndTell(lab, lab.nodes, 'Alice', 'Bob', amount)
    paid += amount
    await mineAndFollow(lab, node, lab.nodes)
    const bob = await lab.balanceOf('Bob', node)
    lab.expect(bob === ALLOCATION + paid, `Bob has ${bob} and not ${ALLOCATION + paid}`)
  }
}

/**
 *     … ─ common ─┬─ side A ─ …              the shorter one is abandoned,
 *                 └─ side B ─ … ─ …          and its payments are paid on the longer one
 */
async function partition(lab: Lab): Promise<void> {
  const { random } = lab
  await mineSome(lab, lab.nodes, random.between(1, 3))
  const [loser, winner] = halves(random.shuffled(lab.nodes))
  const shorter = random.between(1, 5)
  await lab.split(loser, winner)
  const [lost, won] = [random.between(1, 100), random.between(1, 100)]
  await payAndTell(lab, loser, 'Alice', 'Carol', lost)
  await payAndTell(lab, winner, 'Bob', 'Carol', won)
  await mineApart(lab, [loser, shorter], [winner, shorter + random.between(1, 5)])
  const tip = lab.tips.of(winner[0])
  await lab.heal()
  await lab.follow(lab.nodes, tip)
  lab.note(`The payment of ${lost} waits again, and is in the next block.`)
  const carol = async () => `${await lab.balanceOf('Carol', lab.first)}`
  lab.expect((await carol()) === `${ALLOCATION + won}`, `Carol has ${await carol()} after the longer branch has won`)
  await mineAndFollow(lab, random.pick(loser), lab.nodes)
  lab.expect((await carol()) === `${ALLOCATION + won + lost}`, `Carol has ${await carol()} after all is mined`)
}

/** Alice spends all that she has, twice. */
async function doubleSpend(lab: Lab): Promise<void> {
  const { random } = lab
  await mineSome(lab, lab.nodes, random.between(1, 2))
  const [loser, winner] = halves(random.shuffled(lab.nodes))
  await lab.split(loser, winner)
  const toBob = await payAndTell(lab, loser, 'Alice', 'Bob', ALLOCATION)
  const toCarol = await payAndTell(lab, winner, 'Alice', 'Carol', ALLOCATION)
  const confirmations = random.between(1, 3)
  await mineApart(lab, [loser, confirmations], [winner, confirmations + random.between(1, 3)])
  await lab.heal()
  await expectGone(lab, toBob)
  lab.expect(toCarol.nonce === toBob.nonce, 'the two payments are not of the same coins')
  lab.note(`Carol has Alice's coins. Bob has nothing, after ${counted(confirmations, 'confirmation')}.`)
}

/** One node has more work than all the others together, and keeps it to itself until it pays. */
async function majority(lab: Lab): Promise<void> {
  const { random } = lab
  await mineSome(lab, lab.nodes, random.between(1, 3))
  const [attacker, ...others] = random.shuffled(lab.nodes) as [NodeProcess, ...NodeProcess[]]
  const confirmations = random.between(2, 6)
  await lab.split([attacker], others)
  lab.note(`Node ${attacker.number} mines in private. The others don't know.`)
  const toBob = await payAndTell(lab, others, 'Alice', 'Bob', ALLOCATION)
  await lab.pay(attacker, 'Alice', 'Carol', ALLOCATION)
  await mineApart(lab, [others, confirmations], [[attacker], confirmations + 1])
  lab.note(`Bob has ${confirmations} confirmations, and hands over the goods.`)
  await lab.heal()
  await expectGone(lab, toBob)
  lab.note(`The private chain is the longer one by a block: Bob's payment never was.`)
}

async function churn(lab: Lab): Promise<void> {
  const { random } = lab
  const most = Math.max(1, Math.floor((lab.nodes.length - 1) / 2))
  for (let round = 0; round < 3; round++) {
    const order = random.shuffled(lab.nodes)
    const victims = order.slice(0, random.between(1, most))
    const others = order.slice(victims.length)
    await lab.pay(random.pick(others), 'Alice', 'Bob', random.between(1, 9))
    for (const victim of victims) await killAtWork(lab, victim)
    for (let i = random.between(1, 3); i > 0; i--) await mineThroughTies(lab, others, others)
    await Promise.all(victims.map((victim) => lab.restart(victim)))
    await mineThroughTies(lab, others, lab.nodes)
  }
}

/** In the middle of a block: it may be lost, or on its disk and nowhere else, or with others already. */
async function killAtWork(lab: Lab, victim: NodeProcess): Promise<void> {
  const mining = lab.mine(victim).catch(() => undefined)
  await lab.pause(lab.random.below(300))
  await lab.kill(victim)
  await mining
}

/**
 * What a victim mined last may have reached some of the others and not all, or be on its own disk alone. So there may be
 * two branches of the same work, and every node stays with the one that it saw first, until a block decides.
 */
async function mineThroughTies(lab: Lab, miners: readonly NodeProcess[], all: readonly NodeProcess[]): Promise<void> {
  for (let attempt = 1; attempt < TIES; attempt++) {
    if (await lab.followSoon(all, await lab.mine(lab.random.pick(miners)), TIE_MS)) return
    lab.note('A tie: the next block decides.')
  }
  await mineAndFollow(lab, lab.random.pick(miners), all)
}

/** At one of these nodes, and the others hear of it: whoever mines next has it. */
async function payAndTell(lab: Lab, nodes: readonly NodeProcess[], from: AccountName, to: AccountName, amount: number) {
  const payment = await lab.pay(lab.random.pick(nodes), from, to, amount)
  await lab.hear(nodes, payment)
  return payment
}

async function mineAndFollow(lab: Lab, miner: NodeProcess, all: readonly NodeProcess[]): Promise<void> {
  await lab.follow(all, await lab.mine(miner))
}

/** Blocks of whoever it may be among these nodes; each is with all of them before the next. */
async function mineSome(lab: Lab, nodes: readonly NodeProcess[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) await mineAndFollow(lab, lab.random.pick(nodes), nodes)
}

type Share = readonly [side: readonly NodeProcess[], blocks: number]

/** So many blocks on each side of a split, in whatever order. */
async function mineApart(lab: Lab, ...shares: readonly [Share, Share]): Promise<void> {
  const turns = shares.flatMap(([side, blocks]) => Array.from({ length: blocks }, () => side))
  for (const side of lab.random.shuffled(turns)) await mineSome(lab, side, 1)
}

function halves(nodes: readonly NodeProcess[]): [NodeProcess[], NodeProcess[]] {
  const middle = Math.floor(nodes.length / 2)
  return [nodes.slice(0, middle), nodes.slice(middle)]
}

/** The payment to Bob, which lost, is on no chain and in no pool, is refused by everybody, and doesn't come back. */
async function expectGone(lab: Lab, payment: Awaited<ReturnType<Lab['pay']>>): Promise<void> {
  await lab.follow(lab.nodes)
  for (const node of lab.nodes) {
    const refusal = await node.client.send({ ...payment }).catch((e) => e)
    const refused = refusal instanceof Refusal && refusal.code === 'tx.nonce'
    lab.expect(refused, `node ${node.number} takes the payment that has lost`)
    lab.expect((await node.client.waiting()).length === 0, `something waits at node ${node.number}`)
  }
  await mineAndFollow(lab, lab.random.pick(lab.nodes), lab.nodes)
  for (const node of lab.nodes)
    lab.expect((await lab.balanceOf('Bob', node)) === ALLOCATION, `Bob has the coins at node ${node.number} after all`)
}
