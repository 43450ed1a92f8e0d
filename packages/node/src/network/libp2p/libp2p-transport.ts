/**
 * The transport of a real node: libp2p over TCP, with Noise, Yamux, identify, gossipsub and mDNS. Loaded only by a node
 * that talks to others, since loading it takes longer than all the rest of a start.
 */
import './with-resolvers.ts'
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { Hash } from '@bc/core'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type GossipSub, gossipsub, type Message, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Connection, Libp2p, PeerInfo, Stream } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Log } from '../../log.ts'
import { sharedEnd } from '../../shared-end.ts'
import { isLoopback } from '../hosts.ts'
import { protocolName, topicName } from '../messages.ts'
import { hostOf, withoutPeer, withPeer } from '../peers/peer-address.ts'
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
import { withDeadline } from './deadline.ts'
import { FrameReader, FrameWriter, writeFrame } from './frames.ts'
import { hasPlaceFor } from './inbound.ts'
import { ShortMemory } from './short-memory.ts'

export interface Libp2pOptions {
  readonly chain: Hash
  /** 32 bytes from which the peer's key is made: the same seed is the same peer. */
  readonly seed: Uint8Array
  /** An IP address: of a name libp2p could not tell others where it is. */
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Whether to look for peers on the local network. */
  readonly discovery: boolean
  /** The longest gossiped message, in bytes: whoever sends a longer one is hung up on. */
  readonly maxMessageBytes: number
  readonly log: Log
}

const MOST_CONNECTIONS = 64
/** Connections with one peer: two where both have dialled at the same moment. */
const MOST_PER_PEER = 2
/** New connections per second from one address. On one machine all nodes have the same. */
const INBOUND_PER_SECOND = 20
/**
 * Strangers who haven't said who they are, and how long they may take, which is three or four times there and back: those
 * of one address can't fill the queue.
 */
const MOST_PENDING = 128
const UPGRADE_MS = 6_000
/** A connection on which nobody has shown that he is on our chain is hung up after so long. */
const MEET_MS = 10_000
/** A peer that doesn't answer a ping for so long is gone. */
const PING_MS = 15_000
const PING = '/ipfs/ping/1.0.0'
/** Between finding that a peer is on another chain and hanging up. */
const PARTING_MS = 500
const QUESTION_BYTES = 20_000
/** From the stream's beginning, of which the asker hears behind all that we are sending him. */
const QUESTION_MS = 20_000
const HANG_UP_MS = 5_000
/** A reader that takes nothing for so long is hung up on; big frames have their time beside that. */
const ANSWER_STALL_MS = 20_000
const DIAL_MS = 10_000
/** Questions of one peer, of one kind, that are answered at the same time. */
const MOST_STREAMS = 8
/** Of all kinds on one connection, gossip and libp2p's own among them. */
const MOST_CONNECTION_STREAMS = 64
/** What a peer may have sent on one stream before we take it: libp2p's 16 MB would be a gigabyte for all of them. */
const STREAM_WINDOW = 512 * 1024
/** Where a peer says that it listens: so many are looked at. */
const MOST_ADDRESSES = 8
/** How long we remember where a peer was that has hung up: what it has said may not be judged yet. */
const AFTERMATH_MS = 60_000
/** Gossip that waits for a peer who is slow to take it. */
const OUTBOX_BYTES = 4_000_000
/** The most that gossipsub sends in one piece: all that we want of what a peer has is one. */
const PIECE_BYTES = 4 * 1024 * 1024
/** How long gossipsub takes a message for the one that it has had. */
const SEEN_MS = 120_000
/** Messages that were dropped unheard, of the same time: as many as a peer can send before it is refused. */
const MOST_UNHEARD = 50_000

const VERDICTS: Readonly<Record<Verdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  unheard: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

type Node = Libp2p<{ identify: Identify; pubsub: GossipSub }>

export class Libp2pTransport implements Transport {
  private readonly node: Node
  /** Peers and hosts that are refused. */
  private readonly bans: ShortMemory<true>
  /** How often a message was dropped unheard, by its id. */
  private readonly unheard: ShortMemory<number>
  private readonly log: Log
  private readonly maxMessageBytes: number
  private readonly listeners: PeerListener[] = []
  /** The hosts of those who are gone. */
  private readonly lastHosts = new ShortMemory<string>(machineTime.now)
  /** Connected, and on our chain. */
  private readonly joined = new Set<PeerId>()
  /** Those who wait to hear whether a peer is on our chain. */
  private readonly waiting = new Map<PeerId, Set<(error?: PeerError) => void>>()
  private readonly closing = sharedEnd()
  /** Bytes of answers that have come from those who are connected. */
  private readonly arrived = new Map<PeerId, number>()
  /** Connections that others, or we ourselves, have begun with us. */
  private knocks = 0
  private copyTold = false
  private introduced: (peer: PeerId, addresses: readonly string[]) => void = () => undefined

