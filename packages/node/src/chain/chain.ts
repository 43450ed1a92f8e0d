/**
 * The one door through which blocks come in: miner, peers, HTTP and start-up all hand theirs to {@link Chain.import}.
 *
 *     parse → position → body → signatures → ledger → persist → head → pool → events
 *
 * Whoever has many blocks has them read before their turn, by other threads and as far as each can be judged alone
 * ({@link Chain.read}), and hands them in together ({@link Chain.importAll}). What is published is on the disk already:
 * after a crash nobody has seen a block that is gone.
 */
import {
  applyBlock,
  type BlockEntry,
  type ChainRules,
  canonicalJson,
  checkAlone,
  checkBody,
  checkPosition,
  checkWithoutAccounts,
  entryAfter,
  type Genesis,
  genesisAccounts,
  genesisEntry,
  type Hash,
  type Header,
  hashOf,
  hasMoreWork,
  isFromTheFuture,
  judgeTransactions,
  orRefusal,
  type ParsedBlock,
  planReorganisation,
  type Reorganisation,
  RuleError,
  readTransactions,
  type SizedBlock,
  touchedAddresses,
  transactionId,
  type VerifiedBlock,
} from '@bc/core'
import type { Serial } from '../serial.ts'
import { type ReadBlock, readBlockAs } from '../signatures/block-report.ts'
import type { Curve } from '../signatures/curve.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { type ConnectedBlock, type StoredEntry, strangeness } from '../storage/records.ts'
import { AccountsOverlay } from './accounts-overlay.ts'
import type { HeadChange } from './head-change.ts'
import { HeldBlocks } from './held-blocks.ts'
import { RecentAccounts } from './recent-accounts.ts'

/** What became of a block that no rule refuses. */
export type ImportOutcome =
  /** It is the new head, perhaps after a reorganisation. */
  | { readonly kind: 'head'; readonly entry: BlockEntry }
  /** It is stored beside the main chain, which has as much work or more. */
  | { readonly kind: 'beside'; readonly entry: BlockEntry }
  /** It was here before. */
  | { readonly kind: 'known' }
  /** Its parent is unknown: it is held until that arrives. */
  | { readonly kind: 'orphan' }
  /** Our clock says that its time hasn't come: it is held until then. */
  | { readonly kind: 'early' }

export interface ChainModules {
  readonly store: ChainStore
  readonly curve: Curve
  /** Blocks and transactions take turns: both read accounts and write what follows from them. */
  readonly door: Serial
  /** Unix seconds. */
  readonly clock: () => number
  /** Called within the door, once the disk knows the new head and before anybody else hears of it. */
  readonly onHead: (change: HeadChange) => Promise<void>
  /** A held block turned out to break a rule: there is nobody left to answer to. */
  readonly onHeldRefused: (hash: Hash, error: RuleError) => void
}

export interface ImportOptions {
  /** Whether the block must be on the disk before the answer. Not while blocks come by the thousand. */
  readonly sync: boolean
}

/** Transactions of blocks that are written together: some ten milliseconds in which nobody else has his turn. */
const MOST_AT_ONCE = 1_500

export class Chain {
  readonly genesis: Genesis
  /** Its allocations have no limit: whatever carries them is as long as this allows. */
  readonly genesisBytes: number
  /** The chain's id. */
  readonly id: Hash
  readonly rules: ChainRules
  private readonly modules: ChainModules
  private readonly orphans = new HeldBlocks()
  private readonly early = new HeldBlocks()
  private readonly accounts: RecentAccounts
  private current: BlockEntry
  /** Moves of the head that have begun, and whether one goes on. */
  private moves = 0
  private moving = false

  private constructor(genesis: Genesis, id: Hash, head: BlockEntry, modules: ChainModules) {
    this.genesis = genesis
    this.genesisBytes = canonicalJson(genesis).length
    this.id = id
    this.rules = genesis.rules
    this.modules = modules
    this.current = head
    this.accounts = new RecentAccounts((addresses) => modules.store.accounts(addresses))
  }

  /**
   * The stored chain, or a new one in an empty store.
   * @throws StartError where the store holds another chain
   * @throws DamageError where it holds none, and did
   */
  static async open(genesis: Genesis, modules: ChainModules): Promise<Chain> {
    const { store } = modules
    const id = hashOf(genesis)
    if (store.isNew) await store.writeGenesis(genesis, genesisEntry(genesis, id), genesisAccounts(genesis.rules))
    const strange = strangeness(await store.meta(), id)
    if (strange) throw strange
    return new Chain(genesis, id, await store.headEntry(), modules)
  }

  /** The newest block of the main chain. The disk knows it. */
  get head(): BlockEntry {
    return this.current
  }

