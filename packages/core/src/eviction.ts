import TinyQueue from 'tinyqueue'
import type { Address } from './address.ts'

/** What of a waiting transaction decides who goes first. */
export interface Bid {
  /** Counts arrivals. */
  readonly order: number
  readonly transaction: { readonly fee: number; readonly sender: Address }
}

/** Waiting transactions by their fee: finds the one that has to go first from a full pool. */
export class FeeIndex<Entry extends Bid> {
  private readonly byFee = new Map<number, Set<Entry>>()
  /** Every fee in `byFee`; some twice, and some that have left it. */
  private fees = ascending([])

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
    const { fee } = entry.transaction
    const bucket = this.byFee.get(fee)
    if (!bucket?.delete(entry) || bucket.size > 0) return
    this.byFee.delete(fee)
    // Its place in the queue stays until it comes up, or until most of the queue is of that kind.
    if (this.fees.length > 2 * this.byFee.size + SLACK) this.fees = ascending([...this.byFee.keys()])
  }

  /** Without looking at any entry: a flood of low fees is turned away by this alone. */
  lowestFee(): number | undefined {
    while (this.fees.length > 0 && !this.byFee.has(this.fees.peek() as number)) this.fees.pop()
    return this.fees.peek()
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
      if (bucket === undefined) continue
      passed.push(fee)
      found = latest(bucket, except)
    }
    for (const fee of passed) this.fees.push(fee)
    return found
  }
}

/** Fees in the queue beyond those that are needed, before it is made anew. */
const SLACK = 64

function ascending(fees: number[]): TinyQueue<number> {
  return new TinyQueue(fees, (a, b) => a - b)
}

function latest<Entry extends Bid>(bucket: ReadonlySet<Entry>, except: Address): Entry | undefined {
  let found: Entry | undefined
  for (const entry of bucket)
    if (entry.transaction.sender !== except && (found === undefined || entry.order > found.order)) found = entry
  return found
}