  private constructor(
    node: Node,
    bans: ShortMemory<true>,
    unheard: ShortMemory<number>,
    { log, maxMessageBytes }: Libp2pOptions,
  ) {
    this.node = node
    this.bans = bans
    this.unheard = unheard
    this.log = log
    this.maxMessageBytes = maxMessageBytes
  }

  /** Ready to {@link open}: what it answers and listens to can be said first, so that nobody meets it half dressed. */
  static async create(options: Libp2pOptions): Promise<Libp2pTransport> {
    const bans = new ShortMemory<true>(machineTime.now)
    const unheard = new ShortMemory<number>(machineTime.now, MOST_UNHEARD)
    const refuses = (name: string) => bans.get(name) !== undefined
    let node: Node | undefined
    let transport: Libp2pTransport | undefined
    const inbound = () =>
      (node?.getConnections() ?? [])
        .filter(({ direction }) => direction === 'inbound')
        .map(({ remoteAddr }) => hostOf(remoteAddr.toString()))
    node = await createLibp2p({
      start: false,
      privateKey: await generateKeyPairFromSeed('Ed25519', options.seed),
      addresses: { listen: [listenAddress(options.host, options.port)] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [
        yamux({
          maxInboundStreams: MOST_CONNECTION_STREAMS,
          streamOptions: { maxStreamWindowSize: STREAM_WINDOW, maxReadBufferLength: 2 * STREAM_WINDOW },
        }),
      ],
      peerDiscovery: options.discovery
        ? [lookout(`bc-${options.chain.slice(0, 16)}.local`, (peer) => transport?.noticeCopy(peer))]
        : [],
      connectionManager: {
        maxConnections: MOST_CONNECTIONS,
        inboundConnectionThreshold: INBOUND_PER_SECOND,
        maxIncomingPendingConnections: MOST_PENDING,
        inboundUpgradeTimeout: UPGRADE_MS,
        dialTimeout: DIAL_MS,
        maxParallelDials: 16,
        maxDialQueueLength: MOST_CONNECTIONS,
        maxPeerAddrsToDial: 8,
      },
      // By default a peer that is busy for five seconds, on a machine with other things to do, would be cut off.
      connectionMonitor: { pingTimeout: { minTimeout: PING_MS } },
      connectionGater: {
        // Nodes on one machine or one local network are what this is for: libp2p's own gater would refuse them.
        denyDialMultiaddr: (address) => refuses(hostOf(address.toString())),
        denyDialPeer: (peer) => refuses(peer.toString()),
        denyInboundConnection: ({ remoteAddr }) => {
          if (transport) transport.knocks++
          const host = hostOf(remoteAddr.toString())
          return refuses(host) || !hasPlaceFor(host, inbound())
        },
        denyInboundEncryptedConnection: (peer) =>
          refuses(peer.toString()) || (node?.getConnections(peer).length ?? 0) >= MOST_PER_PEER,
      },
      services: {
        identify: identify(),
        pubsub: gossipsub({
          // A block and a transaction prove themselves; who forwarded them says nothing.
          globalSignaturePolicy: StrictNoSign,
          msgIdFn: idOf,
          // It takes nothing twice, nor what it was told to ignore. What was dropped unheard goes by another name from
          // then on, or a peer that isn't listened to would decide what others may say.
          msgIdToStrFn: (id) => `${textOf(id)} ${unheard.get(textOf(id)) ?? 0}`,
          seenTTL: SEEN_MS,
          // That we don't want it from anybody else would be said before it is judged.
          idontwantMinDataSize: Number.POSITIVE_INFINITY,
          allowPublishToZeroTopicPeers: true,
          ignoreDuplicatePublishError: true,
          // By default more than ten peers on one address are all silenced, and a stranger's ten identities silence us.
          // And a busy machine may be late with what it has promised.
          scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyThreshold: 10 },
          maxInboundDataLength: PIECE_BYTES,
          maxOutboundBufferSize: OUTBOX_BYTES,
          // Or anybody could have us keep books about topics that he invents.
          allowedTopics: [topicName(options.chain, 'blocks'), topicName(options.chain, 'transactions')],
        }),
      },
    })
    transport = new Libp2pTransport(node, bans, unheard, options)
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
    return [...this.joined]
  }

