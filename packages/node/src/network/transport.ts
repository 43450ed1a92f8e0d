/**
 * What sync and relay need of a network, and no more: libp2p is behind it in a node (libp2p-transport.ts), a seeded
 * model of a network in the simulation. It knows bytes and peers; messages and rules are above it.
 */

/** A peer's name: the hash of its public key, so nobody can speak under another's. */
export type PeerId = string

/**
 * What its judge says of a gossiped message: it is forwarded, dropped, or dropped and held against who forwarded it.
 * A fault that may be innocent is `ignore`. What was dropped with no look at it is `unheard`: it says nothing of the
 * message, which is judged when somebody else brings it.
 */
export type Verdict = 'accept' | 'ignore' | 'unheard' | 'reject'

/** What a peer sends at the least, so that a trickle doesn't keep a conversation alive for hours. */
export const LEAST_BYTES_PER_MS = 10

export interface RequestOptions {
  /** Bytes of one frame of the answer. */
  readonly maxFrameBytes: number
  /** Frames of the whole answer: as many as that, no more are read. */
  readonly frames: number
  /**
   * Milliseconds for the next frame to arrive, and longer while answers of that peer bring {@link LEAST_BYTES_PER_MS}: what
   * stands behind others on a slow line is late and no more. A peer that is slower has stalled; one from which nothing
   * is to be had at all is `gone`.
   */
  readonly stallMs: number
  readonly signal: AbortSignal
}

export interface PeerListener {
  joined(peer: PeerId): void
  left(peer: PeerId): void
}

export type PeerFault =
  | 'gone'
  /** It is we ourselves who were dialled. */
  | 'self'
  | 'stalled'
  /** It hasn't got what it has spoken of. */
  | 'withheld'
  | 'oversized'
  | 'garbled'
  /** It asks for more at once than anybody needs, or sends on and on what is of no use. */
  | 'flooding'

/** A peer didn't answer, or not in time, or not as it should. Whether that is an offence is for others to say. */
export class PeerError extends Error {
  override readonly name = 'PeerError'
  readonly fault: PeerFault

  constructor(fault: PeerFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

export interface Transport {
  /** Our own name. */
  readonly self: PeerId
  /** Those we are connected with. */
  peers(): readonly PeerId[]
  /**
   * Who stands behind a peer, as far as we can see: the same for all the names that somebody takes one after the other, since
   * a name costs nothing. A peer that we have never met stands for itself.
   */
  ownerOf(peer: PeerId): string
  listen(listener: PeerListener): void
  /**
   * Asks one peer; its answer comes frame by frame.
   * @throws PeerError while the answer is read
   */
  request(peer: PeerId, protocol: string, question: Uint8Array, options: RequestOptions): AsyncIterable<Uint8Array>
  /** Answers the requests of others. A handler that throws ends the answer there. */
  serve(protocol: string, handler: (peer: PeerId, question: Uint8Array) => AsyncIterable<Uint8Array>): void
  /** Every message of the topic is judged once, before it is forwarded; again only where it was `unheard`. */
  subscribe(topic: string, judge: (from: PeerId, message: Uint8Array) => Promise<Verdict>): void
  publish(topic: string, message: Uint8Array): Promise<void>
  /** Hangs up; where `banMs` is given, the peer and its address are refused for so long. */
  disconnect(peer: PeerId, banMs?: number): Promise<void>
  close(): Promise<void>
}
