/** What is remembered for a while, by name. Bounded: the oldest is forgotten first. */
export class ShortMemory<T> {
  private readonly entries = new Map<string, { readonly value: T; readonly until: number }>()
  private readonly now: () => number
  private readonly most: number

  /** @param now milliseconds */
  constructor(now: () => number, most = 10_000) {
    this.now = now
    this.most = most
  }

  set(name: string, value: T, ms: number): void {
    this.entries.delete(name)
    if (this.entries.size >= this.most) this.entries.delete(this.entries.keys().next().value as string)
    this.entries.set(name, { value, until: this.now() + ms })
  }

  get(name: string): T | undefined {
    const entry = this.entries.get(name)
    if (entry === undefined || entry.until > this.now()) return entry?.value
    this.entries.delete(name)
    return undefined
  }
}
