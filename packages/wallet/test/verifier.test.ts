/** What each verifier refuses, case by case; `agreement.test.ts` asks them far more and compares. */
import { createRequire } from 'node:module'
import { bestSigner, bestVerifier } from '@bc/wallet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { bytes32, compactSignature, concat, HALF_N, N, P, toNumber } from './bytes.ts'
import { native, verifiers } from './verifiers.ts'

const secret = new Uint8Array(32).fill(7)
const key = secp256k1.getPublicKey(secret)
const uncompressed = secp256k1.getPublicKey(secret, false)
const digest = new Uint8Array(32).fill(9)
const signature = secp256k1.sign(digest, secret, { prehash: false })
const r = toNumber(signature.subarray(0, 32))
const s = toNumber(signature.subarray(32))

/** 1 is the x of a point on the curve, and 5 is not: 5^3 + 7 is no square. */
const X_ON_CURVE = 1n
const X_OFF_CURVE = 5n
const prefixed = (prefix: number, ...rest: Uint8Array[]) => concat(Uint8Array.of(prefix), ...rest)

const BAD_KEYS: [string, Uint8Array][] = [
  ['no byte', new Uint8Array(0)],
  ['the single zero byte that spells infinity', new Uint8Array(1)],
  ['32 bytes, x alone', key.slice(1)],
  ['34 bytes', concat(key, new Uint8Array(1))],
  ['33 zero bytes', new Uint8Array(33)],
  ['the uncompressed key', uncompressed],
  ['the hybrid key, 06', uncompressed.with(0, 0x06)],
  ['the hybrid key, 07', uncompressed.with(0, 0x07)],
  ['64 bytes, x and y alone', uncompressed.slice(1)],
  ...[0x00, 0x01, 0x04, 0x05, 0x06, 0x07, 0x82, 0xff].map((prefix): [string, Uint8Array] => [
    `33 bytes with the prefix ${prefix}`,
    key.with(0, prefix),
  ]),
  ['an x off the curve', prefixed(0x02, bytes32(X_OFF_CURVE))],
  ['x = 0', prefixed(0x02, bytes32(0n))],
  ['x = p', prefixed(0x02, bytes32(P))],
  ['x = p + 1, an x on the curve plus p', prefixed(0x02, bytes32(P + X_ON_CURVE))],
  ['x = 2^256-1', prefixed(0x03, bytes32(2n ** 256n - 1n))],
]

const BAD_SIGNATURES: [string, Uint8Array][] = [
  ['no byte', new Uint8Array(0)],
  ['63 bytes', signature.slice(0, 63)],
  ['65 bytes', concat(signature, new Uint8Array(1))],
  ['65 bytes, a recovery byte before', prefixed(0x00, signature)],
  ['its DER', secp256k1.Signature.fromBytes(signature).toBytes('der')],
  ['64 zero bytes', new Uint8Array(64)],
  ['r = 0', compactSignature(0n, s)],
  ['s = 0', compactSignature(r, 0n)],
  ['r = n', compactSignature(N, s)],
  ['s = n', compactSignature(r, N)],
  ['r = n + 1', compactSignature(N + 1n, s)],
  ['s = n + 1', compactSignature(r, N + 1n)],
  ['r = p', compactSignature(P, s)],
  ['s = 2^256-1', compactSignature(r, 2n ** 256n - 1n)],
  ['the high-S twin', compactSignature(r, N - s)],
  ['the negative of r', compactSignature(N - r, s)],
  ['r and s exchanged', compactSignature(s, r)],
]

const BAD_DIGESTS: [string, Uint8Array][] = [
  ['no byte', new Uint8Array(0)],
  ['31 bytes', digest.slice(1)],
  ['33 bytes, of which the library would read the first 32', concat(digest, Uint8Array.of(9))],
  ['another', digest.with(31, 8)],
]

