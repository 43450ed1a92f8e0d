/**
 * New blocks and transactions: judged first, forwarded then. What was refused for a fault that nobody can overlook is
 * held against whoever forwarded it.
 */
import {
  type Address,
  type BlockEntry,
  canonicalJson,
  checkAlone,
  DEFAULT_POOL_LIMITS,
  isJsonObject,
  type JsonObject,
  type ParsedBlock,
  type Pool,
  type PoolEntry,
  parseJson,
  type RuleCode,
  RuleError,
  readBlock,
  readHeader,
  type Transaction,
  workOf,
} from '@bc/core'
import type { Chain } from '../../chain/chain.ts'
import { Counts } from '../../counts.ts'
import type { Admission } from '../../pool/admission.ts'
import type { ChainStore } from '../../storage/chain-store.ts'
import { Allowance } from '../allowance.ts'
import { type Topic, TRANSACTION_BYTES, topicName } from '../messages.ts'
import { penaltyOf, type Reputation, type Subject } from '../reputation.ts'
import type { Sync } from '../sync/sync.ts'
import type { Time } from '../time.ts'
import { PeerError, type PeerId, type Transport, type Verdict } from '../transport.ts'
import { Announcements } from './announcements.ts'

/**
 * What a peer may send of no use and of no harm either: blocks that we know or can't place, transactions without
 * coins. Beyond that it isn't listened to until some time has passed: it may be that not its messages are wrong but our
 * clock, or that we lack a block. What is taken costs nothing.
 *
 * This and what follows is for all the peers of one owner together: gossipsub remembers each message for two minutes, and
 * whoever has used up what he may send would leave as much again under the next name.
 */
const FUTILE = {
  blocks: { burst: 500, perSecond: 20 },
  transactions: { burst: 2_000, perSecond: 100 },
} as const
/**
 * What may come while they aren't listened to: that costs us next to nothing, but not nothing. It is as much as an honest
 * peer's pool holds, and more blocks than it has to forward in the time that it takes us to catch up. Of honest peers
 * behind one address gossipsub has at most twelve forward to us, and each tells of 80 transactions a second.
 */
const UNHEARD = {
  blocks: { burst: 2_000, perSecond: 20 },
  transactions: { burst: DEFAULT_POOL_LIMITS.maxTransactions, perSecond: 1_000 },
} as const
/** Messages that are being judged at the same time: more are not listened to either. */
const MOST_JUDGED = { blocks: 4, transactions: 2_000 } as const
/** A transaction that is refused for one of these may be taken another time: we lack a block, one before it, or time. */
const FOR_LATER: readonly RuleCode[] = ['tx.balance', 'pool.gap', 'node.busy']
/**
 * Blocks of this size are worth holding until their parent comes, or their time; bigger ones are asked for again. A
 * hundred of each are held, by anybody's word or for a second's work.
 */
const HELD_BYTES = 20_000
/** More than the longest header in canonical JSON. */
const HEADER_BYTES = 600
/**
 * Blocks of the head's work that a gossiped block may be behind it. Where targets move, old ones are easy, and anybody
 * could fill the disks of all with blocks upon them. A branch from further back is stored once it has more work.
 */
const MOST_BEHIND = 100n

export interface RelayModules {
  readonly chain: Chain
  readonly store: ChainStore
  readonly admission: Admission
  readonly transport: Transport
  readonly reputation: Reputation
  readonly sync: Sync
  readonly time: Time
  readonly onFailure: (error: unknown) => void
  /** The peer has told us of a transaction that we didn't look at, or couldn't take now. */
  readonly onMissed: (peer: PeerId) => void
}

const utf8 = new TextEncoder()

type Refusal = Exclude<Verdict, 'accept' | 'unheard'>

interface Gate {
  readonly futile: Allowance
  readonly unheard: Allowance
  /** How many messages of an owner's peers are being judged. */
  readonly judged: Counts
}

export class Relay {
  private readonly modules: RelayModules
  private readonly gates: Readonly<Record<Topic, Gate>>
  private readonly judging = new Set<Promise<unknown>>()
  private readonly announcements: Announcements

