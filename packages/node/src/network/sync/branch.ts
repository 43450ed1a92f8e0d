/**
 * What a peer's chain has after what is ours as well, by its headers. Until it has more work than ours it is worth no
 * memory, however long it is, and a long one is no offence: of the first pass only marks are kept, and it is asked for
 * again once it has shown its work. It ends where the future begins: to ask for what is early would be to hold whatever a
 * peer sends.
 *
 *     fork ──────────▶ mark ──────────▶ mark ────▶ more work than ours     first: checked, and forgotten
 *     fork ──────────▶ mark ──────────▶ mark ────▶ … ────▶ tip             then: the same, handed on mark by mark
 */
import { type BlockEntry, checkHeader, entryAfter, type Hash, type Header } from '@bc/core'
import type { Chain } from '../../chain/chain.ts'
import type { ChainStore } from '../../storage/chain-store.ts'
import { type Conversations, locatorOf } from '../conversations.ts'
import { MOST_HEADERS, type PeerStatus } from '../messages.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId } from '../transport.ts'

/** Headers that are held of a branch: a megabyte, for every peer that has yet to show its work. */
const MOST_HELD = 2 * MOST_HEADERS
/** Headers that are checked without letting anything else have its turn: a few milliseconds' worth. */
const CHECKED_AT_ONCE = 50
/** How often a peer may move to another branch while it tells of one. */
const MOST_TURNS = 3
/**
 * What a peer takes to send headers, at first and for each of them: some 10 bytes in a millisecond, as with blocks. One that
 * sends them one by one would keep its turn for hours.
 */
const [FIRST_HEADER_MS, NEXT_HEADER_MS] = [10_000, 40]

export interface BranchModules {
  readonly chain: Chain
  readonly store: ChainStore
  readonly conversations: Pick<Conversations, 'headers'>
  readonly time: Time
  /** Its headers have more work than our chain, and from somewhere on they are in what is the future to us. */
  readonly onAhead: (newest: BlockEntry) => void
}

/** A header that was forgotten: bytes of its own, where a hash as text would keep the whole answer that it came in. */
interface Mark {
  readonly index: number
  readonly hash: Buffer
}

/** Headers of one answer. */
interface Part {
  readonly parent: BlockEntry
  readonly entries: readonly BlockEntry[]
}

export class Branch {
  private readonly modules: BranchModules
  private readonly peer: PeerId
  private readonly status: PeerStatus
  private readonly signal: AbortSignal
  /** What the branch stands on, and its newest header; undefined before its first. */
  private root: BlockEntry | undefined
  private newest: BlockEntry | undefined
  /** The ends of what was forgotten, and what came after the last of them. */
  private marks: Mark[] = []
  private held: BlockEntry[] = []
  private endsEarly = false
  private turns = 0
  /** The peer's time and ours for its headers, not that of others; and how many have come. */
  private spent = 0
  private received = 0

  /** @param status what the peer has said of its chain: more work than ours */
  constructor(modules: BranchModules, peer: PeerId, status: PeerStatus, signal: AbortSignal) {
    this.modules = modules
    this.peer = peer
    this.status = status
    this.signal = signal
  }

  /**
   * Asks for its headers until they have more work than our chain.
   * @returns what they have; undefined where ours has caught up meanwhile
   * @throws PeerError `withheld` where there are no more of them and they haven't what the peer has claimed
   */
  async lead(): Promise<bigint | undefined> {
    for await (const { parent, entries } of this.parts()) {
      // Between two answers it may have moved to another branch, and tells of that from where it leaves ours.
      if (parent !== this.newest) [this.root, this.marks, this.held] = [parent, [], []]
      this.take(entries)
      if (this.leads) return this.newest?.totalWork
      if (this.held.length < MOST_HELD) continue
      const { index, hash } = this.held.at(-1) as BlockEntry
      this.marks.push({ index, hash: Buffer.from(hash, 'hex') })
      this.held = []
    }
    this.checkClaim()
    return undefined
  }

  /**
   * All of it, oldest first, and what the peer has after it as far as that leads. Once {@link lead} has found that it does.
   * @throws PeerError
   */
  async *entries(): AsyncGenerator<readonly BlockEntry[], void, undefined> {
    if (this.marks.length > 0) yield* this.again()
    if (this.leads) yield this.handOn()
    for await (const { parent, entries } of this.parts()) {
      if (parent !== this.newest) this.held = []
      this.take(entries)
      if (this.leads) yield this.handOn()
      else if (this.held.length >= MOST_HELD + MOST_HEADERS)
        throw new PeerError('gone', 'our own chain has more work by now')
    }
    this.checkClaim()
  }

