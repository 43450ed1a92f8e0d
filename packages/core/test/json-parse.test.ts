import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, type JsonValue } from '../src/json.ts'
import { parseJson } from '../src/json-parse.ts'
import { RuleError } from '../src/rules.ts'
import { sites } from './support/generator.ts'
import { blockOn } from './support/site.ts'
import { anyUnits, pictureOf, strictValue, wellFormed } from './support/values.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** What the parser refuses with; undefined where it accepts. Anything but the one rule is a bug, and passes through. */
function refusalOf(message: string | Uint8Array): RuleError | undefined {
  try {
    parseJson(message)
    return undefined
  } catch (error) {
    if (error instanceof RuleError && error.code === 'message.malformed') return error
    throw error
  }
}

const REFUSED: readonly [string, string][] = [
  ['nothing', ''],
  ['spaces only', ' \t\r\n'],
  ['a byte order mark', '\ufeff1'],
  ['a no-break space', '\u00a01'],
  ['a form feed', '\f1'],
  ['a line separator', '1\u2028'],
  ['two values', '1 2'],
  ['a value and a comma', '1,'],
  ['a value and a bracket', '{}}'],
  ['a NUL at the end', '1\u0000'],
  ['a comment', '/**/1'],
  ['an open object', '{'],
  ['an open list', '['],
  ['an open string', '"a'],
  ['an open escape', '"\\'],
  ['an open \\u', '"\\u12'],
  ['a key without a value', '{"a"}'],
  ['a key without a value, with a colon', '{"a":}'],
  ['two colons', '{"a"::1}'],
  ['a bare key', '{a: 1}'],
  ['a key in single quotes', "{'a': 1}"],
  ['a number as a key', '{1: 1}'],
  ['null as a key', '{null: 1}'],
  ['a trailing comma in an object', '{"a": 1,}'],
  ['a leading comma in an object', '{,"a": 1}'],
  ['two commas in an object', '{"a": 1,,"b": 2}'],
  ['no comma in an object', '{"a": 1 "b": 2}'],
  ['a trailing comma in a list', '[1,]'],
  ['a leading comma in a list', '[,1]'],
  ['a comma alone in a list', '[,]'],
  ['no comma in a list', '[1 2]'],
  ['a bracket of the other kind', '[1}'],
  ['a brace of the other kind', '{"a": 1]'],
  ['a key twice', '{"a": 1, "a": 1}'],
  ['a key twice with something between', '{"a": 1, "b": 2, "a": 3}'],
  ['a key twice, once escaped', '{"a": 1, "\\u0061": 1}'],
  ['a key twice, escaped in two ways', '{"\\n": 1, "\\u000a": 1}'],
  ['a key twice, its hex in two cases', '{"\\u00e9": 1, "\\u00E9": 1}'],
  ['a key twice, astral and as a pair', '{"🧾": 1, "\\ud83e\\uddfe": 1}'],
  ['an empty key twice', '{"": 1, "": 1}'],
  ['"__proto__" twice', '{"__proto__": 1, "__proto__": 1}'],
  ['"__proto__" twice, once escaped', '{"__proto__": {}, "\\u005f_proto__": {}}'],
  ['"constructor" twice', '{"constructor": 1, "constructor": 1}'],
  ['a key twice deep inside', '[{"a": [{"b": 1, "b": 2}]}]'],
  ['a fraction', '0.5'],
  ['a whole fraction', '1.0'],
  ['a dot at the end', '1.'],
  ['a dot at the start', '.5'],
  ['an exponent', '1e3'],
  ['an exponent in upper case', '1E3'],
  ['an exponent with a sign', '1e+3'],
  ['a negative exponent', '10e-1'],
  ['an exponent of zero', '1e0'],
  ['a zero with an exponent', '0e0'],
  ['a huge exponent', '1e999'],
  ['a negative number', '-1'],
  ['a negative zero', '-0'],
  ['a negative zero as a fraction', '-0.0'],
  ['a minus alone', '-'],
  ['a plus', '+1'],
  ['a leading zero', '01'],
  ['two zeros', '00'],
  ['a zero before a minus', '0-1'],
  ['hexadecimal', '0x10'],
  ['a separator', '1_000'],
  ['a bigint', '1n'],
  ['2^53', '9007199254740992'],
  ['2^53 + 1, which would be rounded down to 2^53', '9007199254740993'],
  ['2^64', '18446744073709551616'],
  ['a number of 400 digits', '9'.repeat(400)],
  ['NaN', 'NaN'],
  ['Infinity', 'Infinity'],
  ['-Infinity', '-Infinity'],
  ['undefined', 'undefined'],
  ['TRUE', 'TRUE'],
  ['tru', 'tru'],
  ['truee', 'truee'],
  ['nul', 'nul'],
  ['None', 'None'],
  ['digits of another script', '١٢'],
  ['full-width digits', '１２'],
  ['a lone high surrogate, escaped', '"\\ud83e"'],
  ['a lone low surrogate, escaped', '"\\uddfe"'],
  ['surrogates the wrong way round', '"\\uddfe\\ud83e"'],
  ['two high surrogates and a low one', '"\\ud83e\\ud83e\\uddfe"'],
  ['a high surrogate and a letter', '"\\ud83ea"'],
  ['a lone high surrogate, raw', '"\ud83e"'],
  ['a lone low surrogate, raw', '"\uddfe"'],
  ['a lone surrogate in a key', '{"\\udc00": 1}'],
  ['an escape x', '"\\x41"'],
  ['an escape 0', '"\\0"'],
  ["an escaped '", '"\\\'"'],
  ['an escaped line break', '"\\\n"'],
  ['an escape U', '"\\U0041"'],
  ['\\u with three digits', '"\\u041"'],
  ['\\u with a letter that is no digit', '"\\u00g1"'],
  ['\\u with a sign', '"\\u+041"'],
  ['\\u in braces', '"\\u{41}"'],
  ['single quotes', "'a'"],
  ['backquotes', '`a`'],
  ...Array.from({ length: 0x20 }, (_, unit): [string, string] => [
    `U+${unit.toString(16).padStart(4, '0')} in a string`,
    `"${String.fromCharCode(unit)}"`,
  ]),
  ['17 lists in each other', '['.repeat(17) + ']'.repeat(17)],
  ['17 objects in each other', '{"a":'.repeat(17) + 1 + '}'.repeat(17)],
  ['100,000 open lists', '['.repeat(100_000)],
  ['100,000 open objects', '{"":'.repeat(100_000)],
]

