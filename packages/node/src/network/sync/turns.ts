/** Who waits for its turn, and what for. */
interface Waiting {
  readonly rank: Rank
  readonly start: () => void
}

export interface Rank {
  /** The more of it somebody has shown, the sooner it has its turn. */
  readonly work: bigint
  /** Then: the less often it has failed. */
  readonly failures: number
}

/** Does one thing at a time. Of those who wait, the best goes next, and of equals the one who came first. */
export class Turns {
  private readonly waiting: Waiting[] = []
  private taken = false

  async run<T>(rank: Rank, task: () => Promise<T>): Promise<T> {
    if (this.taken) await new Promise<void>((start) => this.waiting.push({ rank, start }))
    this.taken = true
    try {
      return await task()
    } finally {
      this.handOn()
    }
  }

  /** It is never free in between, so that nobody comes before those who wait. */
  private handOn(): void {
    const next = this.waiting.toSorted((a, b) => byRank(a.rank, b.rank))[0]
    if (next) this.waiting.splice(this.waiting.indexOf(next), 1)
    else this.taken = false
    next?.start()
  }
}

function byRank(a: Rank, b: Rank): number {
  if (a.work !== b.work) return a.work > b.work ? -1 : 1
  return a.failures - b.failures
}