  /** The headers up to the last mark once more; what comes with them beyond that is held. */
  private async *again(): AsyncGenerator<readonly BlockEntry[], void, undefined> {
    this.newest = this.root
    this.held = []
    for await (const { parent, entries } of this.parts()) {
      if (parent !== this.newest) break
      this.take(entries)
      const [mark] = this.marks
      const upTo = this.held.findIndex(({ index }) => index === mark?.index)
      if (upTo < 0) continue
      if (this.held[upTo]?.hash !== mark?.hash.toString('hex')) break
      this.marks.shift()
      yield this.held.splice(0, upTo + 1)
      if (this.marks.length === 0) return
    }
    throw new PeerError('withheld', 'it has other headers than it had before')
  }

  private get leads(): boolean {
    return this.newest !== undefined && this.newest.totalWork > this.modules.chain.head.totalWork
  }

  private take(entries: readonly BlockEntry[]): void {
    this.held.push(...entries)
    this.newest = entries.at(-1)
  }

  private handOn(): readonly BlockEntry[] {
    const { held } = this
    this.held = []
    return held
  }

  /** It may have moved to another branch meanwhile, but never to one with less work; and so may we. */
  private checkClaim(): void {
    if (this.endsEarly) return
    const { work } = this.status
    if (work > (this.newest?.totalWork ?? 0n) && work > this.modules.chain.head.totalWork)
      throw new PeerError('withheld', 'it has less work than it said')
  }

  /** What the peer has after the newest header, answer by answer. */
  private async *parts(): AsyncGenerator<Part, void, undefined> {
    const { chain, store, conversations, time } = this.modules
    while (this.newest === undefined || this.newest.hash !== this.status.tip) {
      const since = time.now()
      const ours = await locatorOf(chain, store)
      const locator = this.newest ? [this.newest.hash, ...ours] : ours
      const { headers, tip } = await conversations.headers(this.peer, locator, this.signal)
      if (tip === undefined) return
      const continues = this.newest !== undefined && headers[0]?.previous_hash === this.newest.hash
      if (this.newest && !continues && ++this.turns > MOST_TURNS)
        throw new PeerError('withheld', 'its headers go round in circles')
      const parent = (continues && this.newest) || (await this.knownParent(headers))
      const entries = await this.check(headers, tip, parent)
      this.received += headers.length
      this.spent += time.now() - since
      if (this.spent > FIRST_HEADER_MS + this.received * NEXT_HEADER_MS)
        throw new PeerError('stalled', 'the peer sends next to no headers')
      // No block is older than its parent: after the first early one all are.
      const due = entries.filter((entry) => !chain.isEarly(entry))
      if (due.length > 0) yield { parent, entries: due }
      if (due.length < entries.length) return this.endEarly(entries.at(-1) as BlockEntry)
    }
  }

  private endEarly(newest: BlockEntry): void {
    this.endsEarly = true
    if (newest.totalWork > this.modules.chain.head.totalWork) this.modules.onAhead(newest)
    // Or one early header would make a long branch free that leads nowhere, again and again.
    else if (this.marks.length > 0) throw new PeerError('withheld', 'a long branch without the work')
  }

  private async knownParent([first]: readonly Header[]): Promise<BlockEntry> {
    const parent = first && (await this.modules.store.entry(first.previous_hash))
    if (parent === undefined) throw new PeerError('garbled', 'the headers are none of what the locator asked for')
    return parent
  }

  /** A block's hash stands in the header after it; the last one's comes with the answer. */
  private async check(headers: readonly Header[], tip: Hash, parent: BlockEntry): Promise<BlockEntry[]> {
    const entries: BlockEntry[] = []
    let newest = parent
    for (const [i, header] of headers.entries()) {
      if (i % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await this.modules.time.sleep(0, this.signal)
      checkHeader(header, newest, this.modules.chain.rules)
      newest = entryAfter(newest, header, headers[i + 1]?.previous_hash ?? tip)
      entries.push(newest)
    }
    return entries
  }
}
