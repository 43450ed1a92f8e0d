/** The transport of a real node: questions and answers, gossip, and who is let in, over libp2p. */
import './with-resolvers.ts'
import type { Hash } from '@bc/core'
import { type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection, PeerInfo, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Log } from '../../log.ts'
import { sharedEnd } from '../../shared-end.ts'
import { isLoopback } from '../hosts.ts'
import { protocolName } from '../messages.ts'
import { hostOf, parsePeerAddress, withoutPeer, withPeer } from '../peers/peer-address.ts'
import { ShortMemory } from '../short-memory.ts'
import { machineTime } from '../time.ts'
import {
  LEAST_BYTES_PER_MS,
  PeerError,
  type PeerId,
  type PeerListener,
  type RequestOptions,
  type Transport,
  type Verdict,
} from '../transport.ts'
import { Bans } from './bans.ts'
import { Copies, isOwnName } from './copies.ts'
import { withDeadline } from './deadline.ts'
import { FrameReader, FrameWriter, writeFrame } from './frames.ts'
import { createNode, DIAL_MS, type Libp2pNodeOptions, type Node, nameOf, SEEN_MS } from './libp2p-node.ts'
import { Stalls } from './stalls.ts'

export interface Libp2pOptions extends Libp2pNodeOptions {
  /** The longest gossiped message, in bytes: whoever sends a longer one is hung up on. */
  readonly maxMessageBytes: number
  readonly log: Log
}

/** A connection on which nobody has shown that he is on our chain is hung up after so long. */
const MEET_MS = 10_000
/** Between finding that a peer is on another chain and hanging up. */
const PARTING_MS = 500
const QUESTION_BYTES = 20_000
/** From the stream's beginning, of which the asker hears behind all that we are sending him. */
const QUESTION_MS = 20_000
const HANG_UP_MS = 5_000
/** A reader that takes nothing for so long is hung up on; big frames have their time beside that. */
const ANSWER_STALL_MS = 20_000
/** Questions of one peer, of one kind, that are answered at the same time. */
const MOST_STREAMS = 8
/** Where a peer says that it listens: so many are looked at. */
const MOST_ADDRESSES = 8
/** How long we remember who stood behind a peer that has hung up: what it has said may not be judged yet. */
const AFTERMATH_MS = 60_000
/** Messages that were dropped unheard, of the same time: as many as one owner's peers can send before they are refused. */
const MOST_UNHEARD = 50_000

const VERDICTS: Readonly<Record<Verdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  unheard: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** What is remembered from before there is a transport. */
interface Memories {
  readonly bans: Bans
  /** How often a message was dropped unheard, by its name. */
  readonly unheard: ShortMemory<number>
  readonly copies: Copies
}

export class Libp2pTransport implements Transport {
  private readonly node: Node
  private readonly bans: Bans
  private readonly unheard: Memories['unheard']
  private readonly copies: Copies
  private readonly log: Log
  private readonly maxMessageBytes: number
  private readonly listeners: PeerListener[] = []
  /** Who stands behind a peer: looked up now and then, since every message of gossip asks for it. */
  private readonly owners = new ShortMemory<string>(machineTime.now)
  /** Connected, and on our chain; and where each says that it listens. */
  private readonly joined = new Map<PeerId, readonly string[]>()
  /** Those who wait to hear whether a peer is on our chain. */
  private readonly waiting = new Map<PeerId, Set<(error?: PeerError) => void>>()
  private readonly closing = sharedEnd()
  private readonly stalls = new Stalls()
  private discovered: (addresses: readonly string[]) => void = () => undefined
  private introduced: (peer: PeerId, addresses: readonly string[]) => void = () => undefined

  private constructor(node: Node, { bans, unheard, copies }: Memories, { log, maxMessageBytes }: Libp2pOptions) {
    this.node = node
    this.bans = bans
    this.unheard = unheard
    this.copies = copies
    this.log = log
    this.maxMessageBytes = maxMessageBytes
  }

