import { createHash, createPublicKey, type KeyObject, verify as opensslVerify } from 'node:crypto'
import {
  type Address,
  type Amount,
  askCurve,
  type Hash,
  type JsonValue,
  parseTransaction,
  payloadOf,
  publicKeyOf,
  type Transaction,
  type UnsignedTransaction,
} from '@bc/core'
import {
  addressOf,
  parseSecret,
  type Secret,
  secretFromEntropy,
  signPayload,
  signTransaction,
  WrongSecretError,
} from '@bc/wallet'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, HALF_N, toNumber } from './bytes.ts'
import { verifiers } from './verifiers.ts'

const one = parseSecret('1'.padStart(64, '0')) as Secret
const alice = secretFromEntropy(new Uint8Array(32).fill(1))
const bob = secretFromEntropy(new Uint8Array(32).fill(2))
const chain = '11'.repeat(32) as Hash
const unsigned: UnsignedTransaction = {
  amount: 5 as Amount,
  fee: 1 as Amount,
  memo: 'für dich 🎁',
  nonce: 3,
  recipient: addressOf(bob),
  sender: addressOf(alice),
}

/** What every verifier says of it: one answer, or the test that asks has found two that differ. */
function verdict(transaction: Transaction, onChain: Hash = chain): string {
  const { check } = parseTransaction(transaction as unknown as JsonValue, onChain)
  return [...new Set(verifiers.map((verifier) => askCurve(check, verifier)))].join(' or ')
}

/** OpenSSL's view of an address's key: an implementation of the curve that is none of ours. */
function opensslKey(address: Address): KeyObject {
  const header = fromHex('3036301006072a8648ce3d020106052b8104000a032200')
  return createPublicKey({ key: Buffer.from(concat(header, publicKeyOf(address))), format: 'der', type: 'spki' })
}

describe('signPayload', () => {
  // RFC 6979 over secp256k1 and SHA-256, low-S: known answers that Bitcoin implementations share.
  test.each([
    [
      'Satoshi Nakamoto',
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
        '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    ],
    [
      'All those moments will be lost in time, like tears in rain. Time to die...',
      '8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b' +
        '547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21',
    ],
  ])('of %j by the secret 1', (payload, signature) => {
    expect(signPayload(payload, one)).toBe(signature)
  })

  test('is one signature by one secret, low-S, and valid to OpenSSL and all verifiers', () => {
    const entropy = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(entropy, fc.string({ unit: 'binary' }), (bytes, payload) => {
        const secret = secretFromEntropy(bytes)
        const signature = fromHex(signPayload(payload, secret))
        expect(signPayload(payload, secret)).toBe(Buffer.from(signature).toString('hex'))
        expect(toNumber(signature.subarray(32)) <= HALF_N).toBe(true)
        const key = { key: opensslKey(addressOf(secret)), dsaEncoding: 'ieee-p1363' } as const
        expect(opensslVerify('sha256', Buffer.from(payload), key, signature)).toBe(true)
        const digest = createHash('sha256').update(payload).digest()
        for (const verifier of verifiers)
          expect(verifier.verify(digest, signature, publicKeyOf(addressOf(secret)))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})

describe('signTransaction', () => {
  test('adds a valid signature and changes nothing', () => {
    const { signature, ...rest } = signTransaction(unsigned, chain, alice)
    expect(rest).toEqual(unsigned)
    expect(signature).toBe(signPayload(payloadOf(unsigned, chain), alice))
    expect(verdict({ ...rest, signature })).toBe('valid')
  })

  test('signs without a memo as well', () => {
    const { memo: _, ...bare } = unsigned
    expect(verdict(signTransaction(bare, chain, alice))).toBe('valid')
  })

  test('signs one that is signed already over the fields alone', () => {
    const signed = signTransaction(unsigned, chain, alice)
    expect(signTransaction(signed, chain, alice)).toEqual(signed)
  })

  const other = addressOf(secretFromEntropy(new Uint8Array(32).fill(3)))
  test.each<[string, Partial<UnsignedTransaction>]>([
    ['amount', { amount: 6 as Amount }],
    ['fee', { fee: 0 as Amount }],
    ['memo', { memo: 'fur dich 🎁' }],
    ['nonce', { nonce: 4 }],
    ['recipient', { recipient: other }],
    ['sender', { sender: other }],
  ])('binds the %s', (_, change) => {
    const signed = signTransaction(unsigned, chain, alice)
    expect(verdict({ ...signed, ...change })).toBe('signature')
  })

  test('binds that there is a memo, and that there is none', () => {
    const { memo: _, ...bare } = unsigned
    const { signature } = signTransaction(unsigned, chain, alice)
    expect(verdict({ ...bare, signature })).toBe('signature')
    expect(verdict({ ...signTransaction(bare, chain, alice), memo: 'a' })).toBe('signature')
  })

  test('binds the chain', () => {
    const signed = signTransaction(unsigned, chain, alice)
    expect(verdict(signed, `${chain.slice(1)}2` as Hash)).toBe('signature')
  })

  test("refuses a secret that isn't the sender's, and names no secret", () => {
    const attempt = () => signTransaction(unsigned, chain, bob)
    expect(attempt).toThrow(WrongSecretError)
    expect(attempt).toThrow(`This secret is ${addressOf(bob)}'s and can't sign for ${addressOf(alice)}.`)
    expect(new WrongSecretError(addressOf(alice), addressOf(bob))).toMatchObject({
      name: 'WrongSecretError',
      code: 'wallet.wrong_secret',
      data: { sender: addressOf(alice), signer: addressOf(bob) },
    })
  })
})
