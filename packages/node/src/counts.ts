/** How many there are of each at this moment, by name: those of whom there are none take no room. */
export class Counts {
  private readonly counts = new Map<string, number>()

  of(name: string): number {
    return this.counts.get(name) ?? 0
  }

  add(name: string): void {
    this.counts.set(name, this.of(name) + 1)
  }

  remove(name: string): void {
    const left = this.of(name) - 1
    if (left > 0) this.counts.set(name, left)
    else this.counts.delete(name)
  }
}
