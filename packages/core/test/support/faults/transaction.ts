/** `tx.shape` to `tx.balance`. */
import { addressOfPublicKey, canonicalJson, type JsonObject, type JsonValue, sha256Hex } from '@bc/core'
import { numberedKey, signDigest } from '../keys.ts'
import {
  alice,
  balanceOf,
  bob,
  carol,
  dave,
  miner,
  nonceOf,
  type Plan,
  pay,
  type Site,
  type Transfer,
} from '../site.ts'
import {
  ANOTHER_CHAIN,
  type Fault,
  hex64,
  N,
  OFF_THE_CURVE,
  P,
  withFields,
  without,
  withTransfer,
  wrongChecksum,
  X_ABOVE_P,
} from './fault.ts'

type Change = (usual: Transfer, site: Site) => Transfer

/** The first transfer changed; all others are good. */
const of =
  (code: Fault['code']) =>
  (name: string, change: Change): Fault => ({
    name,
    code,
    position: 1,
    make: (site) => withTransfer(1, (usual) => change(usual, site)),
  })

/** Its fields changed before they are signed. */
const fields = (code: Fault['code'], name: string, changed: (site: Site) => JsonObject): Fault => ({
  name,
  code,
  position: 1,
  make: (site) => withFields(1, changed(site)),
})

const shape = (name: string, changed: JsonObject): Fault => fields('tx.shape', name, () => changed)

const item = (name: string, value: JsonValue): Fault => ({
  name,
  code: 'tx.shape',
  position: 4,
  make: () => ({ transactions: (right) => [...right, value] }),
})

const SHAPE_FAULTS: readonly Fault[] = [
  item('a transaction that is null', null),
  item('a transaction that is true', true),
  item('a transaction that is a number', 7),
  item('a transaction that is a string', 'pay bob'),
  item('a transaction that is a list', []),
  item('a transaction that is an empty object', {}),
  ...['amount', 'fee', 'nonce', 'recipient', 'sender', 'signature'].map((field) =>
    of('tx.shape')(`a transaction without ${field}`, (usual) => ({
      ...usual,
      fields: without(usual.fields, field),
      touch: (signed) => without(signed, field),
    })),
  ),
  shape('a transaction with a field more', { id: 'f'.repeat(64) }),
  fields('tx.shape', 'a transaction that names its chain', ({ chain }) => ({ chain })),
  of('tx.shape')('a field __proto__', (usual) => ({
    ...usual,
    touch: (signed) => Object.defineProperty({ ...signed }, '__proto__', { value: 1, enumerable: true }),
  })),
  shape("an amount that is a string, as the tutorial's", { amount: '10' }),
  shape('the amount "05"', { amount: '05' }),
  shape('an amount that is null', { amount: null }),
  shape('an amount that is a list', { amount: [10] }),
  shape('an amount that is true', { amount: true }),
  shape('a fee that is null', { fee: null }),
  shape('a fee that is a string', { fee: '1' }),
  shape('a nonce that is a string', { nonce: '0' }),
  shape('a nonce that is an object', { nonce: {} }),
  shape('a recipient that is a number', { recipient: 2 }),
  shape('a recipient that is null', { recipient: null }),
  shape('a sender that is the number 0', { sender: 0 }),
  shape('a sender that is a list', { sender: ['0'] }),
  of('tx.shape')('a signature that is null', (usual) => ({ ...usual, signature: () => null })),
  of('tx.shape')('a signature that is a list of r and s', (usual) => ({
    ...usual,
    signature: (right) => [right.slice(0, 64), right.slice(64)],
  })),
  shape('a memo that is null', { memo: null }),
  shape('a memo that is a number', { memo: 42 }),
  shape('a memo that is a list', { memo: ['a', 'b'] }),
]

const NUMBER_FAULTS: readonly Fault[] = [
  fields('tx.number', 'the amount 0', () => ({ amount: 0 })),
  fields('tx.number', 'the amount 0 and the fee 0', () => ({ amount: 0, fee: 0 })),
]

const memo = (name: string, text: string): Fault => fields('tx.memo', name, () => ({ memo: text }))