  constructor(modules: RelayModules) {
    this.modules = modules
    const { admission, transport, time, onFailure } = modules
    const publish = (transaction: Transaction) => this.publish('transactions', canonicalOf(transaction))
    this.announcements = new Announcements({ pool: admission.pool, transport, time, publish, onFailure })
    const gate = (topic: Topic): Gate => ({
      futile: new Allowance({ ...FUTILE[topic], time }),
      unheard: new Allowance({ ...UNHEARD[topic], time }),
      judged: new Counts(),
    })
    this.gates = { blocks: gate('blocks'), transactions: gate('transactions') }
  }

  start(): void {
    const { transport, chain, sync } = this.modules
    transport.subscribe(topicName(chain.id, 'blocks'), async (from, message) => {
      const verdict = await this.pass('blocks', from, () => this.judgeBlock(from, message))
      // Whatever became of it: the peer may have what we are missing.
      if (verdict === 'ignore' || verdict === 'unheard') sync.consider(from)
      return verdict
    })
    transport.subscribe(topicName(chain.id, 'transactions'), (from, message) =>
      this.pass('transactions', from, () => this.judgeTransaction(from, message)),
    )
  }

  /** Settles when all that has come so far is judged. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.judging)
  }

  close(): void {
    this.announcements.close()
  }

  announceBlock({ canonical }: Pick<ParsedBlock, 'canonical'>): Promise<void> {
    return this.publish('blocks', canonical)
  }

  /** In its turn. */
  announceTransaction(transaction: Transaction): void {
    this.announcements.add([transaction])
  }

  /**
   * A transaction that a peer was asked for. What is refused counts for nothing against {@link FUTILE}: whoever asks
   * bounds how much comes, and an honest peer's pool is for the most part the one that we have.
   * @returns what was taken; or why not
   */
  takeTransaction(from: PeerId, message: Uint8Array): Promise<PoolEntry | Refusal> {
    return this.untilJudged(this.take(from, message))
  }

  /**
   * Tells of what came by {@link takeTransaction}, in its turn.
   * @param from who has it already
   */
  tellOf(from: PeerId, entries: readonly PoolEntry[]): void {
    this.announcements.add(
      entries.map(({ transaction }) => transaction),
      from,
    )
  }

  private async publish(topic: Topic, text: string): Promise<void> {
    const { transport, chain } = this.modules
    await transport.publish(topicName(chain.id, topic), utf8.encode(text))
  }

  private pass(topic: Topic, from: PeerId, judge: () => Promise<Verdict>): Promise<Verdict> {
    return this.untilJudged(this.passPatiently(topic, from, judge))
  }

  private untilJudged<T>(judgement: Promise<T>): Promise<T> {
    const tracked = judgement.finally(() => this.judging.delete(tracked))
    this.judging.add(tracked)
    return tracked
  }

  /** Lets a message through to its judge, unless its sender's owner has used up our patience: then it is unheard. */
  private async passPatiently(topic: Topic, from: PeerId, judge: () => Promise<Verdict>): Promise<Verdict> {
    const { futile, judged } = this.gates[topic]
    const owner = this.modules.transport.ownerOf(from)
    if (futile.left(owner) <= 0 || judged.of(owner) >= MOST_JUDGED[topic]) return this.leaveUnheard(topic, from, owner)
    judged.add(owner)
    try {
      const verdict = await judge()
      if (verdict !== 'accept') futile.spend(owner, 1)
      return verdict
    } finally {
      judged.remove(owner)
    }
  }

  private async leaveUnheard(topic: Topic, from: PeerId, owner: string): Promise<Verdict> {
    if (this.gates[topic].unheard.spend(owner, 1) < 0)
      await this.modules.reputation.offend(from, new PeerError('flooding', `too many ${topic}`), 'conversation')
    // A block is found again by sync.
    if (topic === 'transactions') this.modules.onMissed(from)
    return 'unheard'
  }

