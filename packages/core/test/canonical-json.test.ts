import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../src/hash.ts'
import { canonicalJson, type JsonValue } from '../src/json.ts'
import { objectOf, strictNumber, strictValue, wellFormed } from './support/values.ts'
import { describeWith } from './support/where.ts'

describe('canonical JSON', () => {
  const table: readonly [JsonValue, string][] = [
    [null, 'null'],
    [true, 'true'],
    [false, 'false'],
    [0, '0'],
    [9007199254740991, '9007199254740991'],
    [[], '[]'],
    [{}, '{}'],
    [[1, [2, []]], '[1, [2, []]]'],
    [{ b: 1, a: { d: [], c: '' } }, '{"a": {"c": "", "d": []}, "b": 1}'],
    ['', '""'],
    ['"\\/', '"\\"\\\\/"'],
    ['\b\f\n\r\t', '"\\b\\f\\n\\r\\t"'],
    ['\u0000\u000b\u001f', '"\\u0000\\u000b\\u001f"'],
    [' ~\u007f\u0080', '" ~\\u007f\\u0080"'],
    ['é票\uffff', '"\\u00e9\\u7968\\uffff"'],
    ['🧾\u{10ffff}', '"\\ud83e\\uddfe\\udbff\\udfff"'],
    ['\u2028\u2029', '"\\u2028\\u2029"'],
    [{ é: 'é' }, '{"\\u00e9": "\\u00e9"}'],
    [{ 10: 1, 9: 2, '': 3 }, '{"": 3, "10": 1, "9": 2}'],
    [{ a: 1, A: 2, _: 3, aa: 4 }, '{"A": 2, "_": 3, "a": 1, "aa": 4}'],
    [objectOf([['__proto__', 1]]), '{"__proto__": 1}'],
  ]
  for (const [value, text] of table) test(text, () => expect(canonicalJson(value)).toBe(text))

  test('keys are sorted by code point: what lies above U+FFFF comes after U+E000 … U+FFFF', () => {
    const keys = ['\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f9fe}', '\u{10ffff}']
    const value = objectOf([...keys].reverse().map((key, i) => [`x${key}`, i]))
    const order = [...canonicalJson(value).matchAll(/: (\d)/g)].map(([, i]) => i)
    expect(order).toEqual(['5', '4', '3', '2', '1', '0'])
  })

  test('is printable ASCII, so its length is its size in bytes', () => {
    fc.assert(fc.property(strictValue, (value) => /^[ -~]*$/.test(canonicalJson(value))))
  })

  test('does not depend on the order in which keys were written', () => {
    const members = fc.uniqueArray(fc.tuple(wellFormed, strictNumber), { selector: ([key]) => key })
    fc.assert(
      fc.property(members, fc.infiniteStream(fc.nat()), (some, chance) => {
        const shuffled = some
          .map((member) => [chance.next().value as number, member] as const)
          .sort(([a], [b]) => a - b)
          .map(([, member]) => member)
        expect(canonicalJson(objectOf(shuffled))).toBe(canonicalJson(objectOf(some)))
      }),
    )
  })

  const impossible: readonly [string, unknown][] = [
    ['a fraction', 0.5],
    ['a negative number', -1],
    ['-0', -0],
    ['2^53', 2 ** 53],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['undefined', undefined],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['half of an emoji', '🍵'.slice(0, 1)],
    ['half of an emoji in a key', { ['🍵'.slice(1)]: 1 }],
    ['a fraction deep inside', { a: [{ b: 1.5 }] }],
    ['an undefined field', { a: undefined }],
  ]
  for (const [name, value] of impossible)
    test(`${name} is a bug of the caller`, () => expect(() => canonicalJson(value as JsonValue)).toThrow(TypeError))
})

const PYTHON = `
import hashlib, json, sys
texts = [json.dumps(value, sort_keys=True) for value in json.loads(sys.stdin.buffer.read().decode("utf-8"))]
print(json.dumps([[text, hashlib.sha256(text.encode("ascii")).hexdigest()] for text in texts]))
`

function askPython(values: readonly JsonValue[]): [string, string][] {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', PYTHON], {
    input: JSON.stringify(values),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`python3: ${stderr}`)
  return JSON.parse(stdout)
}

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })

const transaction = fc.record(
  {
    amount: strictNumber,
    fee: strictNumber,
    memo: wellFormed,
    nonce: strictNumber,
    recipient: hex(74),
    sender: hex(74),
    signature: hex(128),
  },
  { requiredKeys: ['amount', 'fee', 'nonce', 'recipient', 'sender', 'signature'] },
)

const block = fc.record({
  transactions: fc.array(transaction, { maxLength: 4 }),
  timestamp: strictNumber,
  target: hex(64),
  proof: hex(80),
  previous_hash: hex(64),
  merkle_root: hex(64),
  index: strictNumber,
})

/** Keys where the two sort orders differ, several in one object. */
const unsorted = fc
  .uniqueArray(fc.constantFrom(...['a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f9fe}', '\u{10ffff}']), {
    minLength: 3,
  })
  .chain((keys) =>
    fc.constant(
      objectOf(
        keys.flatMap(
          (key, i) =>
            [
              [key, i],
              [`a${key}b`, i],
            ] as const,
        ),
      ),
    ),
  )

describeWith(spawnSync('python3', ['--version']).status === 0, 'no python3 here', "Python's own", () => {
  test('json.dumps(sort_keys=True) and hashlib.sha256 agree on a thousand values and blocks', () => {
    const values = [
      ...fc.sample(strictValue, 500),
      ...fc.sample(block as fc.Arbitrary<JsonValue>, 300),
      ...fc.sample(unsorted, 100),
      ...fc.sample(wellFormed, 100),
      ['发票', '🧾', '\u007f', '\u0000\u001f\u0080\u009f', { '\u{1f9fe}': 1, '\uff5e': 2 }],
    ]
    for (const [i, [text, digest]] of askPython(values).entries()) {
      const value = values[i] as JsonValue
      expect(canonicalJson(value)).toBe(text)
      expect(sha256Hex(text)).toBe(digest)
    }
  })
})

test('sha256Hex is the SHA-256 of the UTF-8 bytes', () => {
  expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  fc.assert(
    fc.property(wellFormed, (text) => {
      expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'))
    }),
  )
})