  /** The address of a peer as we see it. */
  addressOf(peer: PeerId): string | undefined {
    return this.connectionsWith(peer)[0]?.remoteAddr.toString()
  }

  listen(listener: PeerListener): void {
    this.listeners.push(listener)
  }

  /** Whether we have dialled it, or it us; undefined for one that is gone. */
  directionOf(peer: PeerId): 'inbound' | 'outbound' | undefined {
    return this.connectionsWith(peer)[0]?.direction
  }

  /** @param found multiaddresses of a peer on the local network, each with its name */
  onDiscovery(found: (addresses: readonly string[]) => void): void {
    this.node.addEventListener('peer:discovery', ({ detail: { id, multiaddrs } }) =>
      found(multiaddrs.map((address) => withPeer(address.toString(), id.toString()))),
    )
  }

  /** @param heard where a peer that is on our chain says that it listens, each with its name */
  onIntroduction(heard: (peer: PeerId, addresses: readonly string[]) => void): void {
    this.introduced = heard
  }

  refuses(peer: PeerId): boolean {
    return this.bans.get(peer) !== undefined
  }

  /**
   * Settles when the peer has shown that it is on our chain.
   * @param address a multiaddress
   * @returns the peer's name
   * @throws PeerError
   */
  async dial(address: string): Promise<PeerId> {
    const late = () => new PeerError('stalled', `${address} doesn't answer`)
    const { knocks } = this
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
      if (error instanceof PeerError) throw error
      if (isOwnName(error)) throw this.explainOwnName(address, this.knocks === knocks)
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
        this.unlessStalled(connection, stallMs, signal, run)
      const opened = await inTime((limit) =>
        connection.newStream(protocol, { signal: limit, maxOutboundStreams: MOST_STREAMS }),
      )
      stream = opened
      const reader = new FrameReader(opened, maxFrameBytes)
      opened.addEventListener('message', ({ data }) => this.count(peer, data.byteLength))
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

  /** @param isCopy nobody has come to us while we dialled, so it isn't we who have answered */
  private explainOwnName(address: string, isCopy: boolean): PeerError {
    if (!isCopy) return new PeerError('self', `${address} is this node itself, by its name`)
    this.warnOfCopy(address)
    return new PeerError('gone', `at ${address} another node has this one's peer-key: delete \`peer-key\` in the copy`)
  }

  /** Our own name on the local network, in an answer that isn't ours, at an address that isn't ours either. */
  private noticeCopy({ id, multiaddrs }: PeerInfo): void {
    if (id.toString() !== this.self) return
    const here = this.addresses()
    const elsewhere = multiaddrs
      .map((address) => withPeer(address.toString(), this.self))
      .find((one) => !here.includes(one))
    if (elsewhere) this.warnOfCopy(elsewhere)
  }

  private warnOfCopy(address: string): void {
    if (!this.copyTold)
      this.log.warn({ address }, "Another node has this one's peer-key: delete `peer-key` in the copy.")
    this.copyTold = true
  }

  /** Compared as texts: a name may be anything that a stranger has told us, and libp2p throws for what is no name. */
  private connectionsWith(peer: PeerId): Connection[] {
    return this.node.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peer)
  }

  private count(peer: PeerId, bytes: number): void {
    if (this.joined.has(peer)) this.arrived.set(peer, (this.arrived.get(peer) ?? 0) + bytes)
  }

