/** One payload has one signature by one secret, whichever library makes it: a receipt, a test and `bc sign` rely on it. */
import { nativeSigner, nobleSigner, type Signer, wasmSigner } from '@bc/wallet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes32, fromHex, HALF_N, N, toNumber } from './bytes.ts'

/** Those that have to agree with noble, the reference. The native one is missing where libsecp256k1 has no binary. */
const others: readonly Signer[] = [wasmSigner(), nativeSigner()].filter((signer) => signer !== undefined)
const signers: readonly Signer[] = [nobleSigner, ...others]

/** Secrets and digests where an implementation is likeliest to go its own way: a digest may be n or more. */
const SECRETS = [1n, 2n, 3n, HALF_N, HALF_N + 1n, N - 2n, N - 1n]
const DIGESTS = [0n, 1n, HALF_N, N - 1n, N, N + 1n, 2n ** 256n - 1n]

const secret = fc.oneof(fc.constantFrom(...SECRETS), fc.bigInt({ min: 1n, max: N - 1n })).map(bytes32)
const digest = fc.oneof(fc.constantFrom(...DIGESTS), fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })).map(bytes32)

/** RFC 6979 over secp256k1, SHA-256 and low-S, as Bitcoin implementations share it; of SHA-256 of the text. */
const VECTORS: readonly [text: string, digest: string, secret: bigint, signature: string][] = [
  [
    'Satoshi Nakamoto',
    'a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e',
    1n,
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
      '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  ],
  [
    'Satoshi Nakamoto',
    'a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e',
    N - 1n,
    'fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0' +
      '6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5',
  ],
]

describe.each(signers)('$name', (signer) => {
  test.each(VECTORS)('signs %j as published', (_, digest, secret, signature) => {
    expect(Buffer.from(signer.sign(fromHex(digest), bytes32(secret))).toString('hex')).toBe(signature)
  })

  test('gives the base point for the secret 1', () => {
    expect(signer.publicKeyOf(bytes32(1n))).toEqual(secp256k1.Point.BASE.toBytes(true))
  })

  test('signs low-S, and validly', () => {
    const valid = fc.property(digest, secret, (digest, secret) => {
      const signature = signer.sign(digest, secret)
      expect(toNumber(signature.subarray(32)) <= HALF_N).toBe(true)
      expect(secp256k1.verify(signature, digest, signer.publicKeyOf(secret), { prehash: false, lowS: true })).toBe(true)
    })
    fc.assert(valid, { numRuns: 50 })
  })

  test.each([0n, N, 2n ** 256n - 1n])('refuses %s, which is no secret', (number) => {
    expect(() => signer.sign(bytes32(1n), bytes32(number))).toThrow()
    expect(() => signer.publicKeyOf(bytes32(number))).toThrow()
  })

  test('leaves what it is given as it was', () => {
    const [given, key] = [bytes32(N + 1n), bytes32(HALF_N)]
    signer.sign(given, key)
    expect([given, key]).toEqual([bytes32(N + 1n), bytes32(HALF_N)])
  })
})

describe.each(others)('noble agrees with $name', (other) => {
  const agreeOn = (digest: Uint8Array, secret: Uint8Array) => {
    expect(Buffer.from(other.sign(digest, secret))).toEqual(Buffer.from(nobleSigner.sign(digest, secret)))
    expect(Buffer.from(other.publicKeyOf(secret))).toEqual(Buffer.from(nobleSigner.publicKeyOf(secret)))
  }

  test('at every pair of edges', () => {
    for (const digest of DIGESTS) for (const secret of SECRETS) agreeOn(bytes32(digest), bytes32(secret))
  })

  test('on any digest and secret', () => {
    fc.assert(fc.property(digest, secret, agreeOn), { numRuns: 1000 })
  })
})