const MEMO_FAULTS: readonly Fault[] = [
  memo('an empty memo', ''),
  memo('a memo of 257 letters', 'm'.repeat(257)),
  memo('a memo of 86 characters of three bytes', '票'.repeat(86)),
  memo('a memo of 65 characters of four bytes', '🧾'.repeat(65)),
  memo('a memo of 129 characters of two bytes', 'é'.repeat(129)),
  memo('a memo of 257 NULs', '\u0000'.repeat(257)),
]

const recipient = (name: string, address: string): Fault => ({
  ...fields('tx.address', name, () => ({ recipient: address })),
  says: /recipient/,
})

const sender = (name: string, address: string): Fault => ({
  ...fields('tx.address', name, () => ({ sender: address })),
  says: /sender/,
})

const ADDRESS_FAULTS: readonly Fault[] = [
  recipient('a recipient with a wrong checksum', wrongChecksum(bob)),
  recipient("a recipient with another's checksum", bob.address.slice(0, 66) + carol.address.slice(66)),
  recipient('a recipient off the curve', OFF_THE_CURVE),
  recipient('a recipient whose x is above p', X_ABOVE_P),
  recipient('a recipient in upper case', bob.address.toUpperCase()),
  recipient('a recipient without a checksum', bob.address.slice(0, 66)),
  recipient('a recipient one digit too long', `${bob.address}0`),
  recipient('a recipient with a line break after it', `${bob.address}\n`),
  recipient('a recipient with a prefix 04', addressOfPublicKey(`04${bob.address.slice(2, 66)}`)),
  recipient('a recipient that is empty', ''),
  recipient('a recipient "0"', '0'),
  recipient('a recipient with a name', 'bob'),
  sender('a sender with a wrong checksum', wrongChecksum(alice)),
  sender('a sender off the curve', OFF_THE_CURVE),
  sender('a sender whose x is above p', X_ABOVE_P),
  sender('a sender in upper case', alice.address.toUpperCase()),
  sender('a sender that is empty', ''),
  sender('a sender "00"', '00'),
  {
    ...fields('tx.address', 'a wrong sender and a wrong recipient', () => ({ sender: '', recipient: '' })),
    says: /recipient/,
  },
]

const r = (signature: string): bigint => BigInt(`0x${signature.slice(0, 64)}`)
const s = (signature: string): bigint => BigInt(`0x${signature.slice(64)}`)

/** What a signature that isn't one must be told apart by: of a forged one nothing is wrong but whose it is. */
const FORM = /it is not 128 lower-case hex digits/
const RANGE = /r or s is out of range/
const HIGH = /its s is above n \/ 2/
const FORGED = /it is not the sender's over exactly this transaction on this chain/

const signature = (says: RegExp, name: string, change: (right: string) => JsonValue): Fault => ({
  ...of('tx.signature')(name, (usual) => ({ ...usual, signature: change })),
  says,
})

const forged = (name: string, change: Change): Fault => ({ ...of('tx.signature')(name, change), says: FORGED })

/** Signed as it was, sent as it wasn't. */
const altered = (name: string, changed: (site: Site) => JsonObject): Fault =>
  forged(name, (usual, site) => ({ ...usual, touch: (signed) => ({ ...signed, ...changed(site) }) }))

