/**
 * What peers tell each other of others. Little, and only of those whom they have met: a hint where to look, not a fact.
 */
import type { Hash } from '@bc/core'
import { sharedEnd } from '../../shared-end.ts'
import { Allowance } from '../allowance.ts'
import { groupOf, reachOf } from '../hosts.ts'
import { decodeEmpty, decodePeers, encode, encodePeers, MOST_PEERS, protocolName } from '../messages.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId, type Transport } from '../transport.ts'
import { hostOf, parsePeerAddress } from './peer-address.ts'
import type { PeerTable } from './peer-table.ts'

const ANSWER_BYTES = 10_000
const STALL_MS = 5_000
/** Unix seconds since when an address is too old to pass on. */
const FRESH_SECONDS = 7 * 24 * 3600
/**
 * Of all the peers of one owner. Whoever has dialled us asks once: also where he is cut off each time, he dials no more than
 * twice a second.
 */
const QUESTIONS = { burst: 60, perSecond: 4 } as const

export interface PeerExchangeModules {
  readonly chain: Hash
  readonly table: PeerTable
  readonly transport: Transport
  /** Where we see the peer; undefined for one that is gone. */
  readonly addressOf: (peer: PeerId) => string | undefined
  readonly time: Time
  /** Unix seconds. */
  readonly clock: () => number
}

export class PeerExchange {
  private readonly modules: PeerExchangeModules
  private readonly questions: Allowance
  private readonly closing = sharedEnd()

  constructor(modules: PeerExchangeModules) {
    this.modules = modules
    this.questions = new Allowance({ ...QUESTIONS, time: modules.time })
  }

  serve(): void {
    const { transport, chain } = this.modules
    transport.serve(protocolName(chain, 'peers'), (peer, question) => this.answer(peer, question))
  }

  close(): void {
    this.closing.abort(new PeerError('gone', 'the node is shutting down'))
  }

  /**
   * Asks a peer for others. That it knows none, or says nothing of use, is no offence.
   * @param host where we have reached it
   */
  async askFor(peer: PeerId, host: string): Promise<void> {
    const { transport, chain, table } = this.modules
    const options = { frames: 1, maxFrameBytes: ANSWER_BYTES, stallMs: STALL_MS, signal: this.closing.signal }
    try {
      for await (const frame of transport.request(peer, protocolName(chain, 'peers'), encode({}), options))
        for (const address of decodePeers(frame))
          if (mayTell(address, host)) table.add(address, `peer ${groupOf(host)}`)
    } catch {
      // An older node, or a bad one: who it is shows when it is asked for something that matters.
    }
  }

  /** @throws PeerError `flooding` for who asks without pause: our whole table is looked through for each answer */
  private async *answer(peer: PeerId, question: Uint8Array): AsyncGenerator<Uint8Array> {
    decodeEmpty(question)
    const { table, clock, addressOf, transport } = this.modules
    const owner = transport.ownerOf(peer)
    // What isn't answered costs nothing, or one who goes on asking would silence his neighbours for as long again.
    if (this.questions.left(owner) < 1) throw new PeerError('flooding', 'the peer asks without pause')
    this.questions.spend(owner, 1)
    const to = hostOf(addressOf(peer))
    const since = clock() - FRESH_SECONDS
    const fresh = [...table.list()].filter(
      (known) => known.metAt > since && known.peer !== peer && mayTell(known.address, to),
    )
    fresh.sort((a, b) => b.metAt - a.metAt)
    yield encodePeers(fresh.slice(0, MOST_PEERS).map(({ address }) => address))
  }
}

/** Nobody is sent nearer to himself than we are: to his own machine, or into his own network. Names are the operator's. */
function mayTell(address: string, teller: string): boolean {
  const parsed = parsePeerAddress(address)
  return parsed !== undefined && !parsed.named && reachOf(parsed.host) >= reachOf(teller)
}
