/** Chance that can be had again: the same seed gives the same throws. */
export class Dice {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** 0 … n-1 (mulberry32). */
  int(n: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n)
  }

  chance(percent: number): boolean {
    return this.int(100) < percent
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from')
    return list[this.int(list.length)] as T
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)))
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.int(16).toString(16)).join('')
  }

  /** The text with some characters taken away, doubled, changed or put in. */
  mutated(text: string, alphabet: readonly string[]): string {
    const units = [...text]
    for (let i = this.int(4) + 1; i > 0; i--) {
      const at = this.int(units.length + 1)
      const taken = this.int(3)
      units.splice(at, taken, ...(taken > 0 && this.chance(50) ? [] : [this.pick(alphabet)]))
    }
    return units.join('')
  }
}
