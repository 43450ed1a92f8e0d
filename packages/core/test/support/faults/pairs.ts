/**
 * Two faults at once. The rules have an order, and two implementations that follow it name the same fault: so for every
 * two rules there is a block that breaks both, and the earlier one must be the answer.
 */
import { type JsonObject, meetsTarget, nextTarget, type RuleCode } from '@bc/core'
import { alice, bob, both, nonceOf, type Plan, pay, type Site, sealOn, type Transfer } from '../site.ts'
import { type Fault, flipped, nudged, withTransfer } from './fault.ts'

/** A fault that leaves room for any of the others in the same block. */
interface Stage {
  readonly code: RuleCode
  readonly part: string
  readonly make: (site: Site) => Plan
}

const BEFORE: readonly Stage[] = [
  { code: 'message.malformed', part: 'text after the block', make: () => ({ text: (right) => `${right}!` }) },
  { code: 'block.shape', part: 'a field more', make: () => ({ fields: { version: 1 } }) },
  { code: 'block.index', part: 'an index left out', make: ({ parent }) => ({ fields: { index: parent.index + 2 } }) },
  {
    code: 'block.timestamp',
    part: 'an early timestamp',
    make: ({ parent }) => ({ fields: { timestamp: parent.timestamp - 1 } }),
  },
  {
    code: 'block.previous_hash',
    part: 'an unknown parent',
    make: () => ({ fields: { previous_hash: 'ab'.repeat(32) } }),
  },
  {
    code: 'block.target',
    part: 'another target',
    make: ({ parent, rules }) => ({ fields: { target: nudged(nextTarget(parent, rules), -1n) } }),
  },
  { code: 'block.merkle_root', part: 'another root', make: () => ({ root: flipped }) },
  { code: 'block.commitment', part: 'another commitment', make: () => ({ commitment: flipped }) },
  {
    code: 'block.seal',
    part: 'a high seal',
    make: (site) => ({ proof: (proof, target) => !meetsTarget(sealOn(site, proof), target) }),
  },
  {
    code: 'block.size',
    part: 'too many bytes',
    make: (site) => ({ transfers: (usual) => [...usual, ...tooMany(site)] }),
  },
  { code: 'block.reward', part: 'a reward with a fee', make: () => ({ reward: (right) => ({ ...right, fee: 0 }) }) },
]

const AFTER: Stage = {
  code: 'block.reward',
  part: 'a reward of 1 more',
  make: () => ({ reward: (right) => ({ ...right, amount: Number(right.amount) + 1 }) }),
}

/** After the usual ones, which send two of alice's. */
function tooMany(site: Site): Transfer[] {
  return Array.from({ length: 20 }, (_, i) => pay(site, alice, bob, 1, 0, { nonce: nonceOf(site, alice) + 2 + i }))
}

/** What is wrong with one transaction, leaving room for any of the others in the same one. */
interface Slip {
  readonly code: RuleCode
  readonly part: string
  readonly change: (usual: Transfer) => Transfer
}

const slip = (code: RuleCode, part: string, fields: JsonObject): Slip => ({
  code,
  part,
  change: (usual) => ({ ...usual, fields: { ...usual.fields, ...fields } }),
})

const SLIPS: readonly Slip[] = [
  slip('tx.shape', 'a field more', { id: '' }),
  slip('tx.number', 'the amount 0', { amount: 0 }),
  slip('tx.memo', 'an empty memo', { memo: '' }),
  slip('tx.address', 'a recipient "0"', { recipient: '0' }),
  slip('tx.address', 'a sender "00"', { sender: '00' }),
  {
    code: 'tx.signature',
    part: 'a signature of zeros',
    change: (usual) => ({ ...usual, signature: () => '0'.repeat(128) }),
  },
  slip('tx.nonce', 'a nonce far ahead', { nonce: 1_000_000 }),
  slip('tx.balance', 'a fee above the balance', { fee: 1_000_000 }),
]

const inTransaction =
  (position: number) =>
  (of: Slip): Stage => ({
    code: of.code,
    part: `${of.part} in transaction ${position}`,
    make: () => withTransfer(position, of.change),
  })

/** In one block: every earlier stage with every later one. */
function* inOneBlock(): Generator<Fault> {
  const stages = [...BEFORE, ...SLIPS.map(inTransaction(1)), AFTER]
  for (const [i, first] of stages.entries()) for (const second of stages.slice(i + 1)) yield pair(first, second)
}

/** A reward that isn't one in shape, each in its own way, is refused before any transaction is looked at. */
function* rewardAndTransaction(): Generator<Fault> {
  const shapes: readonly [string, JsonObject][] = [
    ['whose amount is a string', { amount: '53' }],
    ['whose nonce is null', { nonce: null }],
    ['whose recipient is a number', { recipient: 2 }],
    ['from a sender "00"', { sender: '00' }],
  ]
  for (const [part, fields] of shapes) {
    const plan: Plan = { reward: (right) => ({ ...right, ...fields }) }
    const reward: Stage = { code: 'block.reward', part: `a reward ${part}`, make: () => plan }
    for (const of of SLIPS) yield pair(reward, inTransaction(1)(of))
  }
}

/** In two transactions: whatever is wrong with the first of them is the answer, however late its rule. */
function* inTwoTransactions(): Generator<Fault> {
  for (const first of SLIPS)
    for (const second of SLIPS) {
      const fault = pair(inTransaction(1)(first), inTransaction(2)(second))
      yield { ...fault, position: 1 }
    }
}

function pair(first: Stage, second: Stage): Fault {
  return {
    name: `${first.part} and ${second.part}`,
    code: first.code,
    only: 'constant',
    make: (site) => both(first.make(site), second.make(site)),
  }
}

export const PAIRS: readonly Fault[] = [...inOneBlock(), ...rewardAndTransaction(), ...inTwoTransactions()]
