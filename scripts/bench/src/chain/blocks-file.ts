/** Blocks one after the other in a file: four bytes of length, big endian, then the canonical JSON. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

const LENGTH_BYTES = 4

export class BlocksFile {
  private readonly descriptor: number

  private constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  static create(file: string): BlocksFile {
    return new BlocksFile(openSync(file, 'wx', 0o600))
  }

  append(canonical: string): void {
    const record = Buffer.alloc(LENGTH_BYTES + canonical.length)
    record.writeUInt32BE(canonical.length)
    record.write(canonical, LENGTH_BYTES, 'latin1')
    writeSync(this.descriptor, record)
  }

  close(): void {
    closeSync(this.descriptor)
  }

  /** All of them, as bytes like those that a peer sends. */
  static read(file: string): Uint8Array[] {
    const bytes = readFileSync(file)
    const blocks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const start = at + LENGTH_BYTES
      at = start + bytes.readUInt32BE(at)
      blocks.push(bytes.subarray(start, at))
    }
    return blocks
  }
}