describe.each(verifiers)('$name', (verifier) => {
  test('takes a valid signature and its key', () => {
    expect(verifier.isPublicKey(key)).toBe(true)
    expect(verifier.verify(digest, signature, key)).toBe(true)
  })

  test('takes Buffers and views as well', () => {
    const buffer = Buffer.from(concat(digest, signature, key))
    expect(verifier.verify(buffer.subarray(0, 32), buffer.subarray(32, 96), buffer.subarray(96))).toBe(true)
    expect(verifier.isPublicKey(buffer.subarray(96))).toBe(true)
  })

  test('takes a key of small x: the prefixes 02 and 03 are both points', () => {
    expect(verifier.isPublicKey(prefixed(0x02, bytes32(X_ON_CURVE)))).toBe(true)
    expect(verifier.isPublicKey(prefixed(0x03, bytes32(X_ON_CURVE)))).toBe(true)
  })

  // Two s on the two sides of the border, for one key each: s = (n-1)/2 is the last low one.
  test('takes the largest low s and refuses the smallest high one', () => {
    expect(verifier.verify(digest, compactSignature(G_X, HALF_N), keyWith(HALF_N))).toBe(true)
    expect(verifier.verify(digest, compactSignature(G_X, HALF_N + 1n), keyWith(HALF_N + 1n))).toBe(false)
  })

  // All reduce digests mod n (SEC 1, section 4.1.4): a digest above n is not out of range.
  test('reads a digest mod n', () => {
    const small = secp256k1.sign(bytes32(1n), secret, { prehash: false })
    expect(verifier.verify(bytes32(1n), small, key)).toBe(true)
    expect(verifier.verify(bytes32(N + 1n), small, key)).toBe(true)
  })

  test.each(BAD_KEYS)('refuses as a key: %s', (_, bad) => {
    expect(verifier.isPublicKey(bad)).toBe(false)
    expect(verifier.verify(digest, signature, bad)).toBe(false)
  })

  test.each(BAD_SIGNATURES)('refuses as a signature: %s', (_, bad) => {
    expect(verifier.verify(digest, bad, key)).toBe(false)
  })

  test.each(BAD_DIGESTS)('refuses as a digest: %s', (_, bad) => {
    expect(verifier.verify(bad, signature, key)).toBe(false)
  })

  // A hostile peer has all the time there is. libsecp256k1 in WebAssembly loses its stack to some thousand, asked carelessly.
  test.each<[string, Uint8Array, Uint8Array]>([
    ['keys', signature, prefixed(0x02, bytes32(X_OFF_CURVE))],
    ['signatures', compactSignature(N, s), key],
  ])('outlives ten thousand bad %s', (_, badSignature, badKey) => {
    for (let i = 0; i < 10_000; i++) verifier.verify(digest, badSignature, badKey)
    expect(verifier.verify(digest, signature, key)).toBe(true)
  })

  test("shows a bug of the caller's as one", () => {
    const text = 'ab'.repeat(16) as unknown as Uint8Array
    expect(() => verifier.verify(text, signature, key)).toThrow()
  })
})

const G_X = secp256k1.Point.BASE.x

/** The key under which (x of G, s) signs the digest: the nonce is 1, so s = digest + r d and d = (s - digest) / r. */
function keyWith(wanted: bigint): Uint8Array {
  const { Fn, BASE } = secp256k1.Point
  return BASE.multiply(Fn.mul(Fn.create(wanted - toNumber(digest)), Fn.inv(G_X))).toBytes(true)
}

describe('the native verifier', () => {
  // The prebuilt binaries in secp256k1 5.0.2.
  const prebuilt = ['linux-x64', 'darwin-arm64', 'win32-x64'].includes(`${process.platform}-${process.arch}`)

  test.runIf(prebuilt)('loads on this platform, and is the best; so is the signer', () => {
    expect(native?.name).toBe('libsecp256k1')
    expect(bestVerifier().name).toBe('libsecp256k1')
    expect(bestSigner().name).toBe('libsecp256k1')
  })

  test.skipIf(prebuilt)('does not load on this platform, so WebAssembly is the best', () => {
    expect(native).toBeUndefined()
    expect(bestVerifier().name).toBe('libsecp256k1 in WebAssembly')
    expect(bestSigner().name).toBe('libsecp256k1 in WebAssembly')
  })

  test("brings no elliptic, the package's own fallback", () => {
    const { cache } = createRequire(import.meta.url)
    const loaded = Object.keys(cache).filter((file) => file.includes('node_modules'))
    expect(loaded.filter((file) => file.includes('elliptic'))).toEqual([])
    if (native) expect(loaded.filter((file) => /secp256k1[\\/]bindings\.js$/.test(file))).toHaveLength(1)
  })

  test('is looked for once', () => {
    expect(bestVerifier()).toBe(bestVerifier())
  })
})

test('the curve is as SEC 2 prints it', () => {
  expect(secp256k1.Point.CURVE().p).toBe(P)
  expect(secp256k1.Point.CURVE().n).toBe(N)
})
