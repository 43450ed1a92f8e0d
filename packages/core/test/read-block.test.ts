/** Blocks are read by a shorter way where their text is canonical: it must lead where the strict parser leads. */
import {
  canonicalJson,
  headerOf,
  type JsonValue,
  parseBlock,
  parseJson,
  RuleError,
  readBlock,
  readHeader,
} from '@bc/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { badCases, goodCases } from './support/generator.ts'

type Answer = { readonly hash: string; readonly canonical: string; readonly root: string; readonly block: string }

function answer(read: () => ReturnType<typeof parseBlock>): Answer | { code: string; message: string } {
  try {
    const { hash, canonical, root, block } = read()
    return { hash, canonical, root, block: canonicalJson(block as unknown as JsonValue) }
  } catch (error) {
    if (error instanceof RuleError) return { code: error.code, message: error.message }
    throw error
  }
}

function expectAgreement(text: string): Answer | { code: string } {
  const strict = answer(() => parseBlock(parseJson(text)))
  expect(answer(() => readBlock(text))).toEqual(strict)
  return strict
}

const texts = [...[...badCases()].map(({ bad }) => bad), ...[...goodCases()].map(({ good }) => good)]

test("agrees with the strict parser on the block generator's whole table", () => {
  const kinds = new Set(texts.map((text) => ('code' in expectAgreement(text) ? 'refused' : 'read')))
  expect(kinds.size).toBe(2)
})

test('the header of a block is read from its first 600 characters as from the whole', () => {
  let read = 0
  for (const text of texts) {
    const whole = answer(() => readBlock(text))
    // Of what is no canonical block it may say what it likes, as long as it is a rule that it names.
    if (!('canonical' in whole) || whole.canonical !== text) expect(() => headerIn(text)).not.toThrow()
    else expect(headerIn(text)).toEqual(headerOf(readBlock(text).block))
    read++
  }
  expect(read).toBeGreaterThan(100)
})

test('the longest header fits into those', () => {
  const digits = (count: number) => 'f'.repeat(count)
  const most = Number.MAX_SAFE_INTEGER
  const [merkle_root, previous_hash, proof, target] = [digits(64), digits(64), digits(80), digits(64)]
  const header = { index: most, merkle_root, previous_hash, proof, target, timestamp: most }
  const text = canonicalJson({ ...header, transactions: ['a'.repeat(1_000)] })
  expect(headerIn(text)).toEqual(header)
})

function headerIn(text: string) {
  try {
    return readHeader(text.slice(0, 600))
  } catch (error) {
    if (error instanceof RuleError) return error.code
    throw error
  }
}

/** With payments, and without what alone sends a text the longer way. */
const block = texts.findLast((text) => text.includes('"signature"') && !text.includes('\\u')) as string

describe('agrees with it on what looks canonical and is not', () => {
  const shape = JSON.parse(block) as { transactions: JsonValue[] }
  /** The block with one more transaction, spelled like this. */
  const withTransaction = (spelled: string) => block.replace(/\]\}$/, `, ${spelled}]}`)
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

  test.each([
    ['a key twice', '{"a": 1, "a": 1}'],
    ['keys out of order', '{"b": 1, "a": 1}'],
    ['keys in the order of UTF-16', '{"\\ue000": 1, "\\ud83c\\udf75": 1}'],
    ['keys in the order of code points', '{"\\ud83c\\udf75": 1, "\\ue000": 1}'],
    ['keys that JavaScript puts first', '{"a": 1, "1": 1}'],
    ['such keys in order', '{"1": 1, "10": 1, "2": 1}'],
    ['a prototype', '{"__proto__": {"a": 1}}'],
    ['a float', '{"a": 1.5}'],
    ['a whole float', '{"a": 1.0}'],
    ['an exponent', '{"a": 1e3}'],
    ['minus zero', '{"a": -0}'],
    ['a negative', '{"a": -1}'],
    ['2^53', '{"a": 9007199254740992}'],
    ['2^53 - 1', '{"a": 9007199254740991}'],
    ['a lone surrogate', '{"a": "\\ud800"}'],
    ['two of them the wrong way round', '{"a": "\\udf75\\ud83c"}'],
    ['a pair', '{"a": "\\ud83c\\udf75"}'],
    ['a lone surrogate, upper case', '{"a": "\\uD800"}'],
    ['an escaped letter', '{"a": "\\u0061"}'],
    ['a slash that is escaped', '{"a": "\\/"}'],
    ['a letter beyond ASCII as it is', '{"a": "ä"}'],
    ['no spaces', '{"a":1}'],
    ['null and booleans', '[null, true, false]'],
    // The block is the first level, its list the second.
    ['14 levels', nested(14)],
    ['15 levels', nested(15)],
    ['100,000 levels', nested(100_000)],
  ])('%s', (_, spelled) => {
    expect(shape.transactions.length).toBeGreaterThan(1)
    expectAgreement(withTransaction(spelled))
  })

  test('more bytes than a message may have', () => {
    const long = (bytes: number) => withTransaction(`"${'a'.repeat(bytes - withTransaction('""').length)}"`)
    expect(expectAgreement(long(2_000_000))).toMatchObject({ canonical: long(2_000_000) })
    expect(expectAgreement(long(2_000_001))).toMatchObject({ code: 'message.malformed' })
  })
})

test('agrees with it on blocks of which somebody has changed some characters', () => {
  const edit = fc.tuple(fc.nat(block.length), fc.nat(2), fc.constantFrom(...'{}[]",: \\/u0d8e-.1aE\u00e4\ud800', ''))
  let read = 0
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 3 }), (edits) => {
      let text = block
      for (const [at, length, put] of edits) text = text.slice(0, at) + put + text.slice(at + length)
      if ('hash' in expectAgreement(text)) read++
    }),
    { numRuns: 3_000 },
  )
  expect(read).toBeGreaterThan(0)
})
