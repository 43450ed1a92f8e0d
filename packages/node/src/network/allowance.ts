/** How much of something a peer may use, or whoever stands behind it: a bucket of points that fills up with time. */
import { ShortMemory } from './short-memory.ts'
import type { Time } from './time.ts'

export interface AllowanceOptions {
  /** Points of a full bucket. */
  readonly burst: number
  readonly perSecond: number
  readonly time: Time
}

/** More than can be connected, so that hanging up doesn't fill a bucket. */
const MOST_REMEMBERED = 1_000

interface Bucket {
  points: number
  at: number
}

export class Allowance {
  private readonly options: AllowanceOptions
  /** Until they are full again. */
  private readonly buckets: ShortMemory<Bucket>

  constructor(options: AllowanceOptions) {
    this.options = options
    this.buckets = new ShortMemory(() => options.time.now(), MOST_REMEMBERED)
  }

  /** What is left; below 0 for one that has overdrawn. */
  left(name: string): number {
    const { burst, perSecond, time } = this.options
    const bucket = this.buckets.get(name)
    return bucket ? Math.min(burst, bucket.points + ((time.now() - bucket.at) / 1000) * perSecond) : burst
  }

  /** @returns what is left then */
  spend(name: string, points: number): number {
    const { burst, perSecond, time } = this.options
    const left = this.left(name) - points
    this.buckets.set(name, { points: left, at: time.now() }, ((burst - left) / perSecond) * 1000)
    return left
  }

  /**
   * Milliseconds until there is as much; 0 where there is.
   * @param points not above the burst
   */
  wait(name: string, points: number): number {
    const missing = points - this.left(name)
    return missing <= 0 ? 0 : Math.ceil((missing / this.options.perSecond) * 1000)
  }
}
