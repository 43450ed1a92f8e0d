/** Chance from a seed: the same seed makes the same choices on every machine. */
import { sha256Hex } from '@bc/core'

/** sfc32 (PractRand's small fast counter), seeded by a hash of any text. */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  /** @param seed a text of its own for every purpose, so that one purpose's draws don't shift another's */
  constructor(seed: string) {
    const word = (i: number) => Number.parseInt(sha256Hex(seed).slice(8 * i, 8 * i + 8), 16) | 0
    this.a = word(0)
    this.b = word(1)
    this.c = word(2)
  }

  /** 0 ≤ x < 1 */
  fraction(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.fraction()
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1))
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** @throws TypeError where there is nothing to choose from */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new TypeError('nothing to choose from')
    return items[this.whole(0, items.length - 1)] as T
  }

  shuffled<T>(items: readonly T[]): T[] {
    const mixed = [...items]
    for (let i = mixed.length - 1; i > 0; i--) {
      const j = this.whole(0, i)
      ;[mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T]
    }
    return mixed
  }

  /** Waiting time of a Poisson process. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.fraction())
  }

  /** What delays on the Internet look like. @param sigma standard deviation of the logarithm */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()))
    return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * this.fraction()))
  }
}
