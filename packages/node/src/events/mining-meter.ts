/** How fast the node mines, measured from one look at the miner to the next. */
import { workOf } from '@bc/core'
import type { MiningEvent } from '../http/event-schemas.ts'
import type { MiningProgress } from '../mining/miner.ts'

export class MiningMeter {
  private before: MiningProgress | undefined

  /** @returns undefined while nothing is being mined */
  read(now: MiningProgress | undefined): MiningEvent | undefined {
    const before = now !== undefined && now.job === this.before?.job ? this.before : undefined
    this.before = now
    if (now === undefined) return undefined
    const { index, target, attempts, milliseconds } = now
    const seconds = (milliseconds - (before?.milliseconds ?? 0)) / 1000
    const rate = seconds > 0 ? (attempts - (before?.attempts ?? 0)) / seconds : 0
    return {
      index,
      attempts,
      rate: Math.round(rate),
      expected: String(workOf(target)),
      milliseconds: Math.round(milliseconds),
    }
  }
}
