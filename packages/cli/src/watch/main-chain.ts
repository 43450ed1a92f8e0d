/**
 * The main chain as it has been told so far, block by block. Whatever was missed, by a lost connection, a restart of the
 * node or a reader who was too slow, the next block that is told follows the last one, or a reorganisation is told first.
 *
 *     told:   5 ── 6 ── 7 ── 8
 *     node:   5 ── 6 ── 7'── 8'── 9'      told next: reorganisation at 7 (8 and 7 abandoned), then 7', 8', 9'
 */
import { type Block, hashOf } from '@bc/core'
import type { AnyBlockAnswer } from '@bc/node'
import { connect, type NodeClient } from '../client/client.ts'
import { type Endpoint, strange } from '../client/http.ts'
import { CliError, isNotFound } from '../failure.ts'

export interface Place {
  readonly index: number
  readonly hash: string
}

export type ChainNews =
  | { readonly kind: 'block'; readonly hash: string; readonly block: AnyBlockAnswer }
  | {
      readonly kind: 'reorganisation'
      /** From here on all blocks are others. */
      readonly index: number
      /** Newest first; those of before the first one that was told among them, as far as they are known. */
      readonly abandoned: readonly Place[]
    }

/** Blocks of one question; the node may send fewer. */
const PAGE = 100
/** A chain that is another one at every look isn't followed for ever. */
const MOST_TURNS = 20
/** A reorganisation that goes further back can't be told. */
const MOST_REMEMBERED = 200_000

type Questions = Pick<NodeClient, 'block' | 'blocks' | 'headers'>

export class MainChain {
  private readonly endpoint: Endpoint
  private readonly node: Questions
  private readonly tell: (news: ChainNews) => Promise<void>
  /** The lowest block that is told. */
  private readonly lowest: number
  /** Hashes from `base` on. What is at the base may not have been told: it is what the first block has to follow. */
  private hashes: string[] = []
  private base: number
  /** Whether blocks that were told are below the base by now. */
  private hasForgotten = false

  /** @param start the first index that is told; or the newest block as it is, after which it begins */
  constructor(endpoint: Endpoint, start: number | Place, tell: (news: ChainNews) => Promise<void>) {
    this.endpoint = endpoint
    this.node = connect(endpoint)
    this.tell = tell
    if (typeof start === 'number') {
      this.lowest = start
      this.base = start - 1
    } else {
      // What a reorganisation puts below it is new as well. Only genesis is what it was.
      this.lowest = 2
      this.base = start.index
      this.hashes.push(start.hash)
    }
  }

  /** The node's newest block, as of which its events go on. */
  async start({ index, hash }: Place): Promise<void> {
    if (this.hashAt(this.tip) !== hash) await this.catchUp(index)
  }

  /** The node has a new block. One that was told by now, or is no news any more, is passed over. */
  async heard({ index, hash }: Place): Promise<void> {
    if (this.hashAt(index) === hash) return
    const block = index === this.tip + 1 ? await this.blockOf(hash) : undefined
    // The node that told us of it may be gone, and another one with less on its disk have taken its place.
    if (block === undefined || !this.isNext(block)) return this.catchUp(index)
    if (hashOf(block as unknown as Block) !== hash) throw this.strange(`/blocks/${hash} with another block`)
    if (this.hashes.length === 0) this.hashes.push(block.previous_hash)
    await this.add(block, hash)
  }

  /** The node has left blocks for others, or for none: dev mode has gone back. */
  async reorganised(abandoned: readonly Place[], adopted: readonly Place[]): Promise<void> {
    const fork = (abandoned.at(-1)?.index ?? this.tip + 1) - 1
    if (this.endsWith(abandoned)) await this.leave(fork + 1, abandoned)
    if (adopted.length === 0) await this.catchUp(fork)
    for (const place of adopted) await this.heard(place)
  }