const SIGNATURE_FAULTS: readonly Fault[] = [
  signature(HIGH, 'a high s: the same point, another text', (right) => right.slice(0, 64) + hex64(N - s(right))),
  signature(RANGE, 'r = 0', (right) => hex64(0n) + right.slice(64)),
  signature(RANGE, 's = 0', (right) => right.slice(0, 64) + hex64(0n)),
  signature(RANGE, 'r = 0 and s = 0', () => '0'.repeat(128)),
  signature(RANGE, 'r = n', (right) => hex64(N) + right.slice(64)),
  signature(RANGE, 's = n', (right) => right.slice(0, 64) + hex64(N)),
  signature(RANGE, 's = n + 1', (right) => right.slice(0, 64) + hex64(N + 1n)),
  signature(RANGE, 'r of p', (right) => hex64(P) + right.slice(64)),
  signature(RANGE, 'r and s of all ones', () => 'f'.repeat(128)),
  signature(/above n|the sender's/, 'r and s exchanged', (right) => right.slice(64) + right.slice(0, 64)),
  signature(FORGED, 'r one higher', (right) => hex64(r(right) + 1n) + right.slice(64)),
  signature(FORM, 'upper-case hex', (right) => right.toUpperCase()),
  signature(FORM, 'a signature of 127 digits', (right) => right.slice(0, -1)),
  signature(FORM, 'a signature of 130 digits', (right) => `${right}00`),
  signature(FORM, 'an empty signature', () => ''),
  signature(FORM, 'a signature with a space before it', (right) => ` ${right}`),
  signature(FORM, 'a DER signature', (right) => `30440220${right.slice(0, 64)}0220${right.slice(64)}`),
  forged('a signature over the digest of the digest', (usual, { chain }) => ({
    ...usual,
    signature: () => signDigest(sha256Hex(sha256Hex(canonicalJson({ ...usual.fields, chain }))), usual.key),
  })),
  forged("another's signature", (usual) => ({ ...usual, key: bob })),
  forged('a signature for another chain', (usual) => ({ ...usual, chain: ANOTHER_CHAIN })),
  forged('a signature for a chain without a name', (usual) => ({
    ...usual,
    chain: '' as typeof ANOTHER_CHAIN,
  })),
  altered('a signature over another amount', () => ({ amount: 11 })),
  altered('a signature over another fee', () => ({ fee: 2 })),
  altered('a signature over another nonce', (site) => ({ nonce: nonceOf(site, alice) + 1 })),
  altered('a signature over another recipient', () => ({ recipient: carol.address })),
  altered('a signature over another sender', () => ({ sender: bob.address })),
  altered('a memo added after the signature', () => ({ memo: 'as agreed' })),
]

const transfers = (code: Fault['code'], name: string, position: number, make: (site: Site) => Transfer[]): Fault => ({
  name,
  code,
  position,
  make: (site) => ({ transfers: () => make(site) }),
})

/** The sender's `n`th transfer of this block, from 0. */
const nth = (site: Site, n: number, key = alice): JsonObject => ({ nonce: nonceOf(site, key) + n })

const NONCE_FAULTS: readonly Fault[] = [
  fields('tx.nonce', 'a nonce too low', (site) => nth(site, -1)),
  fields('tx.nonce', 'the nonce 0 again', () => ({ nonce: 0 })),
  fields('tx.nonce', 'a nonce left out', (site) => nth(site, 1)),
  fields('tx.nonce', 'the nonce 2^53-1', () => ({ nonce: 2 ** 53 - 1 })),
  {
    name: 'a transaction of an earlier block, replayed',
    code: 'tx.nonce',
    position: 1,
    make: ({ texts }) => ({
      transactions: ([reward, ...others]) => [
        reward as JsonValue,
        JSON.parse(texts[2] as string).transactions[1],
        ...others,
      ],
    }),
  },
  transfers('tx.nonce', 'the same transaction twice in a block', 2, (site) => {
    const once = pay(site, alice, bob, 10, 1)
    return [once, once]
  }),
  transfers('tx.nonce', 'the same nonce spent twice in a block', 2, (site) => [
    pay(site, alice, bob, 10, 1),
    pay(site, alice, carol, 10, 1),
  ]),
  transfers('tx.nonce', "a sender's transactions in the wrong order", 1, (site) => [
    pay(site, alice, bob, 10, 1, nth(site, 1)),
    pay(site, alice, bob, 10, 1, nth(site, 0)),
  ]),
  transfers('tx.nonce', 'a self-transfer that counts once', 2, (site) => [
    pay(site, alice, alice, 10, 0),
    pay(site, alice, alice, 10, 0),
  ]),
  transfers('tx.nonce', 'a first transaction with the nonce 1', 2, (site) => [
    pay(site, alice, dave, 10, 0),
    pay(site, dave, alice, 1, 0, nth(site, 1, dave)),
  ]),
]

const one = (name: string, make: (site: Site) => Transfer): Fault =>
  transfers('tx.balance', name, 1, (site) => [make(site)])

const BALANCE_FAULTS: readonly Fault[] = [
  one('an amount 1 above the balance', (site) => pay(site, alice, bob, balanceOf(site, alice) + 1, 0)),
  one('a balance that covers the amount but not the fee', (site) => pay(site, alice, bob, balanceOf(site, alice), 1)),
  one('a fee 1 above the balance', (site) => pay(site, alice, bob, 1, balanceOf(site, alice))),
  one('an amount of 2^53-1', (site) => pay(site, alice, bob, 2 ** 53 - 1, 0)),
  {
    ...one('an amount and a fee whose sum is above 2^53', (site) => pay(site, alice, bob, 2 ** 53 - 1, 2 ** 53 - 1)),
    // The fees alone would be more than a reward can say.
    make: (site) => ({
      transfers: () => [pay(site, alice, bob, 2 ** 53 - 1, 2 ** 53 - 1)],
      reward: (right) => ({ ...right, amount: 50 }),
    }),
  },
  one('a self-transfer above the balance', (site) => pay(site, alice, alice, balanceOf(site, alice) + 1, 0)),
  one('a self-transfer that covers its fee only with what it pays', (site) =>
    pay(site, alice, alice, balanceOf(site, alice), 1),
  ),
  one('a sender who never had anything', (site) => pay(site, nobody(site), bob, 1, 0)),
  transfers('tx.balance', 'two transfers of which the balance covers each', 2, (site) => [
    pay(site, alice, bob, balanceOf(site, alice) - 5, 0),
    pay(site, alice, carol, balanceOf(site, alice) - 5, 0, nth(site, 1)),
  ]),
  transfers('tx.balance', 'a second transfer that lacks 1', 2, (site) => [
    pay(site, alice, bob, 10, 1),
    pay(site, alice, bob, balanceOf(site, alice) - 10, 0, nth(site, 1)),
  ]),
  transfers('tx.balance', 'coins that come only later in the block', 1, (site) => [
    pay(site, carol, dave, balanceOf(site, carol) + 1, 0),
    pay(site, alice, carol, 10, 0),
  ]),
  transfers('tx.balance', 'coins received in the block, and one more', 2, (site) => [
    pay(site, alice, carol, 10, 0),
    pay(site, carol, dave, balanceOf(site, carol) + 11, 0),
  ]),
  transfers('tx.balance', 'the reward spent in its own block, and one coin more', 1, (site) => [
    pay(site, miner, bob, balanceOf(site, miner) + 51, 0),
  ]),
  // Before the fee is paid there are more coins than 2^53, and 1 more or less is no difference to a float.
  ...[51, 52, 53].map((more) =>
    transfers('tx.balance', `a fee of all coins there can be, out of the reward, and ${more - 50} more`, 1, (site) => [
      pay(site, miner, bob, balanceOf(site, miner) + more, 2 ** 53 - 1 - 50),
    ]),
  ),
  transfers('tx.balance', 'the same coins on a round trip', 3, (site) => [
    pay(site, alice, bob, balanceOf(site, alice), 0),
    pay(site, bob, alice, balanceOf(site, bob) + balanceOf(site, alice), 0),
    pay(site, bob, carol, 1, 0, nth(site, 1, bob)),
  ]),
  {
    ...one("the reward's coins, when the reward goes to somebody else", (site) =>
      pay(site, miner, bob, balanceOf(site, miner) + 1, 0),
    ),
    make: (site): Plan => ({
      transfers: () => [pay(site, miner, bob, balanceOf(site, miner) + 1, 0)],
      reward: (right) => ({ ...right, recipient: bob.address }),
    }),
  },
]

const stranger = numberedKey(999)

function nobody(site: Site) {
  if (balanceOf(site, stranger) > 0) throw new Error('the stranger must have no coins')
  return stranger
}

export const TRANSACTION_FAULTS: readonly Fault[] = [
  ...SHAPE_FAULTS,
  ...NUMBER_FAULTS,
  ...MEMO_FAULTS,
  ...ADDRESS_FAULTS,
  ...SIGNATURE_FAULTS,
  ...NONCE_FAULTS,
  ...BALANCE_FAULTS,
]
