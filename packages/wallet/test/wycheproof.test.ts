/** Project Wycheproof: ECDSA over secp256k1 and SHA-256 with Bitcoin's rule of low-S. */
import { createHash } from 'node:crypto'
import type { SignatureVerifier } from '@bc/core'
import { expect, test } from 'vitest'
import { compressed, fromHex } from './bytes.ts'
import { compactOfDer } from './der.ts'
import { describeWithVectors } from './vectors.ts'
import { verifiers } from './verifiers.ts'

interface Suite {
  readonly testGroups: readonly { readonly publicKey: { readonly uncompressed: string }; readonly tests: Case[] }[]
}

interface Case {
  readonly tcId: number
  readonly comment: string
  /** Hex. */
  readonly msg: string
  /** Hex, meant to be DER. */
  readonly sig: string
  readonly result: 'valid' | 'invalid'
}

describeWithVectors<Suite>('Wycheproof', 'wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json', ({ testGroups }) => {
  const cases = testGroups.flatMap(({ publicKey, tests }) =>
    tests.map((one) => ({ ...one, publicKey: compressed(fromHex(publicKey.uncompressed)) })),
  )

  test('has 463 cases, of which 162 are valid', () => {
    expect(cases).toHaveLength(463)
    expect(cases.filter(({ result }) => result === 'valid')).toHaveLength(162)
  })

  // The other half is no strict DER, so that the parser beside this test refuses it.
  test('leaves 231 cases to the verifiers, 69 invalid ones among them', () => {
    const read = cases.filter(({ sig }) => compactOfDer(fromHex(sig)) !== undefined)
    expect(read).toHaveLength(231)
    expect(read.filter(({ result }) => result === 'invalid')).toHaveLength(69)
  })

  test.each(verifiers)('$name answers every case right', (verifier) => {
    const wrong = cases.filter((one) => answer(one, verifier) !== one.result)
    expect(wrong.map(({ tcId, comment, result }) => `${tcId} is ${result}: ${comment}`)).toEqual([])
  })

  test.each(verifiers)('$name knows every key for a point on the curve', (verifier) => {
    expect(cases.filter(({ publicKey }) => !verifier.isPublicKey(publicKey))).toEqual([])
  })
})

function answer(one: Case & { publicKey: Uint8Array }, verifier: SignatureVerifier): Case['result'] {
  const signature = compactOfDer(fromHex(one.sig))
  if (signature === undefined) return 'invalid'
  const digest = createHash('sha256').update(fromHex(one.msg)).digest()
  return verifier.verify(digest, signature, one.publicKey) ? 'valid' : 'invalid'
}
