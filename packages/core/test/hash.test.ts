import { readFileSync } from 'node:fs'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { portableSha256Hex, sha256Hex } from '../src/hash.ts'
import { hash } from '../src/platform-hash.ts'

/** Any UTF-16 units: surrogates that stand alone as well. */
const text = fc.array(fc.nat(0xffff), { maxLength: 300 }).map((units) => String.fromCharCode(...units))

test('the hash of the platform and the portable one are the same function', () => {
  // FIPS 180-2, appendix B.1.
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256Hex).not.toBe(portableSha256Hex)
  fc.assert(
    fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 300 })), (data) => {
      expect(sha256Hex(data)).toBe(portableSha256Hex(data))
      expect(sha256Hex(data)).toBe(bytesToHex(sha256(typeof data === 'string' ? utf8ToBytes(data) : data)))
    }),
  )
})

test('only in Node is the hash of the platform asked for: elsewhere there is none', () => {
  expect(hash).toBeUndefined()
  const { imports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(Object.entries(imports['#platform-hash'])).toEqual([
    ['types', './src/platform-hash.ts'],
    ['node', 'crypto'],
    ['source', './src/platform-hash.ts'],
    ['default', './dist/platform-hash.js'],
  ])
})
