/** Blocks at the edge of what is allowed, each on the good side. */
import type { JsonObject } from '@bc/core'
import { ofSize } from './faults/size.ts'
import { alice, balanceOf, bob, carol, dave, miner, nonceOf, type Plan, pay, type Site, type Transfer } from './site.ts'

export interface Good {
  readonly name: string
  readonly make: (site: Site) => Plan
  readonly only?: 'constant' | 'moving'
  readonly fromTheFuture?: boolean
}

const transfers = (name: string, make: (site: Site) => Transfer[]): Good => ({
  name,
  make: (site) => ({ transfers: () => make(site) }),
})

const memo = (name: string, text: string): Good =>
  transfers(name, (site) => [pay(site, alice, bob, 10, 1, { memo: text })])

const nth = (site: Site, n: number): JsonObject => ({ nonce: nonceOf(site, alice) + n })

export const GOODS: readonly Good[] = [
  { name: 'the usual block', make: () => ({}) },
  transfers('nothing but the reward', () => []),
  {
    name: 'exactly the allowed size',
    only: 'constant',
    make: (site) => ofSize(site, site.rules.maxBlockBytes),
  },
  { name: "the parent's timestamp", make: ({ parent }) => ({ fields: { timestamp: parent.timestamp } }) },
  {
    name: 'a timestamp a century ahead',
    fromTheFuture: true,
    make: ({ parent }) => ({ fields: { timestamp: parent.timestamp + 4e9 } }),
  },
  { name: 'the timestamp 2^53-1', fromTheFuture: true, make: () => ({ fields: { timestamp: 2 ** 53 - 1 } }) },
  { name: 'other spaces', make: () => ({ text: (right) => ` ${right.replaceAll(', ', ',\n\t')}\r\n` }) },
  { name: 'keys in another order', make: () => ({ text: reversed }) },
  {
    name: 'letters that need no escape, escaped',
    make: () => ({ text: (right) => right.replace('quote', '\\u0071uote') }),
  },
  memo('a memo of 256 letters', 'm'.repeat(256)),
  memo('a memo of 256 bytes in 86 characters', `${'票'.repeat(85)}x`),
  memo('a memo of 256 bytes in 64 characters', '🧾'.repeat(64)),
  memo('a memo of one NUL', '\u0000'),
  memo('a memo of 256 controls', '\u001f'.repeat(256)),
  memo('a memo with every awkward letter', '"\\/\b\f\n\r\t\u007f\u0080\u2028\ufeff\uffff\u{10ffff}__proto__'),
  transfers('all of a balance', (site) => [pay(site, alice, bob, balanceOf(site, alice), 0)]),
  transfers('all of a balance, the fee included', (site) => [pay(site, alice, bob, 1, balanceOf(site, alice) - 1)]),
  transfers('a self-transfer of all of a balance', (site) => [pay(site, alice, alice, balanceOf(site, alice), 0)]),
  transfers('two self-transfers', (site) => [
    pay(site, alice, alice, 10, 1),
    pay(site, alice, alice, balanceOf(site, alice) - 1, 0, nth(site, 1)),
  ]),
  transfers('the reward spent in its own block', (site) => [pay(site, miner, bob, balanceOf(site, miner) + 50, 0)]),
  transfers('a fee paid out of the reward that it is part of', (site) => [
    pay(site, miner, bob, 1, balanceOf(site, miner) + 49),
  ]),
  transfers('a fee of all coins there can be, paid out of the reward that it is part of', (site) => [
    pay(site, miner, bob, balanceOf(site, miner) + 50, 2 ** 53 - 1 - 50),
  ]),
  transfers('coins received and spent in one block', (site) => [
    pay(site, alice, carol, 10, 0),
    pay(site, carol, dave, balanceOf(site, carol) + 10, 0),
  ]),
  transfers('the same coins through four hands', (site) => [
    pay(site, alice, bob, 100, 0),
    pay(site, bob, carol, balanceOf(site, bob) + 100, 0),
    pay(site, carol, dave, balanceOf(site, carol) + balanceOf(site, bob) + 100, 0),
    pay(site, dave, alice, 1, 0),
  ]),
  {
    name: 'a reward to the sender of every transfer',
    make: () => ({ reward: (right) => ({ ...right, recipient: alice.address }) }),
  },
  {
    name: 'a reward that makes a payment possible',
    make: (site) => ({
      transfers: () => [pay(site, alice, bob, balanceOf(site, alice) + 50, 0)],
      reward: (right) => ({ ...right, recipient: alice.address }),
    }),
  },
]

function reversed(text: string): string {
  const members = Object.entries(JSON.parse(text)).reverse()
  return JSON.stringify(Object.fromEntries(members))
}