  /**
   * @returns once what follows from the block is done: stored, published, held blocks that waited for it looked at
   * @throws RuleError the first rule that the block breaks; then nothing has changed
   */
  import(parsed: ParsedBlock, options: ImportOptions = { sync: true }): Promise<ImportOutcome> {
    return this.modules.door.run(() => this.importOne(parsed, options))
  }

  /**
   * Blocks as they are sent or stored, read by other threads, and judged as far as each can be without its parent.
   * @param texts canonical JSON; any other spelling takes longer
   * @throws RuleError `message.malformed` or `block.shape` of the first that is no block
   */
  async read(texts: readonly string[]): Promise<ReadBlock[]> {
    const blocks = await this.readEach(texts)
    return blocks.map((block) => {
      if (block instanceof RuleError) throw block
      return block
    })
  }

  /** The same where each counts for itself: in the place of what is no block stands the rule that it breaks. */
  async readEach(texts: readonly string[]): Promise<(ReadBlock | RuleError)[]> {
    const context = { chain: this.id, maxBlockBytes: this.rules.maxBlockBytes }
    const reports = await this.modules.curve.report({ texts, ...context })
    if (reports.length !== texts.length) throw new TypeError('as many reports as blocks are needed')
    return reports.map((report, i) => readBlockAs(texts[i] as string, report, context))
  }

  /**
   * Imports blocks in their order and in one turn. Those that extend the head are written together: after a crash
   * either all of them are there or none.
   * @returns what became of each, as {@link import} says it
   * @throws RuleError the first rule that one of them breaks; those before it have been imported
   */
  async importAll(blocks: readonly ReadBlock[], options: ImportOptions = { sync: true }): Promise<ImportOutcome[]> {
    const { outcomes, refusal } = await this.importUntilRefused(blocks, options)
    if (refusal) throw refusal
    return outcomes
  }

  /** The same for whoever wants to know what became of those before the one that breaks a rule. */
  importUntilRefused(
    blocks: readonly ReadBlock[],
    options: ImportOptions,
  ): Promise<{ outcomes: ImportOutcome[]; refusal: RuleError | undefined }> {
    return this.modules.door.run(async () => {
      const outcomes: ImportOutcome[] = []
      for (let left = blocks; left.length > 0; left = blocks.slice(outcomes.length)) {
        const entries = await this.extend(left, options)
        outcomes.push(...entries.map((entry) => ({ kind: 'head', entry }) as const))
        if (entries.length > 0) continue
        // Whatever keeps it from extending the head is for the one judge of single blocks to name.
        const next = left[0] as ReadBlock
        try {
          outcomes.push(await this.importOne(next.parsed, options, next.body))
        } catch (error) {
          if (error instanceof RuleError) return { outcomes, refusal: error }
          throw error
        }
      }
      return { outcomes, refusal: undefined }
    })
  }

  /**
   * Reads what has to agree on the head: the disk and the pool move with it, but one after the other.
   * @param read changes nothing; done again where the head has moved meanwhile
   */
  async atRest<T>(read: () => Promise<T>): Promise<T> {
    const { moves, moving } = this
    if (!moving) {
      const found = await read()
      if (this.moves === moves) return found
    }
    // Within the door nothing moves.
    return this.modules.door.run(read)
  }

  /** Does what moves the head, until all that follows it has followed. Within the door. */
  async move(task: () => Promise<void>): Promise<void> {
    this.moves++
    this.moving = true
    try {
      await task()
    } finally {
      this.moving = false
    }
  }

  /** Whether our clock says that its time hasn't come. */
  isEarly(header: Pick<Header, 'timestamp'>): boolean {
    return isFromTheFuture(header, this.modules.clock())
  }

  /** Seconds by which it is ahead of our clock. */
  leadOf({ timestamp }: Pick<Header, 'timestamp'>): number {
    return timestamp - this.modules.clock()
  }

  /** Whether nothing would come of importing it again: it is stored, it wasn't refused, the head has as much work. */
  async isSettled(hash: Hash): Promise<boolean> {
    const entry = await this.modules.store.entry(hash)
    return entry !== undefined && !entry.refused && !hasMoreWork(entry, this.current)
  }

  /** Looks again at blocks that were too early. Called now and then. */
  importDue(): Promise<void> {
    return this.modules.door.run(async () => {
      for (const parsed of this.early.take(({ block }) => !this.isEarly(block))) {
        const accepted = await this.acceptAlone(parsed, { sync: true })
        if (accepted) await this.acceptHeld(parsed.hash, { sync: true })
      }
    })
  }

  /**
   * Takes up the head that the store has, within the door. Any other chain has that head anyway: this is for dev mode,
   * whose store in memory can be put back to an earlier state (dev/rewind-store.ts).
   */
  async reload(): Promise<void> {
    const { store } = this.modules
    for (const held of [this.orphans, this.early]) held.take(() => true)
    this.accounts.forget()
    this.current = await store.headEntry()
  }