  /**
   * Asks for what is missing up to this index, on the node's chain as it is by now. What comes after it is for later
   * events: between them others are told, as that a transaction waits which such a block confirms.
   */
  private async catchUp(to: number): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if (this.hashes.length === 0 && !(await this.findBase())) return
      if (await this.addPages(to)) return
      await this.leaveFork()
    }
    throw new CliError('cli.no_node', 'the chain changes faster than it can be read')
  }

  /** The newest that was told, or what comes before the first one. */
  private get tip(): number {
    return this.base + Math.max(1, this.hashes.length) - 1
  }

  private hashAt(index: number): string | undefined {
    return this.hashes[index - this.base]
  }

  private isNext({ index, previous_hash }: AnyBlockAnswer): boolean {
    return index === this.tip + 1 && (this.hashes.length === 0 || previous_hash === this.hashAt(this.tip))
  }

  /** @param places newest first; of those below the base only the node knows */
  private endsWith(places: readonly Place[]): boolean {
    if (this.hashes.length === 0) return false
    return places.every(
      ({ index, hash }, i) => index === this.tip - i && (index < this.base || hash === this.hashAt(index)),
    )
  }

  /** @returns false while the chain isn't as long */
  private async findBase(): Promise<boolean> {
    // The genesis block's own word for what is before it (protocol.md, "Genesis").
    const hash = this.base === 0 ? '1' : await this.mainHash(this.base)
    if (hash !== undefined) this.hashes.push(hash)
    return hash !== undefined
  }

  /** @returns false where the node's chain doesn't go on from ours */
  private async addPages(to: number): Promise<boolean> {
    if (this.tip >= to) return this.isMain(this.tip)
    for (let next: number | null = this.tip + 1; next !== null && next <= to; ) {
      const limit = Math.min(PAGE, to - next + 1)
      const page: Awaited<ReturnType<Questions['blocks']>> = await this.node.blocks(next, limit)
      const [first] = page.blocks
      if (first === undefined) return this.isMain(this.tip)
      if (first.previous_hash !== this.hashAt(this.tip)) return false
      for (const block of page.blocks) await this.addNext(block)
      next = page.next === null ? null : this.tip + 1
    }
    return true
  }

  /** Within one page all blocks follow each other, or it is no page of a chain. */
  private async addNext(block: AnyBlockAnswer): Promise<void> {
    if (!this.isNext(block)) throw this.strange("/blocks with blocks that don't follow each other")
    await this.add(block, hashOf(block as unknown as Block))
  }

  /** Told first: where that fails, it is told again. */
  private async add(block: AnyBlockAnswer, hash: string): Promise<void> {
    if (block.index >= this.lowest) await this.tell({ kind: 'block', hash, block })
    this.hashes.push(hash)
    if (this.hashes.length <= 2 * MOST_REMEMBERED) return
    this.hasForgotten = true
    this.base += MOST_REMEMBERED
    this.hashes = this.hashes.slice(MOST_REMEMBERED)
  }

  /** Leaves all that isn't on the node's main chain any more. */
  private async leaveFork(): Promise<void> {
    const common = (await this.commonIndex()) ?? (await this.commonBefore())
    if (common !== undefined) return common === this.tip ? undefined : this.abandon(common + 1)
    // All that was told is left. Or the node doesn't know it, and each of its blocks may be new.
    await this.abandon(this.lowest)
    this.hashes = []
  }

  /** @returns the highest index at which both chains have the same block; undefined for none that we know */
  private async commonIndex(): Promise<number | undefined> {
    let [same, other] = [this.base - 1, this.tip + 1]
    // Most reorganisations are short: back in steps of 1, 2, 4, …, and then halving.
    for (let step = 1; other > this.base && same < this.base; step *= 2) {
      const index = Math.max(this.base, other - step)
      if (await this.isMain(index)) same = index
      else other = index
    }
    while (same >= this.base && other - same > 1) {
      const middle = (same + other) >> 1
      if (await this.isMain(middle)) same = middle
      else other = middle
    }
    return same < this.base ? undefined : same
  }

  /** The same below what we know, from block to block, as far down as blocks are told. */
  private async commonBefore(): Promise<number | undefined> {
    if (this.hasForgotten)
      throw new CliError('cli.watch', `the chain is another one from before block ${this.base} on: begin anew.`)
    while (this.base >= this.lowest) {
      const block = await this.blockOf(this.hashes[0] as string)
      if (block === undefined) return undefined
      this.hashes.unshift(block.previous_hash)
      this.base--
      if (await this.isMain(this.base)) return this.base
    }
    return undefined
  }

  private abandon(index: number): Promise<void> {
    const from = Math.max(index, this.base)
    const places = this.hashes.slice(from - this.base).map((hash, i) => ({ index: from + i, hash }))
    return this.leave(index, places.reverse())
  }

  /** Forgets what is at this index and above, and tells of it. */
  private async leave(index: number, places: readonly Place[]): Promise<void> {
    const abandoned = places.filter((place) => place.index >= this.lowest)
    if (abandoned.length > 0)
      await this.tell({ kind: 'reorganisation', index: Math.max(index, this.lowest), abandoned })
    this.hashes.length = Math.max(0, index - this.base)
    this.base = Math.min(this.base, index - 1)
  }

  private async blockOf(hash: string): Promise<AnyBlockAnswer | undefined> {
    try {
      return await this.node.block(hash)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  private async isMain(index: number): Promise<boolean> {
    return index === 0 || (await this.mainHash(index)) === this.hashAt(index)
  }

  private async mainHash(index: number): Promise<string | undefined> {
    const { headers } = await this.node.headers(index, 1)
    return headers[0]?.hash
  }

  private strange(how: string): CliError {
    return strange(this.endpoint.node.origin, how)
  }
}
