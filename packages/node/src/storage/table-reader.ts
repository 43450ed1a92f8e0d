import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { isEndWhole } from './level-format.ts'

/** Index and filter take a twenty-fifth of most tables, and more of those with many short records. */
const END_SHARE = 8
const LEAST_END_BYTES = 16_384

/** Reads one table after the other into the same memory: there are hundreds, of megabytes each. */
export class TableReader {
  private memory = Buffer.alloc(0)

  /** @returns all of it, until the next one is read */
  async read(file: string): Promise<Buffer> {
    const handle = await open(file)
    try {
      const { size } = await handle.stat()
      this.reserve(size)
      let length = 0
      for (let more = 1; more > 0 && length < size; length += more)
        more = (await handle.read(this.memory, length, size - length, length)).bytesRead
      return this.memory.subarray(0, length)
    } finally {
      await handle.close()
    }
  }

  /**
   * Without a turn of the event loop for each of them: a start has hundreds of these to look at, and nothing else to do.
   * @returns false also where its end alone doesn't tell
   */
  isEndWhole(file: string): boolean {
    const descriptor = openSync(file, 'r')
    try {
      const { size } = fstatSync(descriptor)
      const wanted = Math.min(size, Math.max(LEAST_END_BYTES, Math.ceil(size / END_SHARE)))
      this.reserve(wanted)
      const length = readSync(descriptor, this.memory, 0, wanted, size - wanted)
      return isEndWhole(this.memory.subarray(0, length), size)
    } finally {
      closeSync(descriptor)
    }
  }

  private reserve(bytes: number): void {
    if (this.memory.length < bytes) this.memory = Buffer.alloc(bytes)
  }
}