  /** Ready to {@link open}: what it answers and listens to can be said first, so that nobody meets it half dressed. */
  static async create(options: Libp2pOptions): Promise<Libp2pTransport> {
    const bans = new Bans()
    const unheard = new ShortMemory<number>(machineTime.now, MOST_UNHEARD)
    const copies = new Copies(options.log)
    const node = await createNode(options, {
      refuses: (name) => bans.has(name),
      knocked: () => copies.knocks++,
      found: (peer) => transport.find(peer),
      timesUnheard: (id) => unheard.get(id) ?? 0,
    })
    const transport = new Libp2pTransport(node, { bans, unheard, copies }, options)
    transport.meet(options.chain)
    transport.watchGossip()
    return transport
  }

  /** Listens and dials from now on. */
  async open(): Promise<void> {
    await this.node.start()
  }

  get self(): PeerId {
    return this.node.peerId.toString()
  }

  /** Where others can reach us: multiaddresses that end with our name. */
  addresses(): string[] {
    return this.node.getMultiaddrs().map(String)
  }

  peers(): readonly PeerId[] {
    return [...this.joined.keys()]
  }

  ownerOf(peer: PeerId): string {
    return this.owners.get(peer) ?? this.rememberOwner(peer, this.addressOf(peer))
  }

  /** The address of a peer as we see it. */
  addressOf(peer: PeerId): string | undefined {
    return this.connectionsWith(peer)[0]?.remoteAddr.toString()
  }

  listen(listener: PeerListener): void {
    this.listeners.push(listener)
  }

  /** Whether it is one of these places where the peer has said that it listens. Of one that has said nothing it may be. */
  listensAt(peer: PeerId, places: readonly string[]): boolean {
    const told = this.joined.get(peer) ?? []
    return told.length === 0 || told.some((place) => places.includes(place))
  }

  /** Whether we have dialled it, or it us; undefined for one that is gone. */
  directionOf(peer: PeerId): 'inbound' | 'outbound' | undefined {
    return this.connectionsWith(peer)[0]?.direction
  }

  /** @param found multiaddresses of a peer on the local network, each with its name */
  onDiscovery(found: (addresses: readonly string[]) => void): void {
    this.discovered = found
  }

  /** @param heard where a peer that is on our chain says that it listens, each with its name */
  onIntroduction(heard: (peer: PeerId, addresses: readonly string[]) => void): void {
    this.introduced = heard
  }

  refuses(peer: PeerId): boolean {
    return this.bans.has(peer)
  }

  /**
   * Settles when the peer has shown that it is on our chain.
   * @param address a multiaddress
   * @returns the peer's name
   * @throws PeerError
   */
  async dial(address: string): Promise<PeerId> {
    const late = () => new PeerError('stalled', `${address} doesn't answer`)
    const { knocks } = this.copies
    // Under our own name libp2p dials nobody: who it is shows without it.
    const isOwn = address.endsWith(`/p2p/${this.self}`)
    const place = isOwn ? withoutPeer(address) : address
    try {
      return await withDeadline(DIAL_MS, this.closing.signal, late, async (signal) => {
        const connection = await this.node.dial(multiaddr(place), { signal })
        const peer = connection.remotePeer.toString()
        await this.introduction(peer, signal)
        if (isOwn) throw new PeerError('gone', `at ${place} there is another node now, ${peer}`)
        return peer
      })
    } catch (error) {
      const { peer } = parsePeerAddress(place) ?? {}
      if (peer !== undefined) this.forget(peer)
      if (error instanceof PeerError) throw error
      if (isOwnName(error)) throw this.copies.explain(address, knocks)
      throw new PeerError('gone', `${address} can't be reached: ${(error as Error).message}`, { cause: error })
    }
  }

  async *request(
    peer: PeerId,
    protocol: string,
    question: Uint8Array,
    { frames, maxFrameBytes, stallMs, signal }: RequestOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let stream: Stream | undefined
    try {
      // Not dialled: whoever has hung up, or was hung up on, is gone.
      const connection = this.connectionsWith(peer).find(({ status }) => status === 'open')
      if (connection === undefined) throw new PeerError('gone', 'the peer has left')
      const inTime = <T>(run: (limit: AbortSignal) => Promise<T>) =>
        this.stalls.unless(connection, stallMs, signal, run)
      const opened = await inTime((limit) =>
        connection.newStream(protocol, { signal: limit, maxOutboundStreams: MOST_STREAMS }),
      )
      stream = opened
      const reader = new FrameReader(opened, maxFrameBytes)
      opened.addEventListener('message', ({ data }) => {
        if (this.joined.has(peer)) this.stalls.count(peer, data.byteLength)
      })
      await inTime((limit) => writeFrame(opened, question, limit))
      for (let i = 0; i < frames; i++) {
        signal.throwIfAborted()
        yield reader.ready() ?? (await inTime((limit) => reader.read(limit)))
      }
    } catch (error) {
      throw explain(error, signal)
    } finally {
      stream?.abort(new Error('the answer is over'))
    }
  }

