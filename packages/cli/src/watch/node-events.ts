/** The node's events, as they come on one connection (`GET /events`). */
import { isJsonObject, type JsonObject } from '@bc/core'
import type { EventType } from '@bc/node'
import { createParser } from 'eventsource-parser'
import { type Endpoint, strange } from '../client/http.ts'
import { openAnswer } from '../client/http-stream.ts'
import type { CliError } from '../failure.ts'
import { parsed } from '../json.ts'

export interface NodeEvent {
  /** What it was sent as: one of the types, or where the stream begins: `start`, `missed`. */
  readonly event: string
  readonly id: string | undefined
  readonly data: JsonObject
}

export interface EventsQuestion {
  readonly types: readonly EventType[]
  /** The id of the last event that was taken. */
  readonly after?: string | undefined
  readonly signal: AbortSignal
  /** Called when the node has said yes. */
  readonly onOpen?: () => void
}

const EVENTS = 'text/event-stream'
/** The node says something every fifteen seconds, or it is gone. */
const SILENCE_MS = 45_000
/** A reorganisation of a hundred thousand blocks. */
const EVENT_BYTES = 32 << 20
/** It goes into a header of the next question, which takes no other characters. */
const ID = /^[\x21-\x7e]{1,256}$/

/**
 * Ends where the node ends it.
 * @throws CliError `cli.no_node` where it breaks off, `cli.answer`; Refusal
 */
export async function* nodeEvents(endpoint: Endpoint, wanted: EventsQuestion): AsyncGenerator<NodeEvent> {
  const { types, after, signal, onOpen } = wanted
  const path = `/events?types=${types.join(',')}`
  const headers = { accept: EVENTS, ...(after !== undefined && { 'last-event-id': after }) }
  const question = { method: 'GET', path, headers, type: EVENTS, silenceMs: SILENCE_MS } as const
  const { pieces } = await openAnswer({ ...endpoint, signal }, question)
  onOpen?.()
  const reader = new EventReader(endpoint)
  for await (const piece of pieces) yield* reader.read(piece)
}

class EventReader {
  private readonly endpoint: Endpoint
  private readonly decoder = new TextDecoder()
  private readonly parser
  private whole: NodeEvent[] = []
  private fault: CliError | undefined

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
    this.parser = createParser({
      maxBufferSize: EVENT_BYTES,
      onEvent: ({ event = 'message', id, data }) => {
        this.whole.push({ event, id: id !== undefined && ID.test(id) ? id : undefined, data: this.dataOf(data) })
      },
      // A field that we don't know is a newer node's; more than we hold is nobody's.
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.fault = this.strange('an event without an end')
      },
    })
  }

  /** The events that are whole with this piece. */
  read(piece: Uint8Array): readonly NodeEvent[] {
    this.parser.feed(this.decoder.decode(piece, { stream: true }))
    if (this.fault) throw this.fault
    return this.whole.splice(0)
  }

  private dataOf(text: string): JsonObject {
    const value = parsed(text, EVENT_BYTES)
    if (isJsonObject(value)) return value
    throw this.strange("an event that isn't the protocol's JSON")
  }

  private strange(what: string): CliError {
    return strange(this.endpoint.node.origin, `/events with ${what}`)
  }
}
