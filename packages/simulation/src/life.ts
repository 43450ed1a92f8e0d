/** One life of a node, from its start to its stop or its sudden end. Its time ends with it. */
import type { Time } from '@bc/node/parts'
import type { VirtualClock } from './clock.ts'

export class Life implements Time {
  private readonly clock: VirtualClock
  private readonly onKilled: () => void
  private over = false
  /** Writes that are left until it is killed. */
  private writes = Number.POSITIVE_INFINITY
  private reorganisationIsLast = false

  /** @param onKilled called where it ends at a write */
  constructor(clock: VirtualClock, onKilled: () => void) {
    this.clock = clock
    this.onKilled = onKilled
  }

  get isOver(): boolean {
    return this.over
  }

  now(): number {
    return this.clock.now()
  }

  /** For the dead no time passes: it never settles. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      void this.clock.sleep(ms, signal).then(() => {
        if (!this.over) resolve()
      })
    })
  }

  end(): void {
    this.over = true
  }

  /** So many more writes succeed; the one after them is never heard of again. */
  endAfterWrites(count: number): void {
    this.writes = count
  }

  /** It ends at the worst moment: the disk knows of a reorganisation, and not yet what it means for the pool. */
  endAfterReorganisation(): void {
    this.reorganisationIsLast = true
  }

  /** It shall go on after all. */
  spare(): void {
    this.writes = Number.POSITIVE_INFINITY
    this.reorganisationIsLast = false
  }

  /** @param reorganises whether this write abandons blocks */
  mayWrite(reorganises: boolean): boolean {
    if (this.over) return false
    if (this.writes-- > 0) {
      if (reorganises && this.reorganisationIsLast) this.writes = 0
      return true
    }
    this.over = true
    this.onKilled()
    return false
  }
}
