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
  private parts: Uint8Array[] = []
  private size = 0

  /** @param maxBytes of one line, without its end */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /**
   * @returns the lines that end in this piece, without blank ones; they may share its memory
   * @throws LongLineError; the lines before it are lost with it
   */
  feed(piece: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = []
    let from = 0
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const line = this.finish(piece.subarray(from, end))
      if (!isBlank(line)) lines.push(line)
      from = end + 1
    }
    this.hold(piece.subarray(from))
    return lines
  }

  /** The line that no newline has ended; undefined where there is none. */
  end(): Uint8Array | undefined {
    const line = this.finish(new Uint8Array())
    return isBlank(line) ? undefined : line
  }

  private hold(part: Uint8Array): void {
    this.size += part.length
    if (this.size > this.maxBytes) throw new LongLineError(`a line has over ${this.maxBytes} bytes`)
    if (part.length > 0) this.parts.push(part)
  }

  private finish(last: Uint8Array): Uint8Array {
    this.hold(last)
    const line = this.parts.length === 1 ? (this.parts[0] as Uint8Array) : Buffer.concat(this.parts)
    this.parts = []
    this.size = 0
    return line
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => SPACES.includes(byte))
}