  serve(protocol: string, handler: (peer: PeerId, question: Uint8Array) => AsyncIterable<Uint8Array>): void {
    const answer = async (stream: Stream, connection: Connection) => {
      try {
        await this.answer(stream, (question) => handler(connection.remotePeer.toString(), question))
      } catch (error) {
        this.log.debug(
          { peer: connection.remotePeer.toString(), protocol, reason: String(error) },
          'A question failed.',
        )
        stream.abort(error as Error)
      }
    }
    this.node
      .handle(protocol, answer, { maxInboundStreams: MOST_STREAMS, maxOutboundStreams: MOST_STREAMS })
      .catch((error) => this.log.error(error, `The protocol ${protocol} isn't served.`))
  }

  subscribe(topic: string, judge: (from: PeerId, message: Uint8Array) => Promise<Verdict>): void {
    const { pubsub } = this.node.services
    pubsub.topicValidators.set(topic, async (from, message) => {
      if (message.data.length > this.maxMessageBytes) {
        void this.disconnect(from.toString())
        return TopicValidatorResult.Reject
      }
      const verdict = await judge(from.toString(), message.data)
      if (verdict === 'unheard') this.leaveToOthers(message)
      return VERDICTS[verdict]
    })
    pubsub.subscribe(topic)
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    if (this.closing.signal.aborted) return
    await this.node.services.pubsub.publish(topic, message)
  }

  async disconnect(peer: PeerId, banMs?: number): Promise<void> {
    if (banMs !== undefined) this.ban(peer, banMs)
    await this.node.hangUp(peerIdFromString(peer), { signal: AbortSignal.timeout(HANG_UP_MS) }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.closing.abort(new PeerError('gone', 'the node is shutting down'))
    await this.node.stop()
  }

  /** Compared as texts: a name may be anything that a stranger has told us, and libp2p throws for what is no name. */
  private connectionsWith(peer: PeerId): Connection[] {
    return this.node.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peer)
  }

  private leaveToOthers(message: Message): void {
    const name = nameOf(message)
    this.unheard.set(name, (this.unheard.get(name) ?? 0) + 1, SEEN_MS)
  }

  /** By mDNS, each time that the peer answers there. Where one is with whom we are connected we know better. */
  private find(found: PeerInfo): void {
    const peer = found.id.toString()
    this.copies.notice(found, this.self, this.addresses())
    if (peer !== this.self && this.connectionsWith(peer).length === 0)
      this.discovered(addressesOf(peer, found.multiaddrs))
  }

  private ban(peer: PeerId, ms: number): void {
    this.bans.add(peer, ms)
    this.bans.add(this.ownerOf(peer), ms)
  }

  private rememberOwner(peer: PeerId, address: string | undefined): string {
    const host = hostOf(address)
    // On one machine all peers have one address.
    const owner = host === '' || isLoopback(host) ? peer : this.bans.ownerOf(host)
    this.owners.set(peer, owner, AFTERMATH_MS)
    return owner
  }

  /** A peer that doesn't speak our chain's protocols is on another chain, and of no use. */
  private meet(chain: Hash): void {
    const status = protocolName(chain, 'status')
    this.node.addEventListener('peer:identify', ({ detail: { peerId, protocols, listenAddrs } }) => {
      const peer = peerId.toString()
      if (!protocols.includes(status)) {
        this.settle(peer, new PeerError('garbled', 'the peer is on another chain'))
        // It has as much right to learn it as we have.
        setTimeout(() => void this.disconnect(peer), PARTING_MS).unref()
      } else {
        const places = addressesOf(peer, listenAddrs)
        this.join(peer, places)
        this.introduced(peer, places)
      }
    })
    this.node.addEventListener('peer:disconnect', ({ detail }) => this.leave(detail.toString()))
    this.node.addEventListener('connection:close', ({ detail: { remotePeer, remoteAddr } }) =>
      this.rememberOwner(remotePeer.toString(), remoteAddr.toString()),
    )
    this.node.addEventListener('connection:open', ({ detail: connection }) => {
      const hangUp = () => {
        if (!this.joined.has(connection.remotePeer.toString())) connection.abort(new Error('it says nothing'))
      }
      setTimeout(hangUp, MEET_MS).unref()
    })
  }

