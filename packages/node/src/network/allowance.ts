/** How much of something each peer may use: a bucket of points that fills up again with time. */
import type { Time } from './time.ts'
import type { PeerId } from './transport.ts'

export interface AllowanceOptions {
  /** Points of a full bucket. */
  readonly burst: number
  readonly perSecond: number
  readonly time: Time
}

/** Peers that are remembered: more than can be connected, so that hanging up doesn't fill a bucket. */
const MOST_REMEMBERED = 1_000

interface Bucket {
  points: number
  at: number
}

export class Allowance {
  private readonly options: AllowanceOptions
  private readonly buckets = new Map<PeerId, Bucket>()

  constructor(options: AllowanceOptions) {
    this.options = options
  }

  /** What is left; below 0 for a peer that has overdrawn. */
  left(peer: PeerId): number {
    const { burst, perSecond, time } = this.options
    const bucket = this.buckets.get(peer)
    return bucket ? Math.min(burst, bucket.points + ((time.now() - bucket.at) / 1000) * perSecond) : burst
  }

  /** @returns what is left then */
  spend(peer: PeerId, points: number): number {
    const left = this.left(peer) - points
    this.buckets.delete(peer)
    if (this.buckets.size >= MOST_REMEMBERED) this.buckets.delete(this.buckets.keys().next().value as PeerId)
    this.buckets.set(peer, { points: left, at: this.options.time.now() })
    return left
  }

  /**
   * Milliseconds until the peer has as much; 0 where it has.
   * @param points not above the burst
   */
  wait(peer: PeerId, points: number): number {
    const missing = points - this.left(peer)
    return missing <= 0 ? 0 : Math.ceil((missing / this.options.perSecond) * 1000)
  }
}
