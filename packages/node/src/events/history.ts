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

export interface HistoryLimits {
  /** Events of one type. */
  readonly events: number
  /** Bytes of one type's events. The newest is kept however long it is. */
  readonly bytes: number
}

/** A client that reads as it should has these to catch up with after a pool has taken back a deep branch. */
const LIMITS: HistoryLimits = { events: 10_000, bytes: 8_000_000 }

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

  add({ type, data }: Message): void {
    const sequence = ++this.sequence
    this.rings[type].add({ sequence, text: eventText(type, data, this.idOf(sequence)) }, this.limits)
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

class Ring {
  /** The number of the newest event that was let go; 0 for none. */
  forgotten = 0
  private readonly events: KeptEvent[] = []
  private bytes = 0

  add(event: KeptEvent, limits: HistoryLimits): void {
    this.events.push(event)
    this.bytes += event.text.length
    while (this.events.length > 1 && (this.events.length > limits.events || this.bytes > limits.bytes)) {
      const oldest = this.events.shift() as KeptEvent
      this.bytes -= oldest.text.length
      this.forgotten = oldest.sequence
    }
  }

  after(sequence: number): KeptEvent | undefined {
    let [low, high] = [0, this.events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.events[middle] as KeptEvent).sequence > sequence) high = middle
      else low = middle + 1
    }
    return this.events[low]
  }
}