  /**
   * Gossipsub drops a peer whose stream breaks, and takes it back only with another connection: so we hang up, and
   * whoever wants the other dials again.
   */
  private watchGossip(): void {
    const { pubsub } = this.node.services
    const subscribers = new Set<PeerId>()
    pubsub.addEventListener('subscription-change', ({ detail }) => void subscribers.add(detail.peerId.toString()))
    pubsub.addEventListener('gossipsub:heartbeat', () => {
      const there = new Set(pubsub.getPeers().map(String))
      for (const peer of subscribers) {
        if (there.has(peer)) continue
        subscribers.delete(peer)
        if (this.joined.has(peer)) void this.disconnect(peer)
      }
    })
    // Who comes back before the next look has a stream that is on its way.
    this.node.addEventListener('peer:disconnect', ({ detail }) => void subscribers.delete(detail.toString()))
  }

  private join(peer: PeerId, places: readonly string[]): void {
    if (this.connectionsWith(peer).length === 0) return
    const isNew = !this.joined.has(peer)
    this.joined.set(peer, places)
    if (!isNew) return
    this.settle(peer)
    for (const listener of this.listeners) listener.joined(peer)
  }

  private leave(peer: PeerId): void {
    this.stalls.forget(peer)
    this.settle(peer, new PeerError('gone', 'the peer has hung up before it said which chain it is on'))
    if (this.joined.delete(peer)) for (const listener of this.listeners) listener.left(peer)
    this.forget(peer)
  }

  /**
   * Libp2p would remember everybody who ever came by, and whom we have dialled in vain; whom we want to see again stands in
   * the peer table. Later, since libp2p's own parts look the peer up to say good-bye.
   */
  private forget(peer: PeerId): void {
    const forget = async () => {
      const id = peerIdFromString(peer)
      if (this.node.getConnections(id).length === 0) await this.node.peerStore.delete(id)
    }
    setTimeout(() => void forget().catch(() => undefined), 1_000).unref()
  }

  private async introduction(peer: PeerId, signal: AbortSignal): Promise<void> {
    if (this.joined.has(peer)) return
    const waiting = this.waiting.get(peer) ?? new Set()
    this.waiting.set(peer, waiting)
    await new Promise<void>((resolve, reject) => {
      const heard = (error?: PeerError) => (error ? reject(error) : resolve())
      waiting.add(heard)
      signal.addEventListener('abort', () => {
        waiting.delete(heard)
        reject(signal.reason)
      })
    })
  }

  private settle(peer: PeerId, error?: PeerError): void {
    const waiting = this.waiting.get(peer)
    this.waiting.delete(peer)
    for (const heard of waiting ?? []) heard(error)
  }

  private async answer(stream: Stream, handler: (question: Uint8Array) => AsyncIterable<Uint8Array>): Promise<void> {
    const { signal } = this.closing
    const reader = new FrameReader(stream, QUESTION_BYTES)
    const late = () => new PeerError('stalled', 'the peer is too slow')
    const question = await withDeadline(QUESTION_MS, signal, late, (limit) => reader.read(limit))
    // Whatever else the peer sends would wait in memory for as long as it stays.
    await stream.closeRead({ signal })
    const writer = new FrameWriter(stream)
    const flush = () =>
      withDeadline(ANSWER_STALL_MS + writer.size / LEAST_BYTES_PER_MS, signal, late, (limit) => writer.flush(limit))
    for await (const data of handler(question)) if (writer.add(data)) await flush()
    await flush()
    await withDeadline(ANSWER_STALL_MS, signal, late, (limit) => stream.close({ signal: limit }))
  }
}

function addressesOf(peer: PeerId, places: readonly Multiaddr[]): string[] {
  return places.slice(0, MOST_ADDRESSES).map((address) => withPeer(address.toString(), peer))
}

function explain(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof PeerError) return error
  const { message } = error as Error
  return new PeerError('gone', message, { cause: error })
}
