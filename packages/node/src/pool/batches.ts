/**
 * Transactions by the thousand. The signatures of some are looked at by all threads while those before them go through
 * the pool's door, and the disk is asked once for each group:
 *
 *     lines ─▶ form ─▶ signatures ─▶ │ door: accounts, pool, disk │ ─▶ outcomes, in the order of the lines
 *     lines ─▶ form ─▶ signatures ─▶ │                            │
 */
import type { PoolEntry, RuleError } from '@bc/core'
import type { Admission, Outcome } from './admission.ts'
import { type FormCheck, readLine, type Submission } from './submission.ts'

/** Transactions whose signatures are asked for at once. A single request that comes in between waits for no more. */
export const GROUP = 512
/** Groups under way, of all batches together. */
const GROUPS_OF_ALL = 4

/** What became of a line. */
export interface LineOutcome {
  readonly outcome: Outcome
  /** The earliest block that it could be in when it was judged. */
  readonly index: number
}

export class Batches {
  private readonly admission: Admission
  private readonly nextIndex: () => number
  private readonly slots = new Slots(GROUPS_OF_ALL)

  /** @param nextIndex that of the block after the head */
  constructor(admission: Admission, nextIndex: () => number) {
    this.admission = admission
    this.nextIndex = nextIndex
  }

  /**
   * What becomes of each line, in their order: where a line's transaction is accepted it is on the disk, as after
   * {@link Admission.submit}, and the ones after it are judged with it in the pool.
   * @param groups lines, at most {@link GROUP} at a time
   * @param tell is called with a group's outcomes as soon as they are there: the next group may be long in coming
   */
  async admit(
    groups: AsyncIterable<readonly Uint8Array[]>,
    faultOf: FormCheck,
    tell: (outcomes: readonly LineOutcome[]) => void,
  ): Promise<void> {
    let last: Promise<void> = Promise.resolve()
    for await (const lines of groups) {
      await this.slots.take()
      const before = last
      last = this.admitGroup(lines, faultOf, before)
        .finally(() => this.slots.give())
        .then(tell)
      // Met where it is awaited in its turn.
      last.catch(() => undefined)
      // Two of one batch are under way, so that the threads have the next while the door has this.
      await before
    }
    await last
  }

  /** @param before settles once the group before has been told: where that has failed this one fails as well */
  private async admitGroup(
    lines: readonly Uint8Array[],
    faultOf: FormCheck,
    before: Promise<unknown>,
  ): Promise<readonly LineOutcome[]> {
    const read = lines.map((line) => readLine(line, faultOf))
    // Without a nonce it means the one after all that its sender has waiting: that is known when its turn has come.
    if (read.some((one) => 'fields' in one && !one.namesNonce)) return before.then(() => this.oneByOne(read))
    const checked = await this.admission.check(read)
    await before
    // Now: where a transaction is mined as soon as it is here, the head has moved when the answer comes.
    const index = this.nextIndex()
    const outcomes = await this.admission.admitChecked(checked)
    return outcomes.map((outcome) => ({ outcome, index }))
  }

  private async oneByOne(read: readonly (Submission | RuleError)[]): Promise<LineOutcome[]> {
    const outcomes: LineOutcome[] = []
    for (const one of read) {
      const index = this.nextIndex()
      outcomes.push({ outcome: 'fields' in one ? await this.admission.outcomeOf(one) : one, index })
    }
    return outcomes
  }
}

export function isAdmitted(outcome: Outcome): outcome is PoolEntry {
  return 'transaction' in outcome
}

/** A number of places, given out in the order in which they were asked for. */
class Slots {
  private free: number
  private readonly waiting: (() => void)[] = []

  constructor(count: number) {
    this.free = count
  }

  async take(): Promise<void> {
    if (this.free > 0) this.free--
    else await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  give(): void {
    const next = this.waiting.shift()
    if (next) next()
    else this.free++
  }
}
