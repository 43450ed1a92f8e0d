import TinyQueue from 'tinyqueue'
import type { PoolEntry } from './pool.ts'
import type { Address } from './primitives.ts'

/** Waiting transactions by their fee: finds the one that has to go first from a full pool. */
export class FeeIndex {
  private readonly byFee = new Map<number, Set<PoolEntry>>()
  /** Every fee in `byFee`, and now and then one that has left it. */
  private readonly fees = new TinyQueue<number>([], (a, b) => a - b)

  add(entry: PoolEntry): void {
    const { fee } = entry.transaction
    const bucket = this.byFee.get(fee)
    if (bucket) bucket.add(entry)
    else {
      this.byFee.set(fee, new Set([entry]))
      this.fees.push(fee)
    }
  }

  delete(entry: PoolEntry): void {
    // An empty bucket stays until its fee comes up, so that no fee is ever queued twice.
    this.byFee.get(entry.transaction.fee)?.delete(entry)
  }

  /**
   * The lowest fee, of equal ones the latest arrival.
   * @param except whose transactions are passed over: nobody pushes out their own earlier ones
   */
  lowest(except: Address): PoolEntry | undefined {
    const passed: number[] = []
    let found: PoolEntry | undefined
    while (found === undefined && this.fees.length > 0) {
      const fee = this.fees.pop() as number
      const bucket = this.byFee.get(fee)
      if (bucket === undefined || bucket.size === 0) this.byFee.delete(fee)
      else {
        passed.push(fee)
        found = latest(bucket, except)
      }
    }
    for (const fee of passed) this.fees.push(fee)
    return found
  }
}

function latest(bucket: ReadonlySet<PoolEntry>, except: Address): PoolEntry | undefined {
  let found: PoolEntry | undefined
  for (const entry of bucket)
    if (entry.transaction.sender !== except && (found === undefined || entry.order > found.order)) found = entry
  return found
}
