/** What `bc watch` tells, from the node's events and from the chain itself: each thing once, whatever happens between. */
import {
  type Hash,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseHash,
  parseHeight,
  transactionId,
} from '@bc/core'
import type { AnyBlockAnswer, EventType } from '@bc/node'
import { type Endpoint, strange } from '../client/http.ts'
import { CliError } from '../failure.ts'
import { type ChainNews, MainChain, type Place } from './main-chain.ts'
import type { NodeEvent } from './node-events.ts'

export type Topic = 'blocks' | 'transactions' | 'everything'

/** One line of the output, with what it is in `event`. */
export type Line = JsonObject & { readonly event: string }

export interface WatchOptions {
  readonly topic: Topic
  /** The first block that is told; undefined: what comes after the newest one. */
  readonly from: number | undefined
  readonly tell: (line: Line) => Promise<void>
}

const TYPES: Readonly<Record<Topic, readonly EventType[]>> = {
  blocks: ['block', 'reorganisation'],
  transactions: ['block', 'reorganisation', 'transaction'],
  everything: ['block', 'reorganisation', 'transaction', 'peer'],
}

export class Watcher {
  readonly types: readonly EventType[]
  private readonly endpoint: Endpoint
  private readonly options: WatchOptions
  private chain: MainChain | undefined
  private chainId: Hash | undefined

  constructor(endpoint: Endpoint, options: WatchOptions) {
    this.endpoint = endpoint
    this.options = options
    this.types = TYPES[options.topic]
  }

  /** May be called again with the same event where it has failed. */
  async take({ event, data }: NodeEvent): Promise<void> {
    if (event === 'start' || event === 'missed') await this.begin(data)
    else if (event === 'block') await this.mainChain.heard(this.placeOf(data))
    else if (event === 'reorganisation') {
      const [abandoned, adopted] = [this.placesOf(data.abandoned), this.placesOf(data.adopted)]
      await this.mainChain.reorganised(abandoned, adopted)
    } else if (event === 'transaction' || event === 'peer') await this.options.tell({ ...data, event })
  }

  private get mainChain(): MainChain {
    if (this.chain === undefined) throw this.strange('a stream that begins in its midst')
    return this.chain
  }

  /** The beginning of a stream that goes on from nothing that we know. */
  private async begin(data: JsonObject): Promise<void> {
    const again = this.chain !== undefined
    const place = { index: this.indexOf(data.height), hash: this.hashOf(data.tip) }
    const chain = this.hashOf(data.chain)
    if (this.chainId !== undefined && chain !== this.chainId)
      throw new CliError('cli.watch', `${this.endpoint.node.origin} is a node of another chain now: ${chain}.`)
    this.chainId = chain
    this.chain ??= new MainChain(this.endpoint, this.options.from ?? place, (news) => this.tellChain(news))
    await this.chain.start(place)
    // No block was missed by now. What came to the pool, and left it, is known to nobody.
    if (again && this.options.topic !== 'blocks')
      await this.options.tell({ event: 'missed', height: place.index, tip: place.hash })
  }

  private async tellChain(news: ChainNews): Promise<void> {
    const { tell, topic } = this.options
    if (news.kind === 'reorganisation')
      return tell({
        event: 'reorganisation',
        index: news.index,
        abandoned: news.abandoned.map((place) => ({ ...place })),
      })
    const { hash, block } = news
    if (topic !== 'transactions') await tell({ event: 'block', hash, ...block })
    if (topic === 'transactions') await this.tellConfirmed(block, hash)
  }

  private async tellConfirmed(block: AnyBlockAnswer, hash: string): Promise<void> {
    const { index, timestamp } = block
    for (const [position, transaction] of block.transactions.entries()) {
      const id = transactionId(transaction as never, this.chainId as Hash)
      const line = { event: 'transaction', status: 'confirmed', id, transaction }
      await this.options.tell({ ...line, block: { index, hash, timestamp, position } })
    }
  }

  private placesOf(value: JsonValue | undefined): Place[] {
    return Array.isArray(value) ? value.map((place) => this.placeOf(place)) : []
  }

  private placeOf(value: JsonValue): Place {
    const { index, hash } = isJsonObject(value) ? value : {}
    return { index: this.indexOf(index), hash: this.hashOf(hash) }
  }

  private indexOf(value: JsonValue | undefined): number {
    const index = parseHeight(value)
    if (index !== undefined) return index
    throw this.strange('an event without its index')
  }

  private hashOf(value: JsonValue | undefined): Hash {
    const hash = parseHash(value)
    if (hash !== undefined) return hash
    throw this.strange('an event without its hash')
  }

  private strange(what: string): CliError {
    return strange(this.endpoint.node.origin, `/events with ${what}`)
  }
}
