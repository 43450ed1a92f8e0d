/** Random values of strict messages, and how to compare what was read with what was meant. */
import type { JsonValue } from '@bc/core'
import fc from 'fast-check'

const MAX = 2 ** 53 - 1

/** Where spellings and sort orders go wrong: controls, DEL, quotes, both ends of each UTF-16 range, astral characters. */
const awkward = fc.constantFrom(
  ...'"\\/\b\f\n\r\t\u0000\u001f \u007f\u0080\u00e9\u00ff\u0100\u2028\u2029\u53d1\u7968',
  ...'\ud7ff\ue000\uf8ff\ufeff\ufffd\uffff',
  '\u{10000}',
  '\u{1f9fe}',
  '\u{10ffff}',
)

/** Well-formed Unicode: no lone surrogate. */
export const wellFormed = fc.string({
  unit: fc.oneof(awkward, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom(...'abc019')),
  maxLength: 12,
})

/** Any UTF-16 at all. */
export const anyUnits = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    awkward,
  ),
})

export const strictNumber = fc.oneof(fc.nat(99), fc.maxSafeNat(), fc.constantFrom(0, 1, MAX - 1, MAX))

const key = fc.oneof(wellFormed, fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '10', '9'))

const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 5, withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), strictNumber, wellFormed),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 6 })
      .map((members) => objectOf(members)),
  ),
}))

/** Any value that a strict message can hold. */
export const strictValue = value

/** Without a prototype, so that "__proto__" is a key like any other. */
export function objectOf(members: Iterable<readonly [string, JsonValue]>): { [key: string]: JsonValue } {
  const object: { [key: string]: JsonValue } = Object.create(null)
  for (const [name, member] of members) object[name] = member
  return object
}

/** A picture of a value in which prototypes and the order of keys don't show, and every own key does. */
export function pictureOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pictureOf)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.keys(value).map((name) => [name, pictureOf((value as Record<string, unknown>)[name])] as const)
  return new Map(members.sort(([a], [b]) => (a < b ? -1 : 1)))
}
