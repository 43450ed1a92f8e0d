/**
 * What an offence costs. A hundred points are too many: the peer is hung up on and refused for a while. What may be
 * innocent (a clock, a late block, a transaction that somebody else's block overtook) costs nothing.
 */
import { type RuleCode, RuleError } from '@bc/core'
import type { Log } from '../log.ts'
import { ShortMemory } from './short-memory.ts'
import type { Time } from './time.ts'
import { PeerError, type PeerFault, type PeerId, type Transport } from './transport.ts'

const LIMIT = 100
/** A point is forgotten in this long, so that a bad line doesn't add up over days. */
const FORGET_MS = 30_000
const BAN_MS = 10 * 60_000
/** Peers whose points are remembered: the least recent are forgotten first. */
const MOST_REMEMBERED = 1_000

/**
 * What the error is about decides: in a block every fault is its maker's, in a transaction some are the time's, and in a
 * gossiped block some may have been hidden from whoever forwarded it.
 */
export type Subject = 'block' | 'gossiped block' | 'transaction' | 'conversation'

/** Nobody who checks what he forwards ever forwards a transaction that breaks one of these. */
const UNMISTAKABLE: readonly RuleCode[] = [
  'message.malformed',
  'tx.shape',
  'tx.number',
  'tx.memo',
  'tx.address',
  'tx.signature',
]

/**
 * What the ledger finds: it is asked once a block would be the head, and for its forwarder another one may be. A reward is
 * looked at before, but not by every version.
 */
const LEDGERS: readonly RuleCode[] = ['tx.nonce', 'tx.balance', 'block.reward']

const FAULTS: Readonly<Record<PeerFault, number>> = {
  gone: 0,
  self: 0,
  stalled: 20,
  withheld: 34,
  oversized: LIMIT,
  garbled: LIMIT,
  flooding: LIMIT,
}

export function penaltyOf(error: unknown, about: Subject): number {
  if (error instanceof PeerError) return FAULTS[error.fault]
  // Our own trouble, or our own limits.
  if (!(error instanceof RuleError) || /^(?:node|pool|request)\./.test(error.code)) return 0
  if (about === 'transaction') return UNMISTAKABLE.includes(error.code) ? LIMIT : 0
  return about === 'gossiped block' && LEDGERS.includes(error.code) ? 0 : LIMIT
}

interface Standing {
  readonly points: number
  readonly at: number
  /** It is hung up on, or about to be. */
  readonly refused: boolean
}

export class Reputation {
  private readonly transport: Transport
  private readonly time: Time
  private readonly log: Log
  /** Until its points are forgotten, or a ban has paid for all that led to it. */
  private readonly records: ShortMemory<Standing>

  constructor(modules: { readonly transport: Transport; readonly time: Time; readonly log: Log }) {
    this.transport = modules.transport
    this.time = modules.time
    this.records = new ShortMemory(() => modules.time.now(), MOST_REMEMBERED)
    this.log = modules.log
  }

  /** @param error what the peer's message broke: a rule, or the conversation */
  async offend(peer: PeerId, error: unknown, about: Subject): Promise<void> {
    const penalty = penaltyOf(error, about)
    if (penalty === 0) return
    const record = this.records.get(peer)
    // What it sent before it was hung up on is judged still.
    if (record?.refused) return
    const now = this.time.now()
    const points = penalty + (record ? record.points - Math.floor((now - record.at) / FORGET_MS) : 0)
    const refused = points >= LIMIT
    this.records.set(peer, { points, at: now, refused }, refused ? BAN_MS : points * FORGET_MS)
    const code = error instanceof RuleError ? error.code : (error as PeerError).fault
    this.log.debug({ peer, code, points }, 'A peer has offended.')
    if (!refused) return
    this.log.warn({ peer, code }, 'A peer is refused for a while.')
    await this.transport.disconnect(peer, BAN_MS)
  }
}
