/** Runs tasks one after the other, in the order in which they were handed in. */
export class Serial {
  private last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task)
    // A task's failure is its caller's to handle; the next one starts either way.
    this.last = result.catch(() => undefined)
    return result
  }

  /** Settles when all that was handed in so far has ended. */
  async idle(): Promise<void> {
    await this.last
  }
}
