/** What ends a question that is under way: its time is up, or nobody wants the answer any more. */
export class TimeLimit {
  private readonly stop = new AbortController()
  private readonly ended: () => void
  private timer: NodeJS.Timeout | undefined
  /** Milliseconds, once they are up. */
  firedAfter: number | undefined

  /** @param outer ends it as well */
  constructor(outer: AbortSignal | undefined) {
    const abort = () => this.stop.abort(outer?.reason)
    outer?.addEventListener('abort', abort)
    this.ended = () => outer?.removeEventListener('abort', abort)
    if (outer?.aborted) abort()
  }

  get signal(): AbortSignal {
    return this.stop.signal
  }

  /** @param ms from now on; undefined for as long as it takes */
  begin(ms: number | undefined): void {
    this.end()
    if (ms === undefined) return
    this.timer = setTimeout(() => {
      this.firedAfter = ms
      this.stop.abort()
    }, ms)
  }

  end(): void {
    clearTimeout(this.timer)
  }

  /** Nobody waits any more. */
  close(): void {
    this.end()
    this.ended()
  }
}
