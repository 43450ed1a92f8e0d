import { RuleError } from '@bc/core'

/** The end of the year 9999: later dates have no usual spelling. */
const LAST_SECOND = 253_402_300_799

/**
 * A dev node's clock knows nothing of the machine's: it stands still until a block comes or somebody moves it, so the
 * same blocks have the same timestamps in every run. It shows the timestamp that the next block will have.
 */
export class DevClock {
  private time: number

  /** @param start Unix seconds */
  constructor(start: number) {
    this.time = start
  }

  /** Unix seconds. */
  readonly now = (): number => this.time

  /** A second passes with every block. */
  follow(head: { readonly timestamp: number }): void {
    this.time = Math.max(this.time, head.timestamp + 1)
  }

  /** @throws RuleError `request.invalid` for a time that has passed, or one too late for a calendar */
  moveTo(time: number): void {
    if (time < this.time)
      throw new RuleError('request.invalid', `The clock shows ${this.time} and moves ahead only, not to ${time}.`)
    if (time > LAST_SECOND)
      throw new RuleError('request.invalid', `The clock ends with the year 9999, at ${LAST_SECOND}.`)
    this.time = time
  }

  /** Together with the chain: see {@link Snapshots}. */
  putBack(time: number): void {
    this.time = time
  }
}