describe('the strict parser refuses', () => {
  for (const [name, text] of REFUSED)
    test(name, () => {
      const refusal = refusalOf(text)
      expect(refusal?.code).toBe('message.malformed')
      const { offset } = refusal?.data ?? {}
      expect(offset).toBeGreaterThanOrEqual(0)
      expect(offset).toBeLessThanOrEqual(text.length)
      expect(refusal?.message).toContain(`offset ${offset}`)
      // A lone surrogate has no bytes.
      if (text.isWellFormed()) expect(refusalOf(utf8(text))?.code).toBe('message.malformed')
    })

  test('and names a key in a way that drives no terminal', () => {
    const message = refusalOf('{"\u009b2J\u202e": 1, "\u009b2J\u202e": 1}')?.message
    expect(message).toBe(String.raw`The message is malformed at offset 12: the key "\u009b2J\u202e" stands twice.`)
  })
})

const BYTES: readonly [string, number[]][] = [
  ['a continuation byte alone', [0x80]],
  ['a first byte alone', [0xc3]],
  ['a first byte before a quote', [0xc3, 0x22]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['an overlong quote', [0xc0, 0xa2]],
  ['an overlong slash in three bytes', [0xe0, 0x80, 0xaf]],
  ['an overlong euro in four bytes', [0xf0, 0x82, 0x82, 0xac]],
  ['a surrogate (CESU-8, one half)', [0xed, 0xa0, 0xbe]],
  ['a pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbe, 0xed, 0xb7, 0xbe]],
  ['a character above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a five-byte character', [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ['0xFE', [0xfe]],
  ['0xFF', [0xff]],
  ['Latin-1', [0xe9]],
]

describe('the strict parser refuses bytes that are no UTF-8', () => {
  for (const [name, bytes] of BYTES)
    test(name, () => {
      for (const at of [0, 1, 2]) {
        const message = [...utf8('""')]
        message.splice(at, 0, ...bytes)
        expect(refusalOf(Uint8Array.from(message))?.code).toBe('message.malformed')
      }
    })

  test('a byte order mark', () => {
    expect(refusalOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))?.code).toBe('message.malformed')
  })

  test('UTF-16', () => {
    expect(refusalOf(Uint8Array.of(0x31, 0x00))?.code).toBe('message.malformed')
    expect(refusalOf(Uint8Array.of(0xff, 0xfe, 0x31, 0x00))?.code).toBe('message.malformed')
  })
})

describe('the limits are exact', () => {
  test('depth', () => {
    expect(() => parseJson('['.repeat(16) + ']'.repeat(16))).not.toThrow()
    expect(() => parseJson('{"a":'.repeat(16) + 1 + '}'.repeat(16))).not.toThrow()
    const limits = { maxBytes: 100, maxDepth: 1 }
    expect(() => parseJson('[1, {}]', limits)).toThrow(RuleError)
    expect(parseJson('[1, 2]', limits)).toEqual([1, 2])
    expect(parseJson('1', { ...limits, maxDepth: 0 })).toBe(1)
  })

  test('what was closed no longer counts', () => {
    expect(() => parseJson(`[${Array(1000).fill('[[]]').join(',')}]`, { maxBytes: 10_000, maxDepth: 3 })).not.toThrow()
  })

  test('size', () => {
    const limits = { maxBytes: 10, maxDepth: 1 }
    expect(parseJson('"12345678"', limits)).toBe('12345678')
    expect(() => parseJson('"123456789"', limits)).toThrow(RuleError)
    expect(() => parseJson('1          ', limits)).toThrow(RuleError)
    expect(parseJson(utf8('"12345678"'), limits)).toBe('12345678')
    expect(() => parseJson(utf8('"123456789"'), limits)).toThrow(RuleError)
    expect(() => parseJson(utf8('"票票票"'), limits)).toThrow(RuleError)
  })

  test('size in bytes, also of a text', () => {
    expect(() => parseJson('"票票票"', { maxBytes: 10, maxDepth: 1 })).toThrow(RuleError)
    expect(parseJson('"票票票"', { maxBytes: 11, maxDepth: 1 })).toBe('票票票')
    fc.assert(
      fc.property(wellFormed, fc.nat(40), (text, maxBytes) => {
        const message = JSON.stringify(text)
        const fits = utf8(message).length <= maxBytes
        const read = (some: string | Uint8Array) => parseJson(some, { maxBytes, maxDepth: 1 })
        for (const some of [message, utf8(message)]) {
          if (fits) expect(read(some)).toBe(text)
          else expect(() => read(some)).toThrow(RuleError)
        }
      }),
    )
  })

  test('size, unless told otherwise', () => {
    expect(parseJson('1'.padEnd(2_000_000))).toBe(1)
    expect(() => parseJson('1'.padEnd(2_000_001))).toThrow(RuleError)
  })
})

describe('the strict parser reads', () => {
  const accepted: readonly [string, JsonValue][] = [
    [' { "a" : [ 1 , true , false , null , "x" ] } ', { a: [1, true, false, null, 'x'] }],
    ['\t\r\n[\n]', []],
    ['{}', {}],
    ['0', 0],
    ['10', 10],
    ['9007199254740991', 9007199254740991],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u00E9"', '"\\/\b\f\n\r\tAéé'],
    ['"\\ud83e\\uddfe🧾\\ud83E\\uDDFE"', '🧾🧾🧾'],
    ['"\u007f\u0080\u2028\ufeff\uffff"', '\u007f\u0080\u2028\ufeff\uffff'],
    ['{"a": 1, "A": 1, " a": 1}', { a: 1, A: 1, ' a': 1 }],
  ]
  for (const [text, value] of accepted)
    test(JSON.stringify(text), () => {
      expect(pictureOf(parseJson(text))).toEqual(pictureOf(value))
      expect(pictureOf(parseJson(utf8(text)))).toEqual(pictureOf(value))
    })

  test('"__proto__" is a key like any other, and nothing is inherited', () => {
    const value = parseJson('{"__proto__": {"amount": 5}, "constructor": 1}') as Record<string, JsonValue>
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(value.amount).toBeUndefined()
    expect(value.toString).toBeUndefined()
    expect(({} as Record<string, unknown>).amount).toBeUndefined()
  })
})

/** The same value in one of its many spellings: `chance` decides on spaces, and for each character on its escape. */
function spelled(value: JsonValue, chance: () => number): string {
  const space = () => ['', '', ' ', '\n', '\t\r\n '][chance() % 5]
  const escaped = (unit: string) => {
    const digits = unit.charCodeAt(0).toString(16).padStart(4, '0')
    return chance() % 2 ? `\\u${digits}` : `\\u${digits.toUpperCase()}`
  }
  const string = (text: string): string => {
    const letters = [...text].map((letter) => {
      const plain = JSON.stringify(letter).slice(1, -1)
      return chance() % 3 === 0 ? letter.split('').map(escaped).join('') : plain
    })
    return `"${letters.join('')}"`
  }
  const write = (inner: JsonValue): string => {
    if (typeof inner === 'string') return string(inner)
    if (typeof inner !== 'object' || inner === null) return String(inner)
    if (Array.isArray(inner)) return `[${space()}${inner.map(write).join(`${space()},${space()}`)}${space()}]`
    const members = Object.entries(inner).map(([key, member]) => `${string(key)}${space()}:${space()}${write(member)}`)
    return `{${space()}${members.join(`${space()},${space()}`)}${space()}}`
  }
  return `${space()}${write(value)}${space()}`
}

const chances = fc.infiniteStream(fc.nat(59)).map((stream) => () => stream.next().value as number)

/** Pieces that matter to a parser, to be put anywhere. */
const pieces = fc.oneof(
  fc.constantFrom(...'{}[]",:\\0123456789.-+eEtfnu \n\u0000\u001f\u007f\ufeff\ud83e\uddfe票'),
  fc.constantFrom(
    '"a": 1, ',
    '\\u',
    '\\ud83e',
    'true',
    'null',
    '1e5',
    '-0',
    '\ud83e',
    '\uddfe',
    '9007199254740993',
    '"__proto__": 1,',
  ),
)

const edits = fc.array(fc.tuple(fc.nat(), fc.nat(4), fc.option(pieces, { nil: '' })), { minLength: 1, maxLength: 4 })

function edited(text: string, changes: readonly [number, number, string][]): string {
  return changes.reduce((now, [at, length, piece]) => {
    const start = at % (now.length + 1)
    return now.slice(0, start) + piece + now.slice(start + length)
  }, text)
}

/** Whatever it accepts, JSON.parse reads in the same way; whatever it refuses, it refuses by the one rule. */
function expectSameReading(text: string): void {
  if (refusalOf(text) === undefined) expect(pictureOf(parseJson(text))).toEqual(pictureOf(JSON.parse(text)))
}

describe('properties of the strict parser', () => {
  test('reads the canonical form of every value as that value', () => {
    fc.assert(
      fc.property(strictValue, (value) => {
        expect(pictureOf(parseJson(canonicalJson(value)))).toEqual(pictureOf(value))
      }),
      { numRuns: 300 },
    )
  })

  test('reads every spelling of a value as that value, from text and from bytes', () => {
    fc.assert(
      fc.property(strictValue, chances, (value, chance) => {
        const text = spelled(value, chance)
        expect(pictureOf(parseJson(text))).toEqual(pictureOf(value))
        expect(pictureOf(parseJson(utf8(text)))).toEqual(pictureOf(value))
        expect(canonicalJson(parseJson(text))).toBe(canonicalJson(value))
      }),
      { numRuns: 300 },
    )
  })

  test('agrees with JSON.parse on all that it accepts of any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyUnits,
          fc.array(pieces).map((some) => some.join('')),
        ),
        expectSameReading,
      ),
      {
        numRuns: 1000,
      },
    )
  })

  test('agrees with JSON.parse on all that it accepts of what was nearly a value', () => {
    fc.assert(
      fc.property(strictValue, edits, (value, changes) => expectSameReading(edited(canonicalJson(value), changes))),
      { numRuns: 1000 },
    )
  })

  test('agrees with JSON.parse on all that it accepts of what was nearly a block', () => {
    const good = blockOn(sites().constant)
    fc.assert(
      fc.property(edits, (changes) => expectSameReading(edited(good, changes))),
      { numRuns: 1000 },
    )
  })

  test('refuses any bytes by the one rule, or reads them as their text', () => {
    const good = utf8(blockOn(sites().constant))
    const mutated = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      mutated.map((changes) => {
        const copy = Uint8Array.from(good)
        for (const [at, byte] of changes) copy[at] = byte
        return copy
      }),
    )
    fc.assert(
      fc.property(bytes, (message) => {
        if (refusalOf(message) !== undefined) return
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message)
        expect(pictureOf(parseJson(message))).toEqual(pictureOf(JSON.parse(text)))
      }),
      { numRuns: 1000 },
    )
  })

  test('accepts a number exactly when it is whole, from 0 to 2^53-1, in plain digits', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 18 })
    const other = fc.string({ unit: fc.constantFrom(...'0123456789.eE+-'), minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fc.oneof(digits, other), (text) => {
        const plain = /^[0-9]+$/.test(text) && (text === '0' || !text.startsWith('0'))
        const fits = plain && BigInt(text) <= 9007199254740991n
        expect(refusalOf(text) === undefined).toBe(fits)
        if (fits) expect(parseJson(text)).toBe(Number(text))
      }),
      { numRuns: 500 },
    )
  })
})