  /** A block of the main chain, as it was when it was connected. */
  async storedBlock(entry: BlockEntry): Promise<ConnectedBlock> {
    const parsed = await this.modules.store.block(entry)
    const undo = await this.modules.store.undo(parsed)
    const { reward } = checkBody(parsed, this.rules)
    const ids = readTransactions(parsed.block.transactions, this.id).parsed.map(({ id }) => id)
    return { entry, parsed, undo, ids: [transactionId(reward, this.id), ...ids] }
  }

  private async importOne(
    parsed: ParsedBlock,
    options: ImportOptions,
    body?: ReadBlock['body'],
  ): Promise<ImportOutcome> {
    const outcome = await this.accept(parsed, options, body)
    if (outcome.kind === 'head' || outcome.kind === 'beside') await this.acceptHeld(parsed.hash, options)
    return outcome
  }

  /**
   * Moves the head along blocks that extend it one after the other, up to the first that does not or that breaks a rule.
   * @returns the entries of those that it took
   */
  private async extend(blocks: readonly ReadBlock[], options: ImportOptions): Promise<BlockEntry[]> {
    const followers = this.followersOf(this.current.hash, blocks)
    const overlay = new AccountsOverlay(this.accounts.load)
    const verified = followers.flatMap(({ body }) => (body instanceof RuleError ? [] : [body]))
    await overlay.prepare(touchedAddresses(...verified))
    const adopted: ConnectedBlock[] = []
    for (const { parsed, body } of followers) {
      const connected = this.connectNext(parsed, body, adopted.at(-1)?.entry ?? this.current, overlay)
      if (connected === undefined) break
      adopted.push(connected)
    }
    const entries = adopted.map(({ entry }) => entry)
    const head = entries.at(-1)
    if (head) await this.publish({ head, abandoned: [], adopted, accounts: overlay.changes }, options)
    for (const { hash } of entries) await this.acceptHeld(hash, options)
    return entries
  }

  /**
   * The first of the blocks, as far as each stands on the one before and isn't held; not too many at once. Whether the
   * disk has one isn't asked: what stands on the head has more work, so it would be the head, or the ledger has refused
   * it and does so again.
   */
  private followersOf(parent: Hash, blocks: readonly ReadBlock[]): readonly ReadBlock[] {
    let transactions = 0
    const end = blocks.findIndex(({ parsed: { block, hash } }, i) => {
      const before = i === 0 ? parent : blocks[i - 1]?.parsed.hash
      transactions += block.transactions.length
      if (i > 0 && transactions > MOST_AT_ONCE) return true
      return block.previous_hash !== before || this.orphans.has(hash) || this.early.has(hash)
    })
    return end < 0 ? blocks : blocks.slice(0, end)
  }

  /** @returns undefined where something is in the way, be it a rule or the clock; then the overlay is as it was */
  private connectNext(
    parsed: ParsedBlock,
    body: ReadBlock['body'],
    parent: BlockEntry,
    overlay: AccountsOverlay,
  ): ConnectedBlock | undefined {
    if (body instanceof RuleError || this.isEarly(parsed.block)) return undefined
    const connected = orRefusal(() => {
      checkPosition(parsed, parent, this.rules)
      return this.applyTo(overlay, entryAfter(parent, parsed.block, parsed.hash), body)
    })
    return connected instanceof RuleError ? undefined : connected
  }

  private async acceptHeld(parent: Hash, options: ImportOptions): Promise<void> {
    const arrived = [parent]
    for (let hash = arrived.pop(); hash !== undefined; hash = arrived.pop())
      for (const child of this.orphans.take(({ block }) => block.previous_hash === hash)) {
        const accepted = await this.acceptAlone(child, options)
        if (accepted) arrived.push(child.hash)
      }
  }

  private async acceptAlone(parsed: ParsedBlock, options: ImportOptions): Promise<boolean> {
    try {
      const { kind } = await this.accept(parsed, options)
      return kind === 'head' || kind === 'beside'
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      this.modules.onHeldRefused(parsed.hash, error)
      return false
    }
  }

  private async accept(parsed: ParsedBlock, options: ImportOptions, body?: ReadBlock['body']): Promise<ImportOutcome> {
    const { store } = this.modules
    const { block, hash } = parsed
    const known = await store.entry(hash)
    if (known?.refused) throw new RuleError(known.refused, 'This block was refused before.', { index: block.index })
    // One with more work than the head is known only after a {@link reload}: it is connected like a new one.
    const settled = known !== undefined && !hasMoreWork(known, this.current)
    if (settled || this.orphans.has(hash) || this.early.has(hash)) return { kind: 'known' }
    const parent = await store.entry(block.previous_hash)
    if (parent === undefined) {
      this.orphans.add(parsed)
      return { kind: 'orphan' }
    }
    if (parent.refused)
      throw new RuleError(parent.refused, 'The block builds on one that was refused.', { index: block.index })
    checkPosition(parsed, parent, this.rules)
    if (this.isEarly(block)) {
      checkAlone(parsed, this.rules, this.id)
      this.early.add(parsed)
      return { kind: 'early' }
    }
    const verified = body ?? (await this.verify(checkBody(parsed, this.rules)))
    if (verified instanceof RuleError) throw verified
    const entry = entryAfter(parent, block, hash)
    if (!hasMoreWork(entry, this.current)) return this.keepBeside(entry, verified, options)
    await this.publish(await this.connect(entry, verified), options)
    return { kind: 'head', entry }
  }

