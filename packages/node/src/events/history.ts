/**
 * The latest events of each type, for those who were away for a moment. Each type has a ring of its own, so that a
 * flood of transactions drives no block out; all share one numbering, so that they are told in their order.
 */
import { randomBytes } from 'node:crypto'
import { eventText, type KeptType, type Message } from './messages.ts'

export interface KeptEvent {
  /** From 1 on, by one for each event of whatever type. */
  readonly sequence: number
  readonly text: Buffer
}

/** How much of one type is kept beside the oldest of it. */
export interface HistoryLimits {
  readonly events: number
  readonly bytes: number
}

const LIMITS: HistoryLimits = { events: 10_000, bytes: 8_000_000 }
/** What a full pool takes back from a deep branch, where its transactions are no longer than most. More is in parts. */
const MOST_AT_ONCE = 32_000_000

const ID = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,14})$/

export class EventHistory {
  /** Says which run of the node an id is of: after a restart nobody goes on in the midst of another numbering. */
  private readonly run = randomBytes(8).toString('hex')
  private readonly limits: HistoryLimits
  private readonly rings: Readonly<Record<KeptType, Ring>>
  private sequence = 0

  constructor(limits: HistoryLimits = LIMITS) {
    this.limits = limits
    this.rings = { block: new Ring(), transaction: new Ring(), reorganisation: new Ring(), peer: new Ring() }
  }

  /** The number of the newest event; 0 for none. */
  get newest(): number {
    return this.sequence
  }

  /** @param messages what happens at once */
  add(messages: readonly Message[]): void {
    const events = messages.map(({ type, data }) => {
      const sequence = ++this.sequence
      return { type, sequence, text: eventText(type, data, this.idOf(sequence)) }
    })
    for (const type of new Set(events.map((event) => event.type)))
      this.rings[type].add(
        events.filter((event) => event.type === type),
        this.limits,
      )
  }

  idOf(sequence: number): string {
    return `${this.run}-${sequence}`
  }

  /** @returns undefined for an id that isn't of this run */
  sequenceOf(id: string): number | undefined {
    const [, run, digits] = ID.exec(id) ?? []
    const sequence = Number(digits)
    return run === this.run && sequence <= this.sequence ? sequence : undefined
  }

  /** Whether every event of these types that came after is still here. */
  reaches(sequence: number, types: readonly KeptType[]): boolean {
    return types.every((type) => this.rings[type].forgotten <= sequence)
  }

  /** The first event of these types that came after. */
  after(sequence: number, types: readonly KeptType[]): KeptEvent | undefined {
    let first: KeptEvent | undefined
    for (const type of types) {
      const event = this.rings[type].after(sequence)
      if (event && (first === undefined || event.sequence < first.sequence)) first = event
    }
    return first
  }
}

/** Events that happened at once, in their order. */
interface Batch {
  readonly events: readonly KeptEvent[]
  readonly bytes: number
}

/**
 * What happened at once is let go as a whole, when the limits are full of what came after it: who was up to date has the
 * time of all that to take it, however much it is. So there is never more than the limits and two of the largest.
 *
 *     6 | 7 | 8 9 10 11 12 13 | 14 | 15 | 16      with a limit of three events: 8 to 13 make room for 17
 */
class Ring {
  /** The number of the newest event that was let go; 0 for none. */
  forgotten = 0
  private readonly batches: Batch[] = []
  private events = 0
  private bytes = 0

  add(events: readonly KeptEvent[], limits: HistoryLimits): void {
    const bytes = events.reduce((sum, { text }) => sum + text.length, 0)
    if (bytes > MOST_AT_ONCE && events.length > 1) {
      const half = events.length >> 1
      for (const part of [events.slice(0, half), events.slice(half)]) this.add(part, limits)
      return
    }
    while (this.isFull(limits)) this.forget()
    this.batches.push({ events, bytes })
    this.events += events.length
    this.bytes += bytes
  }

  after(sequence: number): KeptEvent | undefined {
    const isAfter = (event: KeptEvent | undefined) => event !== undefined && event.sequence > sequence
    const batch = firstOf(this.batches, ({ events }) => isAfter(events.at(-1)))
    return batch && firstOf(batch.events, isAfter)
  }

  private isFull(limits: HistoryLimits): boolean {
    const [oldest] = this.batches
    if (oldest === undefined) return false
    return this.events - oldest.events.length >= limits.events || this.bytes - oldest.bytes >= limits.bytes
  }

  private forget(): void {
    const { events, bytes } = this.batches.shift() as Batch
    this.events -= events.length
    this.bytes -= bytes
    this.forgotten = events.at(-1)?.sequence ?? this.forgotten
  }
}

/** @param is holds from some item of the list on */
function firstOf<T>(list: readonly T[], is: (item: T) => boolean): T | undefined {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (is(list[middle] as T)) high = middle
    else low = middle + 1
  }
  return list[low]
}
