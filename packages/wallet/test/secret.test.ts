import { createHash } from 'node:crypto'
import { publicKeyOf } from '@bc/core'
import { addressOf, nobleVerifier, parseSecret, type Secret, secretFromEntropy } from '@bc/wallet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes32, N } from './bytes.ts'

const hex64 = (number: bigint) => number.toString(16).padStart(64, '0')

describe('parseSecret', () => {
  test.each([1n, 2n, N >> 1n, N - 1n])('takes %i, from 1 to n-1', (number) => {
    expect(parseSecret(hex64(number))).toBe(hex64(number))
  })

  test.each([0n, N, N + 1n, 2n ** 256n - 1n])('refuses %i, which is out of range', (number) => {
    expect(parseSecret(hex64(number))).toBeUndefined()
  })

  const good = 'ab'.repeat(32)
  test.each([
    ['nothing', ''],
    ['a digit less', good.slice(1)],
    ['a digit more', `${good}0`],
    ['upper case', good.toUpperCase()],
    ['a prefix', `0x${good.slice(2)}`],
    ['a line end', `${good}\n`],
    ['a space before', ` ${good}`],
    ['no hex digit', `g${good.slice(1)}`],
    ['a full-width digit', `１${good.slice(1)}`],
    ['two lines', `${good}\n${good}`],
  ])('refuses %s', (_, text) => {
    expect(parseSecret(text)).toBeUndefined()
  })
})

describe('secretFromEntropy', () => {
  /** FIPS 186-5, A.2.1, written down once more. */
  const expected = (entropy: Uint8Array) =>
    hex64((BigInt(`0x${createHash('sha512').update(entropy).digest('hex')}`) % (N - 1n)) + 1n)

  // Known answers, so that no later version gives the same entropy another key; computed with Python's hashlib.
  test.each([
    [new Uint8Array(32), 'ae7fcd0a1a773b3fe666fa2853f9a5ca2c053181248467ac7b96ff6b859f6994'],
    [new Uint8Array(32).fill(0xff), 'ec4f2d67770c20d0be5409bd47beab1116e4c35e8ddaaf46403cd752819d11ea'],
    [Uint8Array.from({ length: 64 }, (_, i) => i), '7518c4d811cd820c144a117eb928f159e6025700911b75bbacecac317f3edcca'],
  ])('of %s', (entropy, secret) => {
    expect(secretFromEntropy(entropy)).toBe(secret)
  })

  test('is c mod (n-1) + 1 of the entropy, of whatever length, and always a secret with an address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 200 }), (entropy) => {
        const secret = secretFromEntropy(entropy)
        expect(secret).toBe(expected(entropy))
        expect(parseSecret(secret)).toBe(secret)
      }),
      { numRuns: 1000 },
    )
  })

  test('lets every byte count, the last of many too', () => {
    const entropy = new Uint8Array(2000)
    const others = [0, 31, 32, 63, 64, 1023, 1024, 1999].map((i) => secretFromEntropy(entropy.with(i, 1)))
    expect(new Set([secretFromEntropy(entropy), ...others]).size).toBe(9)
  })

  test('leaves the entropy as it was', () => {
    const entropy = new Uint8Array(32).fill(7)
    secretFromEntropy(entropy)
    expect(entropy).toEqual(new Uint8Array(32).fill(7))
  })

  test('reads a view, not the buffer behind it', () => {
    const buffer = Uint8Array.from({ length: 96 }, (_, i) => i)
    expect(secretFromEntropy(buffer.subarray(16, 48))).toBe(secretFromEntropy(buffer.slice(16, 48)))
  })

  test.each([0, 1, 31])('refuses %i bytes', (length) => {
    expect(() => secretFromEntropy(new Uint8Array(length))).toThrow(RangeError)
    expect(() => secretFromEntropy(new Uint8Array(length))).toThrow(
      `a secret needs at least 32 bytes of entropy, not ${length}`,
    )
  })
})

describe('addressOf', () => {
  // The first is the generator itself; the last is its negative, so the same x and the other prefix.
  test.each([
    [1n, '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'],
    [2n, '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'],
    [N - 1n, '0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'],
  ])('of %i is its public key and a checksum', (number, publicKey) => {
    const checksum = createHash('sha256').update(publicKey, 'hex').digest('hex').slice(0, 8)
    expect(addressOf(parseSecret(hex64(number)) as Secret)).toBe(publicKey + checksum)
  })

  test('is of the key that noble has for any secret', () => {
    const same = fc.property(fc.bigInt({ min: 1n, max: N - 1n }), (number) => {
      const publicKey = secp256k1.getPublicKey(bytes32(number), true)
      expect(Buffer.from(publicKeyOf(addressOf(hex64(number) as Secret)))).toEqual(Buffer.from(publicKey))
    })
    fc.assert(same, { numRuns: 200 })
  })

  test.each([0n, N, 2n ** 256n - 1n])('refuses %s, which is no secret', (number) => {
    expect(() => addressOf(hex64(number) as Secret)).toThrow()
  })

  test('is of a key on the curve', () => {
    const address = addressOf(secretFromEntropy(new Uint8Array(32)))
    expect(address).toMatch(/^0[23][0-9a-f]{72}$/)
    expect(nobleVerifier.isPublicKey(publicKeyOf(address))).toBe(true)
  })
})