  private async verify(sized: SizedBlock): Promise<VerifiedBlock> {
    const read = readTransactions(sized.block.transactions, this.id)
    const question = { checks: read.parsed.map(({ check }) => check), addresses: [sized.reward.recipient] }
    const { verdicts, addresses } = await this.modules.curve.ask(question)
    return judgeTransactions(sized, read, verdicts, addresses[0] === true)
  }

  /** The accounts are asked when its branch gets the most work; all that shows without them has been checked by then. */
  private async keepBeside(entry: BlockEntry, verified: VerifiedBlock, options: ImportOptions): Promise<ImportOutcome> {
    checkWithoutAccounts(verified, this.rules)
    await this.modules.store.writeBeside(entry, verified, options)
    return { kind: 'beside', entry }
  }

  /**
   * What the chain would be with `entry` as its head. Nothing is written.
   * @throws RuleError where the ledger refuses a block on the way; blocks of the branch that were stored remember it
   */
  private async connect(entry: BlockEntry, newest: VerifiedBlock): Promise<HeadChange> {
    const { store } = this.modules
    const reorganisation = await planReorganisation(this.current, entry, (hash) =>
      hash === entry.hash ? Promise.resolve(entry) : store.knownEntry(hash),
    )
    const overlay = new AccountsOverlay(this.accounts.load)
    const abandoned: ConnectedBlock[] = []
    for (const old of reorganisation.abandon) {
      const connected = await this.storedBlock(old)
      overlay.undo(connected.undo)
      abandoned.push(connected)
    }
    const adopted: ConnectedBlock[] = []
    for (const young of reorganisation.adopt) {
      const verified = young.hash === entry.hash ? newest : await this.verifyStored(young)
      adopted.push(await this.apply(young, verified, overlay, reorganisation))
    }
    return { head: entry, abandoned, adopted, accounts: overlay.changes }
  }

  private async apply(
    entry: BlockEntry,
    verified: VerifiedBlock,
    overlay: AccountsOverlay,
    reorganisation: Reorganisation,
  ): Promise<ConnectedBlock> {
    await overlay.prepare(touchedAddresses(verified))
    try {
      return this.applyTo(overlay, entry, verified)
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      await this.rememberRefused(entry, reorganisation, error)
      throw entry.hash === reorganisation.adopt.at(-1)?.hash ? error : named(entry, error)
    }
  }

  /**
   * @param overlay which has been prepared for the block
   * @throws RuleError where the ledger refuses the block; then the overlay is as it was
   */
  private applyTo(overlay: AccountsOverlay, entry: BlockEntry, verified: VerifiedBlock): ConnectedBlock {
    const { changes, undo } = applyBlock(verified, overlay.read, this.rules)
    overlay.connect(entry.index, changes)
    return { entry, parsed: verified, undo, ids: [transactionId(verified.reward, this.id), ...verified.ids] }
  }

  /** The refused block and what was built on it, as far as they are stored: the newest one isn't, and won't be. */
  private async rememberRefused(entry: BlockEntry, { adopt }: Reorganisation, error: RuleError): Promise<void> {
    const stored = adopt.slice(0, -1).filter(({ index }) => index >= entry.index) as StoredEntry[]
    if (stored.length > 0) await this.modules.store.writeRefused(stored, error.code)
  }

  private async verifyStored(entry: BlockEntry): Promise<VerifiedBlock> {
    return this.verify(checkBody(await this.modules.store.block(entry), this.rules))
  }

  private async publish(change: HeadChange, options: ImportOptions): Promise<void> {
    await this.move(async () => {
      await this.modules.store.writeHead(change.abandoned, change.adopted, change.accounts, options)
      this.accounts.written(change.accounts)
      this.current = change.head
      await this.modules.onHead(change)
    })
  }
}

/** The block that brings a branch to light is judged, and an older one is at fault. */
function named({ index, hash }: BlockEntry, error: RuleError): RuleError {
  const { code, message, data } = error
  const found = new RuleError(code, `Block ${index}, on which it stands: ${message}`, { ...data, index, hash })
  return Object.assign(found, { cause: error })
}
