/** The transport of a simulated node: what libp2p is to a real one, over the {@link Medium}. */
import { RuleError } from '@bc/core'
import {
  PeerError,
  type PeerId,
  type PeerListener,
  type RequestOptions,
  type Transport,
  type Verdict,
} from '@bc/node/parts'
import type { Medium } from './medium.ts'

/** A gossiped message. Its name is a hash of its text, as in gossipsub: alike messages are one. */
export interface Message {
  readonly topic: string
  readonly name: string
  readonly text: Uint8Array
}

type Handler = (peer: PeerId, question: Uint8Array) => AsyncIterable<Uint8Array>
type Judge = (from: PeerId, message: Uint8Array) => Promise<Verdict>

/** As long as gossipsub remembers what it has seen. */
const SEEN_MS = 120_000

export class SimulatedTransport implements Transport {
  readonly self: PeerId
  private readonly medium: Medium<SimulatedTransport>
  private readonly nameOf: (message: Uint8Array) => string
  private readonly listeners: PeerListener[] = []
  private readonly handlers = new Map<string, Handler>()
  private readonly judges = new Map<string, Judge>()
  /** Name of a message → when it is forgotten. */
  private readonly seen = new Map<string, number>()
  private readonly answers = new Set<Answer>()
  private over = false

  constructor(self: PeerId, medium: Medium<SimulatedTransport>, nameOf: (message: Uint8Array) => string) {
    this.self = self
    this.medium = medium
    this.nameOf = nameOf
  }

  peers(): readonly PeerId[] {
    return this.medium.peersOf(this.self)
  }

  /** Each node is its own machine. */
  ownerOf(peer: PeerId): string {
    return peer
  }

  listen(listener: PeerListener): void {
    this.listeners.push(listener)
  }

  serve(protocol: string, handler: Handler): void {
    this.handlers.set(protocol, handler)
  }

  subscribe(topic: string, judge: Judge): void {
    this.judges.set(topic, judge)
  }

  /** What was seen before, even if it was somebody else's and not forwarded then, isn't sent again: as gossipsub does. */
  async publish(topic: string, text: Uint8Array): Promise<void> {
    const message = { topic, name: this.nameOf(text), text }
    if (this.remember(message.name)) this.forward(message)
  }

  async *request(
    peer: PeerId,
    protocol: string,
    question: Uint8Array,
    { frames, maxFrameBytes, stallMs, signal }: RequestOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    signal.throwIfAborted()
    const answer = new Answer(peer)
    const abort = () => answer.end(signal.reason)
    signal.addEventListener('abort', abort)
    this.answers.add(answer)
    try {
      this.ask(peer, protocol, question, answer)
      for (let i = 0; i < frames; i++) {
        const frame = await this.next(answer, stallMs)
        if (frame.length > maxFrameBytes) throw new PeerError('oversized', `a frame of ${frame.length} bytes`)
        yield frame
      }
    } finally {
      answer.end(new PeerError('gone', 'the answer is over'))
      this.answers.delete(answer)
      signal.removeEventListener('abort', abort)
    }
  }

  async disconnect(peer: PeerId, banMs?: number): Promise<void> {
    if (!this.over) this.medium.hangUp(this.self, peer, banMs)
  }

  async close(): Promise<void> {
    if (this.over) return
    this.vanish()
    for (const answer of this.answers) answer.end(new PeerError('gone', 'the node is shutting down'))
  }

  /** The node was killed: nothing is said to anybody, not even to what is left of the node itself. */
  vanish(): void {
    this.over = true
    this.medium.detach(this.self)
  }

  heardOfJoining(peer: PeerId): void {
    for (const listener of this.listeners) listener.joined(peer)
  }

  heardOfLeaving(peer: PeerId, reason: PeerError): void {
    for (const answer of this.answers) if (answer.peer === peer) answer.end(reason)
    for (const listener of this.listeners) listener.left(peer)
  }

  /** @returns whether anything was started by it */
  receive(from: PeerId, message: Message): boolean {
    const judge = this.judges.get(message.topic)
    if (judge === undefined || !this.remember(message.name)) return false
    void judge(from, message.text).then((verdict) => {
      if (verdict === 'accept') this.forward(message, from)
      if (verdict === 'unheard') this.seen.delete(message.name)
    })
    return true
  }

  /** @returns whether it is new */
  private remember(name: string): boolean {
    const now = this.medium.now()
    for (const [old, until] of this.seen) {
      if (until > now) break
      this.seen.delete(old)
    }
    if (this.seen.has(name)) return false
    this.seen.set(name, now + SEEN_MS)
    return true
  }

  private forward(message: Message, except?: PeerId): void {
    if (this.over) return
    for (const peer of this.peers()) {
      if (peer === except || this.medium.losesMessage()) continue
      this.medium.carry(this.self, peer, (receiver) => receiver.receive(this.self, message))
    }
  }

  private ask(peer: PeerId, protocol: string, question: Uint8Array, answer: Answer): void {
    const lost = this.medium.losesQuestion()
    const sent = this.medium.carry(this.self, peer, (receiver) => {
      if (!lost) void receiver.answer(this.self, protocol, question, answer)
      return !lost
    })
    if (sent === undefined) throw new PeerError('gone', 'not connected')
  }

  /** Answers somebody else's question. */
  private async answer(from: PeerId, protocol: string, question: Uint8Array, answer: Answer): Promise<void> {
    const gone = new PeerError('gone', 'the stream has ended')
    let last = 0
    const send = (frame: Uint8Array | PeerError) => {
      const arrive = () => answer.take(frame)
      last = (this.over ? undefined : this.medium.carry(this.self, from, arrive, last)) ?? last
    }
    try {
      const handler = this.handlers.get(protocol)
      if (handler) for await (const frame of handler(from, question)) send(frame)
    } catch (error) {
      // A question that can't be read ends its answer; anything else is a bug, and ends the run.
      if (!(error instanceof RuleError)) throw error
    }
    send(gone)
  }

  private async next(answer: Answer, stallMs: number): Promise<Uint8Array> {
    const late = this.medium.plan(stallMs, () => {
      answer.end(new PeerError('stalled', `the peer sent nothing for ${stallMs} ms`))
      return true
    })
    try {
      return await answer.next()
    } finally {
      late.cancel()
    }
  }
}

/** An answer on its way: frames that have arrived and weren't read yet, and how it ended. */
class Answer {
  readonly peer: PeerId
  private readonly frames: Uint8Array[] = []
  private ended: { readonly reason: unknown } | undefined
  private wake: () => void = () => undefined

  constructor(peer: PeerId) {
    this.peer = peer
  }

  /** @returns whether anybody was waiting for more */
  take(frame: Uint8Array | PeerError): boolean {
    if (this.ended) return false
    if (frame instanceof PeerError) this.end(frame)
    else this.frames.push(frame)
    this.wake()
    return true
  }

  end(reason: unknown): void {
    this.ended ??= { reason }
    this.wake()
  }

  async next(): Promise<Uint8Array> {
    while (this.frames.length === 0 && this.ended === undefined)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    const frame = this.frames.shift()
    if (frame === undefined) throw this.ended?.reason
    return frame
  }
}
