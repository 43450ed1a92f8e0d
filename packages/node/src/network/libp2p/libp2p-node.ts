/**
 * What libp2p is made of here: TCP, Noise, Yamux, identify, gossipsub and mDNS, each with its limits. Loaded only by a node
 * that talks to others, since loading it takes longer than all the rest of a start.
 */
import './with-resolvers.ts'
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { Hash } from '@bc/core'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type GossipSub, gossipsub, type Message, StrictNoSign } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PeerInfo } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { topicName } from '../messages.ts'
import { hostOf } from '../peers/peer-address.ts'
import { Inbound } from './inbound.ts'

export interface Libp2pNodeOptions {
  readonly chain: Hash
  /** 32 bytes from which the peer's key is made: the same seed is the same peer. */
  readonly seed: Uint8Array
  /** An IP address: of a name libp2p could not tell others where it is. */
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Whether to look for peers on the local network. */
  readonly discovery: boolean
}

/** What is asked and told while nobody has been let in yet. */
export interface Door {
  /** @param name a peer's or a host's */
  refuses(name: string): boolean
  /** Somebody has begun a connection with us; it may be we ourselves. */
  knocked(): void
  /** By mDNS. */
  found(peer: PeerInfo): void
  /** How often a gossiped message was dropped unheard. */
  timesUnheard(id: string): number
}

export type Node = Libp2p<{ identify: Identify; pubsub: GossipSub }>

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
export const DIAL_MS = 10_000
/** A peer that doesn't answer a ping for so long is gone. */
const PING_MS = 15_000
/** Of all kinds on one connection, gossip and libp2p's own among them. */
const MOST_CONNECTION_STREAMS = 64
/** What a peer may have sent on one stream before we take it: libp2p's 16 MB would be a gigabyte for all of them. */
const STREAM_WINDOW = 512 * 1024
/** Gossip that waits for a peer who is slow to take it. */
const OUTBOX_BYTES = 4_000_000
/**
 * The one version of gossip that all nodes speak. Of each that is offered a peer may open a stream, and leave a piece on it that
 * lacks its end.
 */
const GOSSIP = '/meshsub/1.2.0'
/** The most that gossipsub sends in one piece: all that we want of what a peer has is one. */
const PIECE_BYTES = 4 * 1024 * 1024
/** Of the name of a message. */
const ID_BYTES = 32
/** How long gossipsub takes a message for the one that it has had. */
export const SEEN_MS = 120_000

/** Not started yet. */
export async function createNode(options: Libp2pNodeOptions, door: Door): Promise<Node> {
  const inbound = new Inbound()
  const node: Node = await createLibp2p({
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
      ? [lookout(`bc-${options.chain.slice(0, 16)}.local`, (peer) => door.found(peer))]
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
      denyDialMultiaddr: (address) => door.refuses(hostOf(address.toString())),
      denyDialPeer: (peer) => door.refuses(peer.toString()),
      denyInboundConnection: (connection) => {
        door.knocked()
        return door.refuses(hostOf(connection.remoteAddr.toString())) || !inbound.begin(connection)
      },
      denyInboundEncryptedConnection: (peer) => door.refuses(peer.toString()),
      // Not before: of those who show who they are at the same moment, and wait then, none would be in yet.
      denyInboundUpgradedConnection: (peer, connection) =>
        node.getConnections(peer).length >= MOST_PER_PEER || !inbound.enter(connection),
    },
    services: {
      identify: identify(),
      pubsub: gossipsub({
        // A block and a transaction prove themselves; who forwarded them says nothing.
        globalSignaturePolicy: StrictNoSign,
        msgIdFn: idOf,
        // It takes nothing twice, nor what it was told to ignore. What was dropped unheard goes by another name from
        // then on, or a peer that isn't listened to would decide what others may say.
        msgIdToStrFn: (id) => {
          // Or whoever doesn't want a thing with a name of megabytes would have us keep that.
          if (id.length !== ID_BYTES) throw new Error('it is the name of no message')
          const name = textOf(id)
          return `${name} ${door.timesUnheard(name)}`
        },
        seenTTL: SEEN_MS,
        // That we don't want it from anybody else would be said before it is judged.
        idontwantMinDataSize: Number.POSITIVE_INFINITY,
        allowPublishToZeroTopicPeers: true,
        ignoreDuplicatePublishError: true,
        // By default more than ten peers on one address are all silenced, and a stranger's ten identities silence us.
        // And a busy machine may be late with what it has promised. What it keeps of those who are gone it doesn't look at
        // when they come again, and each new name would leave as much for an hour.
        scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyThreshold: 10, retainScore: 0 },
        maxInboundDataLength: PIECE_BYTES,
        // A peer opens one, and libp2p goes on reading those that another has taken the place of.
        maxInboundStreams: 1,
        maxOutboundBufferSize: OUTBOX_BYTES,
        // Or anybody could have us keep books about topics that he invents.
        allowedTopics: [topicName(options.chain, 'blocks'), topicName(options.chain, 'transactions')],
      }),
    },
  })
  node.services.pubsub.protocols = [GOSSIP]
  return node
}

function listenAddress(host: string, port: number): string {
  return `/${isIP(host) === 6 ? 'ip6' : 'ip4'}/${host}/tcp/${port}`
}

/**
 * What it finds we alone hear of: libp2p would remember every peer that anybody invents. Our own answers mDNS knows by a
 * name of its own.
 */
function lookout(serviceTag: string, found: (peer: PeerInfo) => void): ReturnType<typeof mdns> {
  const create = mdns({ serviceTag })
  return (components) => {
    const discovery = create(components)
    discovery.addEventListener('peer', (event) => {
      event.stopImmediatePropagation()
      found(event.detail)
    })
    return discovery
  }
}

/** Of the topic too: what is nonsense as a block may be a good transaction. */
function idOf({ topic, data }: Pick<Message, 'topic' | 'data'>): Uint8Array {
  return createHash('sha256').update(`${topic}\n`).update(data).digest()
}

function textOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('base64')
}

/** The name by which gossipsub knows a message. */
export function nameOf(message: Pick<Message, 'topic' | 'data'>): string {
  return textOf(idOf(message))
}
