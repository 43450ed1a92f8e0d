/** Reads bytes from the first to the last, as LevelDB and Snappy write numbers and texts. */
export class ByteReader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0
  }

  /** Of so many bytes, the lowest first. */
  number(length: number): number {
    return this.take(length).readUIntLE(0, length)
  }

  take(length: number): Buffer {
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  /** With its length before it. */
  text(): Buffer {
    return this.take(this.varint())
  }
}
