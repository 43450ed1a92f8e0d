/** Follows a node's events through lost connections and restarts: goes on after the last event that was dealt with. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EventType } from '@bc/node'
import { type Endpoint, USUAL_TIMEOUT } from '../client/http.ts'
import { mayPass } from '../failure.ts'
import { type NodeEvent, nodeEvents } from './node-events.ts'

export interface FollowOptions {
  readonly types: readonly EventType[]
  /** Ends it: with the signal's reason as the error. */
  readonly signal: AbortSignal
  /** Whether to wait for a node that isn't there at the first time. */
  readonly isPatient?: boolean
  /** The connection is lost: once, until it is there again. */
  readonly onLost?: (reason: string) => void
  readonly onBack?: () => void
}

/**
 * @param endpoint to be asked where the answer belongs to the try
 * @returns the result, after which no event is wanted any more; undefined as long as there is none
 */
export type Handler<T extends object> = (event: NodeEvent, endpoint: Endpoint) => Promise<T | undefined>

const FIRST_TRY_MS = 2_000
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 15_000

/**
 * Hands over one event after the other. An event whose handler has failed for want of a node is handed over again.
 * @throws CliError, Refusal where waiting wouldn't help; the signal's reason
 */
export async function follow<T extends object>(
  endpoint: Endpoint,
  options: FollowOptions,
  handle: Handler<T>,
): Promise<T> {
  const line = new Line(endpoint, options, handle)
  for (;;) {
    const result = await line.hold()
    if (result !== undefined) return result
    await line.pause()
  }
}

/** One connection after the other. */
class Line<T extends object> {
  private readonly endpoint: Endpoint
  private readonly options: FollowOptions
  private readonly handle: Handler<T>
  private after: string | undefined
  /** Whether it was ever there. */
  private met: boolean
  /** Connections in a row that have brought nothing. */
  private failures = 0
  private lost = false

  constructor(endpoint: Endpoint, options: FollowOptions, handle: Handler<T>) {
    this.endpoint = endpoint
    this.options = options
    this.handle = handle
    this.met = options.isPatient === true
  }

  /** @returns the result, or undefined where the connection is lost before */
  async hold(): Promise<T | undefined> {
    const { types, signal } = this.options
    signal.throwIfAborted()
    const endpoint = this.triedEndpoint()
    try {
      const events = nodeEvents(endpoint, { types, after: this.after, signal, onOpen: () => this.opened() })
      for await (const event of events) {
        const result = await this.handle(event, endpoint)
        this.after = event.id ?? this.after
        this.failures = 0
        if (result !== undefined) return result
      }
      this.lose('the node has ended the connection.')
    } catch (error) {
      signal.throwIfAborted()
      if (!this.met || !mayPass(error)) throw error
      this.lose(error.message)
    }
    return undefined
  }

  /** Longer each time, and never quite as long as others wait: a node that is back isn't met by all at once. */
  async pause(): Promise<void> {
    const { signal } = this.options
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++)
    try {
      await delay(longest * (0.5 + Math.random() / 2), undefined, { signal })
    } catch {
      throw signal.reason
    }
  }

  /**
   * A proxy may take a connection before its node is there, and never answer on it: whoever tries again anyhow soon does.
   * A node that is slow has more time with each try.
   */
  private triedEndpoint(): Endpoint {
    if (!this.options.isPatient) return this.endpoint
    const { usualTimeout = USUAL_TIMEOUT } = this.endpoint
    return { ...this.endpoint, usualTimeout: Math.min(usualTimeout, FIRST_TRY_MS * 2 ** this.failures) }
  }

  private opened(): void {
    this.met = true
    if (this.lost) this.options.onBack?.()
    this.lost = false
  }

  private lose(reason: string): void {
    if (!this.lost) this.options.onLost?.(reason)
    this.lost = true
  }
}