  /**
   * Half of the time is for the answer. The other half is for a sign of life too, as of a ping: whoever gives none hasn't
   * refused an answer, since no question has reached him, or he sleeps, or the line between us is cut.
   */
  private async unlessStalled<T>(
    connection: Connection,
    ms: number,
    signal: AbortSignal,
    run: (limit: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const peer = connection.remotePeer.toString()
    const arrived = () => this.arrived.get(peer) ?? 0
    let before = arrived()
    let lives: (() => boolean) | undefined
    const late = () =>
      lives?.()
        ? new PeerError('stalled', `the peer sent nothing for ${ms} ms`)
        : new PeerError('gone', `no sign of life for ${ms} ms`)
    const more = () => {
      const keepsUp = arrived() - before >= (ms / 2) * LEAST_BYTES_PER_MS
      if (!keepsUp && lives) return false
      lives = keepsUp ? undefined : this.signOfLife(connection, ms)
      before = arrived()
      return true
    }
    return withDeadline(ms / 2, signal, late, run, more)
  }

  /** @returns whether it has come by now */
  private signOfLife(connection: Connection, ms: number): () => boolean {
    let lives = false
    const limit = AbortSignal.timeout(ms)
    connection.newStream(PING, { signal: limit }).then(
      (stream) => {
        lives = true
        stream.abort(new Error('it lives'))
      },
      // That it knows no such thing is a sign as good as any.
      () => {
        lives = connection.status === 'open' && !limit.aborted
      },
    )
    return () => lives
  }

  private leaveToOthers(message: Message): void {
    const id = textOf(idOf(message))
    this.unheard.set(id, (this.unheard.get(id) ?? 0) + 1, SEEN_MS)
  }

  private ban(peer: PeerId, ms: number): void {
    this.bans.set(peer, true, ms)
    const hosts = this.connectionsWith(peer).map(({ remoteAddr }) => hostOf(remoteAddr.toString()))
    // On one machine all peers have one address.
    for (const host of [...hosts, this.lastHosts.get(peer)])
      if (host !== undefined && !isLoopback(host)) this.bans.set(host, true, ms)
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
        this.join(peer)
        this.introduced(
          peer,
          listenAddrs.slice(0, MOST_ADDRESSES).map((address) => withPeer(address.toString(), peer)),
        )
      }
    })
    this.node.addEventListener('peer:disconnect', ({ detail }) => this.leave(detail.toString()))
    this.node.addEventListener('connection:close', ({ detail: { remotePeer, remoteAddr } }) =>
      this.lastHosts.set(remotePeer.toString(), hostOf(remoteAddr.toString()), AFTERMATH_MS),
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

  private join(peer: PeerId): void {
    if (this.joined.has(peer) || this.connectionsWith(peer).length === 0) return
    this.joined.add(peer)
    this.settle(peer)
    for (const listener of this.listeners) listener.joined(peer)
  }

  private leave(peer: PeerId): void {
    this.arrived.delete(peer)
    this.settle(peer, new PeerError('gone', 'the peer has hung up before it said which chain it is on'))
    if (this.joined.delete(peer)) for (const listener of this.listeners) listener.left(peer)
    // Libp2p would remember everybody who ever came by; whom we want to see again stands in the peer table. Later,
    // since libp2p's own parts look the peer up to say good-bye.
    const forget = () => {
      const id = peerIdFromString(peer)
      if (this.node.getConnections(id).length === 0) this.node.peerStore.delete(id).catch(() => undefined)
    }
    setTimeout(forget, 1_000).unref()
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
    const writer = new FrameWriter(stream)
    const flush = () =>
      withDeadline(ANSWER_STALL_MS + writer.size / LEAST_BYTES_PER_MS, signal, late, (limit) => writer.flush(limit))
    for await (const data of handler(question)) if (writer.add(data)) await flush()
    await flush()
    await withDeadline(ANSWER_STALL_MS, signal, late, (limit) => stream.close({ signal: limit }))
  }
}

/** Libp2p passes over what it finds under our own name. Our own answers mDNS knows by a name of its own. */
function lookout(serviceTag: string, found: (peer: PeerInfo) => void): ReturnType<typeof mdns> {
  const create = mdns({ serviceTag })
  return (components) => {
    const discovery = create(components)
    discovery.addEventListener('peer', ({ detail }) => found(detail))
    return discovery
  }
}

/** Of a name with several addresses libp2p tells of all that went wrong. */
function isOwnName(error: unknown): boolean {
  const all = error instanceof AggregateError ? error.errors : [error]
  return all.some(({ message }: Error) => message === 'Can not dial self')
}

/** Of the topic too: what is nonsense as a block may be a good transaction. */
function idOf({ topic, data }: Pick<Message, 'topic' | 'data'>): Uint8Array {
  return createHash('sha256').update(`${topic}\n`).update(data).digest()
}

function textOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('base64')
}

function explain(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof PeerError) return error
  const { message } = error as Error
  return new PeerError('gone', message, { cause: error })
}

function listenAddress(host: string, port: number): string {
  return `/${isIP(host) === 6 ? 'ip6' : 'ip4'}/${host}/tcp/${port}`
}
