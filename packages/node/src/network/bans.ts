/** Peers and addresses that are refused for a while. Bounded: the oldest ban is forgotten first. */
const MOST = 10_000

export class Bans {
  private readonly until = new Map<string, number>()
  private readonly now: () => number

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.now = now
  }

  add(name: string, ms: number): void {
    this.until.delete(name)
    if (this.until.size >= MOST) this.until.delete(this.until.keys().next().value as string)
    this.until.set(name, this.now() + ms)
  }

  has(name: string): boolean {
    const until = this.until.get(name)
    if (until === undefined) return false
    if (until > this.now()) return true
    this.until.delete(name)
    return false
  }
}
