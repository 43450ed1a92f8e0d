import type { JsonObject, JsonValue } from './json.ts'
import { quoted } from './quoted.ts'
import { RuleError } from './rules.ts'

/** Limits of one message: `maxBytes` of UTF-8, `maxDepth` of nested arrays and objects. */
export interface JsonLimits {
  readonly maxBytes: number
  readonly maxDepth: number
}

/** No message of the protocol nests deeper than chain → block → transactions → transaction → field. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { maxBytes: 2_000_000, maxDepth: 16 }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The one parser of messages from outside. Unlike JSON.parse it refuses what could be read in two ways: duplicate
 * keys, floats, exponents, negatives, numbers above 2^53-1, lone surrogates (protocol.md, "Text form").
 * Objects have no prototype, so a key `__proto__` is a key like any other.
 *
 * @throws RuleError `message.malformed`, with the offset of the first fault
 */
export function parseJson(message: string | Uint8Array, limits: JsonLimits = DEFAULT_JSON_LIMITS): JsonValue {
  if (isLonger(message, limits.maxBytes)) throw malformed(`longer than ${limits.maxBytes} bytes`, limits.maxBytes)
  const text = typeof message === 'string' ? message : decode(message)
  return new Parser(text, limits.maxDepth).parse()
}

function isLonger(message: string | Uint8Array, maxBytes: number): boolean {
  if (message.length > maxBytes) return true
  // A UTF-16 unit takes at most three bytes, so most texts need not be encoded to know that they are short enough.
  return typeof message === 'string' && message.length * 3 > maxBytes && encoder.encode(message).length > maxBytes
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw malformed('not UTF-8', 0)
  }
}

function malformed(fault: string, offset: number): RuleError {
  return new RuleError('message.malformed', `The message is malformed at offset ${offset}: ${fault}.`, { offset })
}

// Sticky, so that each matches exactly at the parser's position.
const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const PLAIN = /[^"\\\u0000-\u001f]*/y
const WHOLE = /^(?:0|[1-9][0-9]*)$/
const HEX4 = /[0-9a-fA-F]{4}/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Parser {
  private readonly text: string
  private readonly maxDepth: number
  private at = 0

  constructor(text: string, maxDepth: number) {
    this.text = text
    this.maxDepth = maxDepth
  }

  parse(): JsonValue {
    const value = this.value(0)
    this.space()
    if (this.at < this.text.length) this.fail('more text after the value')
    return value
  }

  private value(depth: number): JsonValue {
    this.space()
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth + 1)
      case '[':
        return this.array(depth + 1)
      case '"':
        return this.string()
      case 't':
        return this.word('true', true)
      case 'f':
        return this.word('false', false)
      case 'n':
        return this.word('null', null)
      default:
        return this.number()
    }
  }

  private object(depth: number): JsonObject {
    this.enter(depth)
    const object: Record<string, JsonValue> = Object.create(null)
    if (this.closes('}')) return object
    do {
      this.space()
      const keyAt = this.at
      if (this.text[this.at] !== '"') this.fail('a key was expected')
      const key = this.string()
      if (key in object) this.fail(`the key ${quoted(key)} stands twice`, keyAt)
      this.expect(':')
      object[key] = this.value(depth)
    } while (this.continues('}'))
    return object
  }

  private array(depth: number): JsonValue[] {
    this.enter(depth)
    const items: JsonValue[] = []
    if (this.closes(']')) return items
    do items.push(this.value(depth))
    while (this.continues(']'))
    return items
  }

  private number(): number {
    const start = this.at
    const digits = this.match(NUMBER)
    if (digits === '') this.fail(start < this.text.length ? 'not a JSON value' : 'the text ends too early', start)
    if (!WHOLE.test(digits)) this.fail('only whole numbers from 0, in plain digits, are allowed', start)
    const value = Number(digits)
    if (!Number.isSafeInteger(value)) this.fail('the number is above 2^53-1', start)
    return value
  }

  private string(): string {
    const start = this.at++
    let value = this.match(PLAIN)
    while (this.text[this.at] === '\\') {
      value += this.escape()
      value += this.match(PLAIN)
    }
    if (this.text[this.at] !== '"') this.fail('a string is not closed or holds a control character')
    this.at++
    if (!value.isWellFormed()) this.fail('a string holds a lone surrogate', start)
    return value
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? ''
    this.at += 2
    if (letter === 'u') {
      const digits = this.match(HEX4)
      if (digits === '') this.fail('\\u needs four hex digits')
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    return ESCAPES[letter] ?? this.fail('no such escape', this.at - 2)
  }

  private word<T extends JsonValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail('not a JSON value')
    this.at += word.length
    return value
  }

  private enter(depth: number): void {
    if (depth > this.maxDepth) this.fail(`nested deeper than ${this.maxDepth}`)
    this.at++
  }

  private closes(end: string): boolean {
    this.space()
    if (this.text[this.at] !== end) return false
    this.at++
    return true
  }

  private continues(end: string): boolean {
    if (this.closes(end)) return false
    this.expect(',')
    return true
  }

  private expect(mark: string): void {
    this.space()
    if (this.text[this.at] !== mark) this.fail(`"${mark}" was expected`)
    this.at++
  }

  private space(): void {
    this.match(SPACE)
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0] ?? ''
    this.at += found.length
    return found
  }

  private fail(fault: string, offset: number = this.at): never {
    throw malformed(fault, offset)
  }
}
