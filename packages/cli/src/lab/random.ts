/** The lab's choices: the same seed makes the same ones, on every machine. */
import { sha256Hex } from '@bc/core'

export class Random {
  private readonly seed: number
  private drawn = 0

  constructor(seed: number) {
    this.seed = seed
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    // 48 bits: for the small limits of a lab no remainder is noticeably likelier than another.
    return Number.parseInt(sha256Hex(`${this.seed}/${this.drawn++}`).slice(0, 12), 16) % limit
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    const order: T[] = []
    while (left.length > 0) order.push(...left.splice(this.below(left.length), 1))
    return order
  }
}
