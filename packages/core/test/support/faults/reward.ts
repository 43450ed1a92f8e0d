/** `block.reward`: its form, which is judged before all transactions, and its content, which is judged after them. */
import type { JsonObject, JsonValue } from '@bc/core'
import { alice, bob, miner } from '../site.ts'
import { type Fault, OFF_THE_CURVE, without, wrongChecksum, X_ABOVE_P } from './fault.ts'

const of = (name: string, make: Fault['make']): Fault => ({ name, code: 'block.reward', make })

const reward = (name: string, change: (right: JsonObject) => JsonValue): Fault => of(name, () => ({ reward: change }))

const list = (name: string, change: (right: readonly JsonValue[]) => JsonValue[]): Fault =>
  of(name, () => ({ transactions: change }))

const FORM: readonly Fault[] = [
  list('no transaction at all', () => []),
  list('transfers but no reward', (right) => right.slice(1)),
  list('the reward last', ([first, ...others]) => [...others, first as JsonValue]),
  list('the same reward twice', ([first, ...others]) => [first as JsonValue, first as JsonValue, ...others]),
  list('a second reward last', (right) => [...right, { amount: 1, nonce: 6, recipient: alice.address, sender: '0' }]),
  list('a transfer that the sender "0" makes', (right) => [...right, { ...(right[1] as JsonObject), sender: '0' }]),
  list('a last transaction that is nothing but a sender "0"', (right) => [...right, { sender: '0' }]),
  ...['amount', 'nonce', 'recipient', 'sender'].map((field) =>
    reward(`a reward without ${field}`, (right) => without(right, field)),
  ),
  reward('a reward with a fee', (right) => ({ ...right, fee: 0 })),
  reward('a reward with a memo', (right) => ({ ...right, memo: 'first!' })),
  reward('a reward with a signature', (right) => ({ ...right, signature: '0'.repeat(128) })),
  reward('a reward that is null', () => null),
  reward('a reward that is a list', (right) => [right]),
  reward('a reward that is a string', () => 'mine'),
  reward('a reward whose amount is a string', (right) => ({ ...right, amount: '53' })),
  reward('a reward whose nonce is null', (right) => ({ ...right, nonce: null })),
  reward('a reward whose recipient is a number', (right) => ({ ...right, recipient: 2 })),
  reward('a reward from a sender "00"', (right) => ({ ...right, sender: '00' })),
  reward('a reward from the number 0', (right) => ({ ...right, sender: 0 })),
]

const more = (by: number) => (right: JsonObject) => ({ ...right, amount: Number(right.amount) + by })

const CONTENT: readonly Fault[] = [
  reward('a reward of 1 more', more(1)),
  reward('a reward of 1 less', more(-1)),
  reward('a reward without the fees', (right) => ({ ...right, amount: 50 })),
  reward('the fees without the reward', (right) => ({ ...right, amount: Number(right.amount) - 50 })),
  reward('a reward of 0', (right) => ({ ...right, amount: 0 })),
  reward('a reward of all coins there can be', (right) => ({ ...right, amount: 2 ** 53 - 1 })),
  of('the fee of a transaction that was left out', () => ({
    transactions: (right) => right.filter((_, i) => i !== 2),
  })),
  reward("a reward with the parent's index", (right) => ({ ...right, nonce: Number(right.nonce) - 1 })),
  reward("a reward with the next block's index", (right) => ({ ...right, nonce: Number(right.nonce) + 1 })),
  reward('a reward with the nonce 0', (right) => ({ ...right, nonce: 0 })),
  reward('a reward to an address of a wrong checksum', (right) => ({ ...right, recipient: wrongChecksum(miner) })),
  reward('a reward to a point off the curve', (right) => ({ ...right, recipient: OFF_THE_CURVE })),
  reward('a reward to a key whose x is above p', (right) => ({ ...right, recipient: X_ABOVE_P })),
  reward('a reward to an address in upper case', (right) => ({ ...right, recipient: bob.address.toUpperCase() })),
  reward('a reward to a key without a checksum', (right) => ({ ...right, recipient: bob.address.slice(0, 66) })),
  reward('a reward to "0"', (right) => ({ ...right, recipient: '0' })),
  reward('a reward to nobody', (right) => ({ ...right, recipient: '' })),
]

export const REWARD_FAULTS: readonly Fault[] = [...FORM, ...CONTENT]
