/**
 * Virtual time. It stands still while anything happens, and jumps to the next event once nothing does any more: a run
 * is a sequence of events, each followed to its end, in an order that the seed alone decides.
 */
import type { Time } from '@bc/node/parts'
import TinyQueue from 'tinyqueue'

/** @returns whether something was started that has to settle before time goes on */
export type Task = () => boolean

interface Event {
  /** Milliseconds. */
  readonly at: number
  /** Events of one moment happen in the order in which they were planned. */
  readonly order: number
  task: Task | undefined
}

export interface Planned {
  cancel(): void
}

export class VirtualClock implements Time {
  private readonly events = new TinyQueue<Event>([], (a, b) => a.at - b.at || a.order - b.order)
  private current = 0
  private planned = 0

  /** Milliseconds since the beginning. */
  now(): number {
    return this.current
  }

  at(ms: number, task: Task): Planned {
    const event: Event = { at: Math.max(ms, this.current), order: this.planned++, task }
    this.events.push(event)
    return {
      cancel: () => {
        event.task = undefined
      },
    }
  }

  after(ms: number, task: Task): Planned {
    return this.at(this.current + ms, task)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        planned.cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const planned = this.after(ms, () => {
        end()
        return true
      })
      signal?.addEventListener('abort', end)
    })
  }

  /** Lets events happen until there is an answer. @throws what it throws; TypeError where nothing is left to happen */
  async runUntil<T>(answer: Promise<T>): Promise<T> {
    let settledAnswer = false
    const seen = () => {
      settledAnswer = true
    }
    answer.then(seen, seen)
    await settled()
    while (!settledAnswer) {
      const event = this.events.pop()
      if (event === undefined) throw new TypeError('nothing is left to happen, and there is no answer yet')
      if (event.task === undefined) continue
      this.current = event.at
      if (event.task()) await settled()
    }
    return answer
  }
}

/**
 * Waits until nothing goes on in this process but what waits for virtual time.
 *
 * What runs here is made of promises, ticks and immediates alone: MemoryLevel answers at once, and whoever needs time
 * to pass was handed the virtual one. A turn of the event loop ends when all promises and ticks have been followed, so
 * once a turn leaves no immediate behind, everybody waits.
 */
export async function settled(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve))
  while (process.getActiveResourcesInfo().includes('Immediate'))
}