  private async judgeBlock(from: PeerId, message: Uint8Array): Promise<Verdict> {
    const { chain, store } = this.modules
    try {
      const text = Buffer.from(message.buffer, message.byteOffset, message.length)
      // Of a block that is of no use the transactions aren't read: they are what costs memory and time.
      const header = readHeader(text.toString('latin1', 0, HEADER_BYTES))
      const parent = await store.entry(header.previous_hash)
      if (parent && this.isFarBehind(parent)) return 'ignore'
      const isHeld = parent === undefined || chain.isEarly(header)
      if (isHeld && message.length > HELD_BYTES) return 'ignore'
      const parsed = readBlock(text.toString('latin1'))
      checkSpelling(message, parsed.canonical)
      if (parent === undefined) checkAlone(parsed, chain.rules, chain.id)
      return await this.importGossiped(from, parsed)
    } catch (error) {
      return this.refuse(from, error, 'block')
    }
  }

  /**
   * What is beside the head is forwarded as well, so that all know both rivals of a race when the next block decides it.
   * The ledger hasn't seen it then, and that of somebody whose clock or head isn't ours may refuse what we forwarded in
   * good faith. So that is a futile block and no offence: to have a ledger asked costs a block's work each time.
   */
  private async importGossiped(from: PeerId, parsed: ParsedBlock): Promise<Verdict> {
    try {
      const { kind } = await this.modules.chain.import(parsed)
      return kind === 'head' || kind === 'beside' ? 'accept' : 'ignore'
    } catch (error) {
      return this.refuse(from, error, 'gossiped block')
    }
  }

  private isFarBehind({ totalWork }: BlockEntry): boolean {
    const { head } = this.modules.chain
    return totalWork + MOST_BEHIND * workOf(head.target) < head.totalWork
  }

  private async judgeTransaction(from: PeerId, message: Uint8Array): Promise<Verdict> {
    try {
      return (await this.admit(message)) ? 'accept' : 'ignore'
    } catch (error) {
      if (error instanceof RuleError && FOR_LATER.includes(error.code)) this.modules.onMissed(from)
      return this.refuse(from, error, 'transaction')
    }
  }

  private async take(from: PeerId, message: Uint8Array): Promise<PoolEntry | Refusal> {
    try {
      return (await this.admit(message)) ?? 'ignore'
    } catch (error) {
      return this.refuse(from, error, 'transaction')
    }
  }

  /** @returns undefined for what waits here already */
  private async admit(message: Uint8Array): Promise<PoolEntry | undefined> {
    const { admission } = this.modules
    const fields = parseJson(message, { maxBytes: TRANSACTION_BYTES, maxDepth: 2 })
    if (!isJsonObject(fields)) throw new RuleError('tx.shape', 'A transaction is an object.')
    const canonical = canonicalJson(fields)
    checkSpelling(message, canonical)
    // Several peers have the same: nobody has to look at its signature again.
    if (isWaiting(admission.pool, fields, canonical)) return undefined
    return admission.submit({ fields, namesNonce: true })
  }

  /** For our own trouble nobody else is to blame. */
  private async refuse(from: PeerId, error: unknown, about: Subject): Promise<Refusal> {
    if (!(error instanceof RuleError)) {
      this.modules.onFailure(error)
      return 'ignore'
    }
    await this.modules.reputation.offend(from, error, about)
    return penaltyOf(error, about) > 0 ? 'reject' : 'ignore'
  }
}

/** Whether it waits in the pool, signature and all. */
function isWaiting(pool: Pool, { sender, nonce }: JsonObject, canonical: string): boolean {
  // Whatever they are: what the pool knows was looked at before.
  const entry = pool.at(sender as Address, nonce as number)
  return entry !== undefined && canonicalOf(entry.transaction) === canonical
}

function canonicalOf(transaction: Transaction): string {
  return canonicalJson(transaction)
}

/** One thing has one spelling, or each of a thousand would be forwarded as news. */
function checkSpelling(message: Uint8Array, canonical: string): void {
  if (message.length === canonical.length && Buffer.from(canonical, 'latin1').equals(message)) return
  throw new RuleError('message.malformed', 'A gossiped message is canonical JSON, byte for byte.')
}
