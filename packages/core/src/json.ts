/**
 * Canonical JSON: byte for byte what Python's `json.dumps(value, sort_keys=True)` prints (protocol.md, "Text form").
 * Its text is printable ASCII, so its length is its size in bytes.
 */

/** The values a strict message can hold: whole numbers from 0 to 2^53-1 only. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws TypeError for a value that no strict message can hold: that is a bug of the caller, not a broken rule. */
export function canonicalJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value)
    case 'number':
      if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0))
        throw new TypeError(`not a canonical number: ${value}`)
      return String(value)
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(', ')}]`
      return canonicalObject(value as JsonObject)
    default:
      throw new TypeError(`not a JSON value: ${typeof value}`)
  }
}

function canonicalObject(object: JsonObject): string {
  let members = ''
  for (const key of sortedKeys(object)) {
    if (members !== '') members += ', '
    members += `${canonicalString(key)}: ${canonicalJson(object[key] as JsonValue)}`
  }
  return `{${members}}`
}

/** What was read from canonical JSON is in order already, and sorting is the dearest part of all this. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object)
  for (let i = 1; i < keys.length; i++)
    if (byCodePoint(keys[i - 1] as string, keys[i] as string) > 0) return keys.sort(byCodePoint)
  return keys
}

// Printable ASCII but for the quote and the backslash stands for itself. Most strings of the protocol are hex.
const PLAIN = /^[ !#-[\]-~]*$/

// Outside printable ASCII, JSON.stringify has escaped the control characters already; DEL and all above are left.
const NOT_PRINTABLE = /[\u007f-\uffff]/g

function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new TypeError('a string holds a lone surrogate')
  return JSON.stringify(text).replace(NOT_PRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * Python sorts by code point, JavaScript by UTF-16 unit. They differ only where a surrogate pair meets a character
 * from U+E000 to U+FFFF, so pairs are lifted above those before units are compared.
 */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return liftSurrogate(x) - liftSurrogate(y)
  }
  return a.length - b.length
}

function liftSurrogate(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
