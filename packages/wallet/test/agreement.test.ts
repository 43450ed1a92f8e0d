/**
 * The chain splits where two nodes disagree on one signature, so all verifiers have to agree on every input. Asked
 * here: signatures that are valid, and what a hostile peer makes of them.
 */
import type { SignatureVerifier } from '@bc/core'
import { nobleVerifier } from '@bc/wallet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes32, compactSignature, concat, HALF_N, N, P, toNumber } from './bytes.ts'
import { others } from './verifiers.ts'

interface Question {
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  readonly key: Uint8Array
}

const MAX = 2n ** 256n - 1n
const EDGES = [0n, 1n, 2n, HALF_N, HALF_N + 1n, N - 2n, N - 1n, N, N + 1n, P - N, P - 1n, P, P + 1n, P + 2n, MAX]

/** Signed before the runs start: noble signs a few thousand times a second. Digests at the edges are among them. */
const VALID: readonly Question[] = [1n, 2n, 3n, HALF_N, N - 1n, 0xabcdefn ** 10n].flatMap((scalar) =>
  [...EDGES, 0x1234567n ** 9n].map((number) => {
    const digest = bytes32(number)
    const signature = secp256k1.sign(digest, bytes32(scalar), { prehash: false })
    return { digest, signature, key: secp256k1.getPublicKey(bytes32(scalar)) }
  }),
)

const edge = fc.constantFrom(...EDGES)
const number = fc.oneof(edge, fc.bigInt({ min: 0n, max: MAX }))
const scalarPart = fc.constantFrom('r', 's')
const part = fc.constantFrom('digest', 'signature', 'key')

type Change = (question: Question) => Question

const flip = fc.tuple(part, fc.nat(), fc.nat(7)).map(
  ([name, at, bit]): Change =>
    (question) => {
      const bytes = question[name]
      const i = at % Math.max(bytes.length, 1)
      return bytes.length === 0 ? question : { ...question, [name]: bytes.with(i, (bytes[i] ?? 0) ^ (1 << bit)) }
    },
)

const cut = fc.tuple(part, fc.nat(70)).map(
  ([name, length]): Change =>
    (question) => {
      return { ...question, [name]: question[name].slice(0, length) }
    },
)

const grow = fc.tuple(part, fc.uint8Array({ minLength: 1, maxLength: 33 }), fc.boolean()).map(
  ([name, bytes, before]): Change =>
    (question) => ({
      ...question,
      [name]: before ? concat(bytes, question[name]) : concat(question[name], bytes),
    }),
)

/** r and s of whatever is 64 bytes long; the rest stays as it is. */
const rewrite = (change: (r: bigint, s: bigint) => [bigint, bigint]) => (question: Question) => {
  if (question.signature.length !== 64) return question
  const [r, s] = change(toNumber(question.signature.subarray(0, 32)), toNumber(question.signature.subarray(32)))
  return { ...question, signature: compactSignature(r & MAX, s & MAX) }
}

const set = fc
  .tuple(scalarPart, number)
  .map(([name, value]): Change => rewrite((r, s) => (name === 'r' ? [value, s] : [r, value])))

const twin = fc.constantFrom<Change>(
  rewrite((r, s) => [r, (2n * N - s) % N]),
  rewrite((r, s) => [(2n * N - r) % N, s]),
  rewrite((r, s) => [r + N, s]),
  rewrite((r, s) => [r, s + N]),
  rewrite((r, s) => [s, r]),
  (question) => ({ ...question, digest: bytes32((toNumber(concat(Uint8Array.of(0), question.digest)) + N) & MAX) }),
)

const prefix = fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xff).map(
  (head): Change =>
    (question) => ({ ...question, key: concat(Uint8Array.of(head), question.key.slice(1)) }),
)

const x = fc.tuple(number, fc.constantFrom(0x02, 0x03)).map(
  ([value, head]): Change =>
    (question) => ({ ...question, key: concat(Uint8Array.of(head), bytes32(value)) }),
)

/** The same point in the long forms, right (04, and 06 or 07 for its parity) and wrong. */
const long = fc.constantFrom(0x04, 0x05, 0x06, 0x07).map(
  (head): Change =>
    (question) => {
      if (!nobleVerifier.isPublicKey(question.key)) return question
      const point = secp256k1.Point.fromBytes(question.key).toBytes(false)
      return { ...question, key: point.with(0, head) }
    },
)

const valid = fc.constantFrom(...VALID)
const change = fc.oneof(flip, cut, grow, set, twin, prefix, x, long)
/** One change is what most attacks are; up to three, since one may hide another. */
const changed = fc.tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 })).map(([question, changes]) => {
  return changes.reduce((next, one) => one(next), question)
})

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const arbitrary = fc.record({ digest: bytes(32), signature: bytes(64), key: bytes(33) })
const anyLength = fc.uint8Array({ maxLength: 80 })
const anything = fc.record({ digest: anyLength, signature: anyLength, key: anyLength })

describe.each(others)('noble agrees with $name', (other) => {
  const answers = (question: Question, verifier: SignatureVerifier) => [
    verifier.isPublicKey(question.key),
    verifier.verify(question.digest, question.signature, question.key),
  ]

  function agreeOn(questions: fc.Arbitrary<Question>, numRuns: number): number {
    let accepted = 0
    const agree = fc.property(questions, (question) => {
      const said = answers(question, nobleVerifier)
      expect(answers(question, other)).toEqual(said)
      if (said[1]) accepted++
    })
    fc.assert(agree, { numRuns })
    return accepted
  }

  test('on valid signatures, digests at the edges included', () => {
    for (const question of VALID) {
      expect(answers(question, nobleVerifier)).toEqual([true, true])
      expect(answers(question, other)).toEqual([true, true])
    }
  })

  // Some changes leave a signature valid (a digest's bit flipped twice, 02 for 02), so that agreement isn't idle.
  test('on signatures that somebody changed', () => {
    expect(agreeOn(changed, 10_000)).toBeGreaterThan(0)
  })

  test('on arbitrary bytes of the right lengths', () => {
    agreeOn(arbitrary, 4000)
  })

  test('on arbitrary bytes of any length', () => {
    agreeOn(anything, 4000)
  })

  test('on r and s at every pair of edges', () => {
    for (const r of EDGES)
      for (const s of EDGES) {
        const question = { ...(VALID[0] as Question), signature: compactSignature(r, s) }
        expect(answers(question, other), `r = ${r}, s = ${s}`).toEqual(answers(question, nobleVerifier))
      }
  })

  test('on keys at every edge', () => {
    for (const x of EDGES)
      for (const head of [0x00, 0x02, 0x03, 0x04]) {
        const question = { ...(VALID[0] as Question), key: concat(Uint8Array.of(head), bytes32(x)) }
        expect(answers(question, other), `${head}, ${x}`).toEqual(answers(question, nobleVerifier))
      }
  })
})
