/**
 * One client's stream of events. It holds no events of its own, only how far its client is: they are taken from the
 * history as fast as the client takes them. One that falls behind what is kept there is cut off.
 */
import { Readable } from 'node:stream'
import type { EventHistory } from './history.ts'
import type { KeptType } from './messages.ts'

export interface StreamPosition {
  readonly types: readonly KeptType[]
  /** What comes after it is told. */
  readonly after: number
  /** What is said first. */
  readonly greeting: Buffer
}

export class EventStream extends Readable {
  private readonly history: EventHistory
  private readonly types: readonly KeptType[]
  private position: number
  private wanted = false

  constructor(history: EventHistory, { types, after, greeting }: StreamPosition) {
    super()
    this.history = history
    this.types = types
    this.position = after
    this.push(greeting)
  }

  override _read(): void {
    this.wanted = true
    this.tellMore()
  }

  /** There is something new. */
  wake(): void {
    // Also while it is stuck: who takes nothing shall not keep his place until he does.
    if (!this.history.reaches(this.position, this.types)) this.destroy()
    else this.tellMore()
  }

  /** Something of the moment: only for a client who has taken all that came before. */
  mention(text: Buffer): void {
    if (this.wanted && this.readableLength === 0) this.wanted = this.push(text)
  }

  end(): void {
    this.wanted = false
    this.push(null)
  }

  private tellMore(): void {
    while (this.wanted && !this.destroyed) {
      const event = this.history.after(this.position, this.types)
      if (event === undefined) return
      this.position = event.sequence
      this.wanted = this.push(event.text)
    }
  }
}
