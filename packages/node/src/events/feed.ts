/**
 * What happens in the node, told to all who listen (`GET /events`). An event is told once it is true for everybody: on
 * the disk, followed by the pool, and seen by every other request.
 */
import { type Hash, RuleError } from '@bc/core'
import type { HeadMove } from '../chain/head-change.ts'
import { stoppingError } from '../errors.ts'
import type { EventType, HeadEvent, PeerEvent } from '../http/event-schemas.ts'
import type { MiningProgress } from '../mining/miner.ts'
import type { PoolChange } from '../pool/changes.ts'
import { EventHistory, type HistoryLimits } from './history.ts'
import { eventText, type KeptType, type Message, messagesOfHead, messagesOfPool } from './messages.ts'
import { MiningMeter } from './mining-meter.ts'
import { EventStream } from './stream.ts'

export interface FeedOptions {
  /** The chain's id, and its newest block now. */
  readonly head: HeadEvent
  readonly progress: () => MiningProgress | undefined
  readonly limits?: HistoryLimits
}

export interface Subscription {
  readonly types: readonly EventType[]
  /** The id of the last event that the client has seen. */
  readonly lastId: string | undefined
  /** Who listens: `here` for this machine's own. */
  readonly listener: 'here' | string
}

/** Strangers who listen. This machine's own always find a place beside them. */
export const MOST_STRANGERS = 256
/** From one address, or of IPv6 one network; a browser has six connections with one name, for all its pages. */
export const MOST_OF_ONE = 32

/** Those who wait in silence, and what stands between us and them, hear that we are still there. */
const HEARTBEAT_MS = 15_000
const HEARTBEAT = Buffer.from(':\n\n')
const MINING_MS = 500
/** Milliseconds after which a browser comes back. */
const RETRY = 'retry: 1000\n'

interface Listener extends Pick<Subscription, 'listener'> {
  readonly stream: EventStream
  readonly mining: boolean
}

export class EventFeed {
  private readonly history: EventHistory
  private readonly meter = new MiningMeter()
  private readonly progress: FeedOptions['progress']
  private readonly listeners = new Set<Listener>()
  /** As of the newest event: the chain may know of a newer one already. */
  private head: HeadEvent
  private timers: NodeJS.Timeout[] = []
  private closed = false

  constructor({ head, progress, limits }: FeedOptions) {
    this.head = head
    this.progress = progress
    this.history = new EventHistory(limits)
  }

  /** How many listen. */
  get size(): number {
    return this.listeners.size
  }

  /** @param pool what the pool has made of it */
  headMoved(move: HeadMove, pool: readonly PoolChange[]): void {
    const { index, hash } = move.head
    this.head = { ...this.head, height: index, tip: hash }
    this.tell([...messagesOfHead(move), ...messagesOfPool(pool)])
  }

  poolChanged(changes: readonly PoolChange[]): void {
    this.tell(messagesOfPool(changes))
  }

  peersChanged(data: PeerEvent): void {
    this.tell([{ type: 'peer', data }])
  }

  /**
   * @returns a stream that ends when the feed is closed, and breaks off for a client who is too slow
   * @throws RuleError `node.busy` where too many listen, `node.stopping`
   */
  listen({ types, lastId, listener }: Subscription): EventStream {
    this.admit(listener)
    const kept = types.filter((type) => type !== 'mining')
    const stream = new EventStream(this.history, { types: kept, ...this.beginning(kept, lastId) })
    const entry = { stream, listener, mining: types.includes('mining') }
    this.listeners.add(entry)
    stream.once('close', () => this.forget(entry))
    if (this.listeners.size === 1) this.startTimers()
    return stream
  }

  /** Everybody has heard the end; nobody is taken any more. */
  close(): void {
    this.closed = true
    this.stopTimers()
    for (const { stream } of this.listeners) stream.end()
  }

  private tell(messages: readonly Message[]): void {
    if (messages.length === 0) return
    this.history.add(messages)
    for (const { stream } of this.listeners) stream.wake()
  }

  /** Where a stream begins: after what the client has seen, or else with the head as it is. */
  private beginning(types: readonly KeptType[], lastId: string | undefined) {
    const seen = lastId === undefined ? undefined : this.history.sequenceOf(lastId)
    if (seen !== undefined && this.history.reaches(seen, types))
      return { after: seen, greeting: Buffer.from(`${RETRY}\n`) }
    const after = this.history.newest
    const text = eventText(lastId === undefined ? 'start' : 'missed', this.head, this.history.idOf(after))
    return { after, greeting: Buffer.concat([Buffer.from(RETRY), text]) }
  }

  private admit(listener: string): void {
    if (this.closed) throw stoppingError()
    const all = [...this.listeners]
    if (all.filter((other) => other.listener === listener).length >= MOST_OF_ONE)
      throw new RuleError('node.busy', `${MOST_OF_ONE} clients of this network listen already.`)
    const strangers = all.filter((other) => other.listener !== 'here').length
    if (listener !== 'here' && strangers >= MOST_STRANGERS)
      throw new RuleError('node.busy', `${MOST_STRANGERS} clients listen already.`)
  }

  private forget(entry: Listener): void {
    this.listeners.delete(entry)
    if (this.listeners.size === 0) this.stopTimers()
  }

  private startTimers(): void {
    const beat = setInterval(() => this.mention(HEARTBEAT, () => true), HEARTBEAT_MS)
    const mining = setInterval(() => this.tellMining(), MINING_MS)
    this.timers = [beat.unref(), mining.unref()]
  }

  private stopTimers(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer)
  }

  private tellMining(): void {
    if (![...this.listeners].some(({ mining }) => mining)) return
    const event = this.meter.read(this.progress())
    if (event) this.mention(eventText('mining', event), ({ mining }) => mining)
  }

  private mention(text: Buffer, isFor: (listener: Listener) => boolean): void {
    for (const listener of this.listeners) if (isFor(listener)) listener.stream.mention(text)
  }
}

/** The head of a chain, as a feed begins with it. */
export function headOf(chain: {
  readonly id: Hash
  readonly head: { readonly index: number; readonly hash: Hash }
}): HeadEvent {
  return { chain: chain.id, height: chain.head.index, tip: chain.head.hash }
}
