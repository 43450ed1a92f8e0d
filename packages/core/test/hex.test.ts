import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOfHex, isHex } from '../src/hex.ts'
import { anyUnits } from './support/values.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

test('bytes are what their digits spell, and digits are hex', () => {
  fc.assert(
    fc.property(bytes, (spelled) => {
      const text = bytesToHex(spelled)
      expect(isHex(text, text.length)).toBe(true)
      expect(bytesOfHex(text, text.length)).toEqual(spelled)
    }),
  )
})

test('text that is as long and has one other character is no hex, wherever it stands', () => {
  const oneWrong = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 80 }),
    fc.nat(),
    fc.integer({ max: 0xffff, min: 0 }),
  )
  fc.assert(
    fc.property(oneWrong, ([spelled, place, unit]) => {
      const text = bytesToHex(spelled)
      const at = place % text.length
      const changed = text.slice(0, at) + String.fromCharCode(unit) + text.slice(at + 1)
      const right = /^[0-9a-f]*$/.test(changed)
      expect(isHex(changed, text.length)).toBe(right)
      expect(bytesOfHex(changed, text.length) !== undefined).toBe(right)
    }),
    { numRuns: 2_000 },
  )
})

test('every character by itself, of all that there are', () => {
  const pairs = Array.from({ length: 0x10000 }, (_, code) => [`0${String.fromCharCode(code)}`, code] as const)
  const accepted = pairs.filter(([text]) => isHex(text, 2)).map(([, code]) => String.fromCharCode(code))
  expect(accepted.join('')).toBe('0123456789abcdef')
  for (const [text] of pairs) expect(bytesOfHex(text, 2) !== undefined).toBe(isHex(text, 2))
  for (const [text] of pairs.filter(([text]) => isHex(text, 2)))
    expect(bytesOfHex(text, 2)?.[0]).toBe(parseInt(text, 16))
})

test('other lengths and other values are no hex', () => {
  expect(isHex('00', 4)).toBe(false)
  expect(isHex('0000', 2)).toBe(false)
  expect(bytesOfHex('00', 4)).toBeUndefined()
  expect(bytesOfHex('0000', 2)).toBeUndefined()
  for (const value of [undefined, null, 0, ['0', '0'], { length: 2 }]) expect(isHex(value, 2)).toBe(false)
  fc.assert(
    fc.property(anyUnits, (text) => {
      expect(isHex(text, text.length)).toBe(/^[0-9a-f]*$/.test(text))
    }),
  )
})
