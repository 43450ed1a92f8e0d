/** What happened in a run, line by line. Two runs of one seed write the same lines, byte for byte. */
import { createHash } from 'node:crypto'

export class Journal {
  /** undefined unless the lines are kept. */
  readonly lines: string[] | undefined
  private readonly now: () => number
  private readonly hash = createHash('sha256')
  private count = 0

  /** @param now virtual milliseconds */
  constructor(now: () => number, keep: boolean) {
    this.now = now
    this.lines = keep ? [] : undefined
  }

  /** @param who a node, or "world" */
  write(who: string, what: string): void {
    const line = `${this.now().toFixed(3).padStart(14)} ${who.padEnd(5)} ${what}`
    this.hash.update(`${line}\n`)
    this.lines?.push(line)
    this.count++
  }

  get length(): number {
    return this.count
  }

  /** Stands for all the lines so far. */
  fingerprint(): string {
    return this.hash.copy().digest('hex').slice(0, 16)
  }
}
