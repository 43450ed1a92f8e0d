/**
 * Cuts the list in `{"chain": [block, …], "length": N}`, in `{"blocks": […], …}` or in a bare `[block, …]` into its items
 * while it arrives, so that neither a long chain nor a bad one is ever in memory as a whole. Items come out as the bytes
 * that they were; what stands around them is kept, with a 0 for each of them, and read strictly at the end.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson, RuleError } from '@bc/core'

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
/** Around an item there are a 0, a comma and at most two spaces; and then there is the frame itself. */
const FRAME_BYTES = 4096
const BYTES_PER_ITEM = 4

export interface ListLimits {
  /** Of one item. */
  readonly maxItemBytes: number
  /** The list of an object that stands under this key, and no other; all lists unless given, and also a bare one. */
  readonly key?: string
}

export class ListSplitter {
  private readonly maxItemBytes: number
  private readonly key: string | undefined
  /** The brackets around what comes next. */
  private readonly open: number[] = []
  /** The first bracket of all: what it opened may be closed when a piece's items are looked at. */
  private outermost: number | undefined
  private inString = false
  private escaped = false
  /** How many brackets stood around the item that has begun; undefined outside of items. */
  private itemDepth: number | undefined
  /** Neither string nor brackets: such an item ends where something else begins. */
  private isWord = false
  private parts: Uint8Array[] = []
  private size = 0
  private frame = ''
  /** Whether that ends with a space: to look would have the engine copy all of it. */
  private isSpaced = false
  /** Whether the list that is open is the one that was asked for. */
  private isWanted = false
  private items = 0

  constructor({ maxItemBytes, key }: ListLimits) {
    this.maxItemBytes = maxItemBytes
    this.key = key
  }

  /** How many brackets stand around an item: 1 in a bare list, 2 in an object. */
  get depth(): number {
    return this.outermost === OPEN_OBJECT ? 2 : 1
  }

  /**
   * @returns the items that end in this piece
   * @throws RuleError `message.malformed`
   */
  feed(piece: Uint8Array): Uint8Array[] {
    const found: Uint8Array[] = []
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] as number
      if (this.itemDepth === undefined) {
        if (this.isBetween(byte)) this.readFrame(byte)
        else {
          from = at
          this.begin(byte)
        }
      } else if (this.isWord ? endsWord(byte) : this.endsItem(byte)) {
        // The byte that ends a word is no part of it.
        const end = this.isWord ? at : at + 1
        found.push(this.finish(piece.subarray(from, end)))
        at = end - 1
      }
    }
    if (this.itemDepth !== undefined) this.hold(piece.subarray(from))
    return found
  }

  /**
   * What stands around the items, which are 0 in it.
   * @throws RuleError `message.malformed` where the text has no end
   */
  end(): { readonly frame: JsonValue; readonly items: number } {
    if (this.itemDepth !== undefined || this.open.length > 0) throw malformed('it ends too early')
    // A character of it is a byte of the text.
    const frame = Buffer.from(this.frame, 'latin1')
    return { frame: parseJson(frame, { maxBytes: frame.length, maxDepth: 3 }), items: this.items }
  }

  /** Whether a byte outside of items is no beginning of one. */
  private isBetween(byte: number): boolean {
    const inList = this.open.at(-1) === OPEN_LIST && this.open.length === this.depth
    return !inList || !this.isWanted || this.inString || byte === COMMA || byte === CLOSE_LIST || isSpace(byte)
  }

  private readFrame(byte: number): void {
    const isOutside = this.open.length === 0 && !isSpace(byte)
    if (this.key !== undefined && isOutside && byte !== OPEN_OBJECT) throw malformed('it is no JSON object')
    if (this.inString) this.stepInString(byte)
    else if (byte === QUOTE) this.inString = true
    else {
      this.stepBracket(byte)
      if (byte === OPEN_LIST && this.open.length === this.depth) this.isWanted = this.standsUnderKey()
    }
    if (!this.inString && isSpace(byte)) {
      if (!this.isSpaced) this.frame += ' '
      this.isSpaced = true
      return
    }
    this.isSpaced = false
    this.frame += String.fromCharCode(byte)
    if (this.frame.length > FRAME_BYTES + BYTES_PER_ITEM * this.items) throw malformed('it holds no list of blocks')
  }

  /** A quote that a comma or a brace stands before begins a key: in a string it would have a backslash before it. */
  private standsUnderKey(): boolean {
    if (this.key === undefined) return true
    const key = `"${this.key}":`
    const before = this.frame.slice(-key.length - 4).replaceAll(' ', '')
    return before.endsWith(`{${key}`) || before.endsWith(`,${key}`)
  }

  private begin(byte: number): void {
    this.itemDepth = this.open.length
    this.parts = []
    this.size = 0
    this.isWord = byte !== QUOTE && byte !== OPEN_LIST && byte !== OPEN_OBJECT
    if (byte === QUOTE) this.inString = true
    else this.stepBracket(byte)
  }

  private endsItem(byte: number): boolean {
    if (this.inString) this.stepInString(byte)
    else if (byte === QUOTE) this.inString = true
    else this.stepBracket(byte)
    return !this.inString && this.open.length === this.itemDepth
  }

  private stepInString(byte: number): void {
    if (this.escaped) this.escaped = false
    else if (byte === BACKSLASH) this.escaped = true
    else if (byte === QUOTE) this.inString = false
  }

  private stepBracket(byte: number): void {
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      this.outermost ??= byte
      this.open.push(byte)
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      const opened = this.open.pop()
      if (opened !== (byte === CLOSE_LIST ? OPEN_LIST : OPEN_OBJECT)) throw malformed('its brackets are no pairs')
    }
  }

  private hold(part: Uint8Array): void {
    this.size += part.length
    if (this.size > this.maxItemBytes) throw malformed(`a block has over ${this.maxItemBytes} bytes`)
    // A copy: the piece may be a buffer that is filled again.
    this.parts.push(Uint8Array.from(part))
  }

  private finish(last: Uint8Array): Uint8Array {
    this.hold(last)
    const [only] = this.parts
    const item = this.parts.length === 1 && only ? only : Buffer.concat(this.parts)
    this.itemDepth = undefined
    this.frame += '0'
    this.isSpaced = false
    this.items++
    return item
  }
}

/** @throws RuleError `message.malformed` unless the frame is an object of exactly these keys */
export function objectFrame(frame: JsonValue, list: string, other: string): JsonObject {
  if (isJsonObject(frame) && Object.keys(frame).sort().join() === [list, other].sort().join()) {
    if (Array.isArray(frame[list])) return frame
  }
  throw malformed(`it is not {"${list}": […], "${other}": …}`)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function endsWord(byte: number): boolean {
  return isSpace(byte) || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT
}

export function malformed(fault: string): RuleError {
  return new RuleError('message.malformed', `It is no chain: ${fault}.`)
}
