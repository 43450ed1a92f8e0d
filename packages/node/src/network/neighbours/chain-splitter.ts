/**
 * Cuts `{"chain": [block, …], …}` into its blocks while it arrives, so that neither a long chain nor a bad one is ever
 * in memory as a whole. It finds their ends and judges nothing else: each is parsed on its own then.
 */
import { RuleError } from '@bc/core'

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const SPACE = [0x20, 0x09, 0x0a, 0x0d]
/** `"chain"`: a longer key needn't be remembered to know that it is another one. */
const KEY_BYTES = 5

export class ChainSplitter {
  private readonly maxBlockBytes: number
  private depth = 0
  private inString = false
  private escaped = false
  private key = ''
  private inChain = false
  /** Parts of the block that has begun. */
  private parts: Uint8Array[] | undefined
  private size = 0

  constructor(maxBlockBytes: number) {
    this.maxBlockBytes = maxBlockBytes
  }

  /**
   * @returns the blocks that end in this piece
   * @throws RuleError `message.malformed` where it is no object, `block.size` where a block has no end
   */
  feed(piece: Uint8Array): Uint8Array[] {
    const blocks: Uint8Array[] = []
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const before = this.parts
      const ended = this.step(piece[at] as number)
      if (this.parts && !before) from = at
      if (ended) blocks.push(this.finish(piece.subarray(from, at + 1)))
    }
    if (this.parts) this.hold(piece.subarray(from))
    return blocks
  }

  /** @returns whether a block ends here */
  private step(byte: number): boolean {
    if (this.inString) {
      this.stepInString(byte)
      return false
    }
    if (byte === QUOTE) {
      this.inString = true
      this.key = ''
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.open(byte)
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) return this.close()
    else if (this.depth === 0 && !SPACE.includes(byte)) throw noObject()
    return false
  }

  private stepInString(byte: number): void {
    if (this.escaped) this.escaped = false
    else if (byte === BACKSLASH) this.escaped = true
    else if (byte === QUOTE) this.inString = false
    if (this.depth === 1 && this.inString && this.key.length <= KEY_BYTES) this.key += String.fromCharCode(byte)
  }

  private open(byte: number): void {
    if (this.depth === 0 && byte !== OPEN_OBJECT) throw noObject()
    if (this.depth === 1 && byte === OPEN_LIST && this.key === 'chain') this.inChain = true
    this.depth++
    if (this.inChain && this.depth === 3) {
      this.parts = []
      this.size = 0
    }
  }

  private close(): boolean {
    this.depth--
    if (this.depth < 0) throw noObject()
    if (this.depth === 1) this.inChain = false
    return this.parts !== undefined && this.depth === 2
  }

  private hold(part: Uint8Array): void {
    this.size += part.length
    if (this.size > this.maxBlockBytes)
      throw new RuleError('block.size', `A block has over ${this.maxBlockBytes} bytes.`)
    this.parts?.push(part)
  }

  private finish(last: Uint8Array): Uint8Array {
    this.hold(last)
    const block = Buffer.concat(this.parts ?? [])
    this.parts = undefined
    return block
  }
}

function noObject(): RuleError {
  return new RuleError('message.malformed', 'The answer is no JSON object.')
}
