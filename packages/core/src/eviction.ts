import TinyQueue from 'tinyqueue'
import type { Address } from './primitives.ts'

/** What of a waiting transaction decides who goes first. */
export interface Bid {
  /** Counts arrivals. */
  readonly order: number
  readonly transaction: { readonly fee: number; readonly sender: Address }
}

/** Waiting transactions by their fee: finds the one that has to go first from a full pool. */
export class FeeIndex<Entry extends Bid> {
  private readonly byFee = new Map<number, Set<Entry>>()
  /** Every fee in `byFee`, and now and then one that has left it. */
  private readonly fees = new TinyQueue<number>([], (a, b) => a - b)

  add(entry: Entry): void {
    const { fee } = entry.transaction
    const bucket = this.byFee.get(fee)
    if (bucket) bucket.add(entry)
    else {
      this.byFee.set(fee, new Set([entry]))
      this.fees.push(fee)
    }
  }

  delete(entry: Entry): void {
    // An empty bucket stays until its fee comes up, so that no fee is ever queued twice.
    this.byFee.get(entry.transaction.fee)?.delete(entry)
  }

  /**
   * The lowest fee, of equal ones the latest arrival.
   * @param except whose transactions are passed over: nobody pushes out their own earlier ones
   */
  lowest(except: Address): Entry | undefined {
    const passed: number[] = []
    let found: Entry | undefined
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

function latest<Entry extends Bid>(bucket: ReadonlySet<Entry>, except: Address): Entry | undefined {
  let found: Entry | undefined
  for (const entry of bucket)
    if (entry.transaction.sender !== except && (found === undefined || entry.order > found.order)) found = entry
  return found
}
