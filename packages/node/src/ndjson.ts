/** Lines of JSON: one value a line, as `application/x-ndjson` and in files. */

export const NDJSON_TYPE = 'application/x-ndjson'

const NEWLINE = 0x0a
const SPACES = [0x20, 0x09, 0x0d]

/** A line is longer than was agreed. Whoever reads decides which rule that breaks. */
export class LongLineError extends Error {
  override readonly name = 'LongLineError'
}

/** Cuts bytes into lines while they arrive. Never holds more than one line that has no end yet. */
export class LineSplitter {
  private readonly maxBytes: number
  private readonly cutsLong: boolean
  private parts: Uint8Array[] = []
  private size = 0
  private failed = false

  /**
   * @param maxBytes of one line, without its end
   * @param options.cutsLong a longer line doesn't end it all: it comes cut off, one byte too long still, for whoever
   *   judges each line by itself
   */
  constructor(maxBytes: number, options: { readonly cutsLong?: boolean } = {}) {
    this.maxBytes = maxBytes
    this.cutsLong = options.cutsLong === true
  }

  /**
   * @returns the lines that end in this piece, without blank ones, up to the first that is too long; they may share its
   *   memory
   * @throws LongLineError once a line was too long
   */
  feed(piece: Uint8Array): Uint8Array[] {
    return this.feedCounted(piece).filter((line) => !isBlank(line))
  }

  /** As {@link feed}, with the blank lines: for whoever says on which line of a file something stands. */
  feedCounted(piece: Uint8Array): Uint8Array[] {
    this.checkLength()
    const lines: Uint8Array[] = []
    let from = 0
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const line = this.finish(piece.subarray(from, end))
      if (this.failed) return lines
      lines.push(line)
      from = end + 1
    }
    this.hold(piece.subarray(from))
    return lines
  }

  /**
   * The line that no newline has ended; undefined where there is none.
   * @throws LongLineError where a line was too long
   */
  end(): Uint8Array | undefined {
    this.checkLength()
    const line = this.finish(new Uint8Array())
    return isBlank(line) ? undefined : line
  }

  private checkLength(): void {
    if (this.failed) throw new LongLineError(`a line has over ${this.maxBytes} bytes`)
  }

  private hold(line: Uint8Array): void {
    const part = this.cutsLong ? line.subarray(0, this.maxBytes + 1 - this.size) : line
    this.size += part.length
    this.failed ||= this.size > this.maxBytes && !this.cutsLong
    if (part.length > 0 && !this.failed) this.parts.push(part)
  }

  private finish(last: Uint8Array): Uint8Array {
    if (this.parts.length === 0 && last.length <= this.maxBytes) return last
    this.hold(last)
    const line = Buffer.concat(this.parts)
    this.parts = []
    this.size = 0
    return line
  }
}

export function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => SPACES.includes(byte))
}
