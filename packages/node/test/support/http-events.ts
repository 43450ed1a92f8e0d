/** A client of `GET /events` that can be slow, and comes and goes as a test says. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createParser } from 'eventsource-parser'
import { onTestFinished } from 'vitest'
import type { App } from '../../src/http/app.ts'
import { EVENT_SCHEMAS } from '../../src/http/event-schemas.ts'
import { Contract, type Json } from './http-contract.ts'

export interface Heard<Data = Json> {
  readonly event: string
  readonly id: string | undefined
  readonly data: Data
}

export interface Listening {
  readonly headers: IncomingMessage['headers']
  /** All that was heard so far, in order. */
  readonly heard: readonly Heard[]
  /** The comments, for those who wait in silence. */
  readonly comments: () => number
  readonly lastId: () => string | undefined
  /** Resolves with all that was heard once the condition holds; rejects where the stream is over before. */
  until(condition: (heard: readonly Heard[]) => boolean): Promise<readonly Heard[]>
  /** Resolves with how the stream has ended: in order, or broken off. */
  readonly ended: Promise<'ended' | 'broken'>
  pause(): void
  resume(): void
  /** Hangs up, and waits for it. */
  close(): Promise<void>
}

export interface ListenOptions {
  /** `all` for a request that names none; usually those that come for sure, and not mining, which comes by the clock. */
  readonly types?: 'all' | string
  readonly lastId?: string | undefined
  readonly ip?: string
  /** Every event is held to its schema in the node's own document. */
  readonly app?: App
}

/** @throws with the status where the node refuses */
export async function listen(port: number, options: ListenOptions = {}): Promise<Listening> {
  const { types = 'block,transaction,reorganisation,peer', lastId, ip = '127.0.0.1', app } = options
  const contract = app && (await Contract.of(app))
  const sent = request({
    host: ip,
    port,
    path: types === 'all' ? '/events' : `/events?types=${types}`,
    headers: { host: `localhost:${port}`, ...(lastId !== undefined && { 'last-event-id': lastId }) },
    agent: false,
  })
  sent.end()
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  if (message.statusCode !== 200) {
    message.resume()
    throw Object.assign(new Error(`refused with ${message.statusCode}`), { status: message.statusCode })
  }
  return reading(message, contract)
}

function reading(message: IncomingMessage, contract: Contract | undefined): Listening {
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  let comments = 0
  let last: string | undefined
  let over: 'ended' | 'broken' | undefined
  const wake = () => {
    for (const look of waiting) look()
  }
  const parser = createParser({
    onEvent: ({ event = '', id, data }) => {
      const one = { event, id, data: JSON.parse(data) as Json }
      contract?.validate(EVENT_SCHEMAS[event as keyof typeof EVENT_SCHEMAS] as unknown as Json, one.data, data)
      if (id !== undefined) last = id
      heard.push(one)
      wake()
    },
    onComment: () => {
      comments++
    },
  })
  message.setEncoding('utf8')
  message.on('data', (text: string) => parser.feed(text))
  const ended = new Promise<'ended' | 'broken'>((resolve) => {
    message.on('error', () => undefined)
    message.on('close', () => {
      over = message.complete ? 'ended' : 'broken'
      resolve(over)
      wake()
    })
  })
  const until = (condition: (heard: readonly Heard[]) => boolean) =>
    new Promise<readonly Heard[]>((resolve, reject) => {
      const look = () => {
        const is = condition(heard)
        if (!is && over === undefined) return
        waiting.delete(look)
        if (is) resolve(heard)
        else reject(new Error(`the stream is ${over}: ${JSON.stringify(heard).slice(0, 2000)}`))
      }
      waiting.add(look)
      look()
    })
  const close = async () => {
    message.destroy()
    await ended
  }
  onTestFinished(close)
  return {
    headers: message.headers,
    heard,
    comments: () => comments,
    lastId: () => last,
    until,
    ended,
    pause: () => void message.pause(),
    resume: () => void message.resume(),
    close,
  }
}

export function isOf(...events: readonly string[]) {
  return ({ event }: Heard) => events.includes(event)
}
