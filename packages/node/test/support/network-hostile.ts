/** A peer that does as it likes, over the real libp2p. */
import '../../src/network/libp2p/with-resolvers.ts'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from '@bc/core'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type GossipSub, gossipsub, StrictNoSign } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type Conversation, protocolName, type Topic, topicName } from '../../src/network/messages.ts'

/** Answers on a stream, in whatever way; the question has been read, and may be undefined where it never came. */
export type Answer = (stream: Stream, question: Uint8Array) => Promise<void>

export interface HostileOptions {
  readonly chain: Hash
  /** What it says when it is asked. An honest-looking peer has at least `status`. */
  readonly answers?: Partial<Record<Conversation, Answer>>
  readonly gossip?: boolean
  readonly maxGossipBytes?: number
  /** Shows who it is, and says a second later how it goes on. */
  readonly muxerLater?: boolean
}

export class Hostile {
  readonly node: Libp2p<{ identify: Identify; pubsub?: GossipSub }>
  readonly asked: string[] = []
  private readonly chain: Hash

  private constructor(node: Libp2p, chain: Hash) {
    this.node = node as Hostile['node']
    this.chain = chain
  }

  static async start({ chain, answers = {}, gossip = false, ...options }: HostileOptions): Promise<Hostile> {
    const { maxGossipBytes = 1e9, muxerLater = false } = options
    const limits = { maxInboundDataLength: maxGossipBytes, maxOutboundBufferSize: 1e9 }
    const pubsub = gossipsub({ globalSignaturePolicy: StrictNoSign, allowPublishToZeroTopicPeers: true, ...limits })
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [muxerLater ? noiseAlone : noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
      // Or it would hang up by itself where it has the victim too busy to answer.
      connectionMonitor: { enabled: false },
      connectionManager: { inboundConnectionThreshold: 1_000 },
      services: { identify: identify(), ...(gossip && { pubsub }) },
    })
    const hostile = new Hostile(node, chain)
    const all: Partial<Record<Conversation, Answer>> = { status: async () => undefined, ...answers }
    for (const [name, answer] of Object.entries(all)) await hostile.serve(name as Conversation, answer)
    return hostile
  }

  get address(): string {
    return String(this.node.getMultiaddrs()[0])
  }

  /** Connected with the node at this address, as far as we can see. */
  get connected(): boolean {
    return this.node.getConnections().length > 0
  }

  async dial(address: string): Promise<void> {
    await this.node.dial(multiaddr(address))
  }

  async open(address: string, conversation: Conversation): Promise<Stream> {
    return this.node.dialProtocol(multiaddr(address), protocolName(this.chain, conversation))
  }

  async ask(address: string, conversation: Conversation, question: Uint8Array): Promise<Uint8Array> {
    const stream = await this.open(address, conversation)
    const frames = lpStream(stream, { maxDataLength: 1e8, maxBufferSize: 1e9 })
    await frames.write(question)
    const answer = await frames.read({ signal: AbortSignal.timeout(20_000) })
    stream.abort(new Error('enough'))
    return answer.subarray()
  }

  /** Waits for the other side's subscription and for our own stream to it, then sends. */
  async gossip(topic: Topic, message: Uint8Array | string): Promise<void> {
    const { pubsub } = this.node.services
    const name = topicName(this.chain, topic)
    for (let i = 0; pubsub && (pubsub.getSubscribers(name).length === 0 || !this.canGossip); i++) {
      if (i > 400) throw new Error('nobody listens')
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    await pubsub?.publish(name, typeof message === 'string' ? Buffer.from(message) : message)
  }

  /** Whether the other side has taken all that was gossiped, or has hung up: `publish` only puts it in a buffer. */
  get isTaken(): boolean {
    return this.gossipStreams.every(({ writeBufferLength }) => writeBufferLength === 0)
  }

  /** The other side's subscription may be here before our stream is there: `publish` drops a message then, without a word. */
  private get canGossip(): boolean {
    return this.gossipStreams.some(({ direction }) => direction === 'outbound')
  }

  private get gossipStreams(): Stream[] {
    const streams = this.node.getConnections().flatMap((connection) => connection.streams)
    return streams.filter(({ protocol }) => /meshsub/.test(protocol))
  }

  async stop(): Promise<void> {
    await this.node.stop()
  }

  private async serve(conversation: Conversation, answer: Answer): Promise<void> {
    const handle = async (stream: Stream) => {
      this.asked.push(conversation)
      try {
        const question = await lpStream(stream).read({ signal: AbortSignal.timeout(20_000) })
        await answer(stream, question.subarray())
      } catch {
        // Whoever is hung up on by the victim has nothing to add.
      }
    }
    await this.node.handle(protocolName(this.chain, conversation), handle, { maxInboundStreams: 1_000 })
  }
}

const noiseAlone: ReturnType<typeof noise> = (components) => {
  const encrypter = noise()(components)
  const secureOutbound = encrypter.secureOutbound.bind(encrypter)
  encrypter.secureOutbound = async (stream, options) => {
    const secured = await secureOutbound(stream, { ...options, skipStreamMuxerNegotiation: true })
    await delay(1_000)
    return secured
  }
  return encrypter
}

export async function frame(stream: Stream, data: Uint8Array): Promise<void> {
  await lpStream(stream).write(data)
}
