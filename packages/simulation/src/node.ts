/** One simulated node: the real chain, pool, sync and relay over a disk, a clock and a network that are not real. */
import {
  type Block,
  type BlockEntry,
  type BlockTemplate,
  blockTemplate,
  canonicalJson,
  type Genesis,
  MAX_CLOCK_LEAD,
  type ParsedBlock,
  RuleError,
  readBlock,
  sealBlock,
  sealJobOf,
  searchNonce,
  type Transaction,
} from '@bc/core'
import {
  Admission,
  Chain,
  ChainStore,
  Database,
  type HeadChange,
  type Log,
  Network,
  type PeerId,
  Serial,
} from '@bc/node/parts'
import type { Curve } from '@bc/node/signatures'
import type { VirtualClock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Journal } from './journal.ts'
import { Life } from './life.ts'
import type { Medium } from './medium.ts'
import type { Purse } from './purses.ts'
import { SimulatedTransport } from './transport.ts'

export interface NodeModules {
  readonly clock: VirtualClock
  readonly medium: Medium<SimulatedTransport>
  readonly journal: Journal
  readonly curve: Curve
  readonly genesis: Genesis
  /** A message's hash. */
  readonly nameOf: (message: Uint8Array) => string
  readonly onHead: (node: SimulatedNode, change: HeadChange) => void
  /** Something that must not happen, whatever the network does. */
  readonly onFault: (node: SimulatedNode, what: string) => void
  readonly onChain?: OnChain
}

/**
 * Before a node's network gets its chain, for whoever wants to listen in, or to put a fault in: in that chain itself, as
 * what stands before it would keep a head of its own.
 */
export type OnChain = (name: PeerId, chain: Chain) => void

export interface NodeOptions {
  readonly name: PeerId
  readonly purse: Purse
  readonly disk: Disk
  /** Seconds that its clock is ahead. */
  readonly skew: number
}

/** What a node is while it runs. */
export interface Session {
  readonly life: Life
  readonly store: ChainStore
  readonly door: Serial
  readonly chain: Chain
  readonly admission: Admission
  readonly network: Network
  readonly transport: SimulatedTransport
}

/** A real node does it every second; it makes no difference but to the simulation's speed. */
const HOUSEKEEPING_MS = 5_000
/** Far more than any target here needs. */
const ATTEMPTS = 10_000_000

export class SimulatedNode {
  readonly name: PeerId
  readonly purse: Purse
  readonly disk: Disk
  private readonly modules: NodeModules
  private readonly skew: number
  private session: Session | undefined
  /** Σ work of its head. */
  private work = 0n

  constructor({ name, purse, disk, skew }: NodeOptions, modules: NodeModules) {
    this.name = name
    this.purse = purse
    this.disk = disk
    this.skew = skew
    this.modules = modules
  }

  get running(): Session | undefined {
    return this.session
  }

  /** Unix seconds by its own clock. */
  readonly unixSeconds = (): number => {
    const { genesis, clock } = this.modules
    return Math.floor(genesis.timestamp + clock.now() / 1000 + this.skew)
  }

  async start(): Promise<void> {
    const { journal, medium, nameOf } = this.modules
    const life = new Life(this.modules.clock, () => this.buried('between two writes'))
    const store = new ChainStore(await Database.open(this.disk.open(life), undefined))
    const door = new Serial()
    const { chain, admission } = await this.openLedger(store, door)
    const transport = new SimulatedTransport(this.name, medium, nameOf)
    this.modules.onChain?.(this.name, chain)
    const network = new Network({
      chain,
      store,
      admission,
      transport,
      time: life,
      log: this.log(),
      onFailure: (error) => this.fail(life, error),
    })
    this.work = chain.head.totalWork
    this.session = { life, store, door, chain, admission, network, transport }
    journal.write(this.name, `starts at ${chain.head.index} ${short(chain.head.hash)}`)
    network.start()
    medium.attach(transport)
    this.keepHouse(this.session).catch((error) => this.fail(life, error))
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    const session = this.session
    if (session === undefined) return
    this.session = undefined
    this.modules.journal.write(this.name, 'stops')
    await session.network.close()
    await session.door.idle()
    await session.store.close()
    session.life.end()
  }

  /** As a power cut stops it. */
  kill(): void {
    if (this.session === undefined) return
    this.session.life.end()
    this.buried('while it rests')
  }

  /** @param writes that it does before; or: whatever it writes before its next reorganisation, and that */
  killSoon(writes: number | 'reorganisation'): void {
    if (writes === 'reorganisation') this.session?.life.endAfterReorganisation()
    else this.session?.life.endAfterWrites(writes)
  }

  /** It shall not be killed soon, if it hasn't been yet. */
  spare(): void {
    this.session?.life.spare()
  }

  /** Finds a block on its head, with what its pool holds, as the real miner does. */
  async mine(): Promise<ParsedBlock | undefined> {
    const { session } = this
    if (session === undefined) return undefined
    const { chain, network, life } = session
    // On a new head the pool still has for a moment what that has confirmed.
    const found = await chain.atRest(async () => this.template(session))
    // It may have been stopped or killed while it waited for the head to rest.
    if (found === undefined || this.session !== session) return undefined
    const { parent, template } = found
    const nonce = searchNonce(sealJobOf(template, parent), 0n, ATTEMPTS)
    if (nonce === undefined) throw new TypeError('the target is too hard for a simulation')
    const parsed = readBack(sealBlock(template, nonce))
    try {
      const { kind } = await chain.import(parsed)
      this.modules.journal.write(this.name, `mines ${parsed.block.index} ${short(parsed.hash)}: ${kind}`)
      if (kind === 'head') network.announceBlock(parsed)
    } catch (error) {
      this.fail(life, error)
    }
    return parsed
  }

  /** What the next block shall hold; undefined where the newest is too far in the future for another one. */
  private template({ chain, admission }: Session): { parent: BlockEntry; template: BlockTemplate } | undefined {
    const parent = chain.head
    const now = this.unixSeconds()
    if (parent.timestamp - now > MAX_CLOCK_LEAD) return undefined
    const select = (maxBytes: number) => admission.pool.select(maxBytes)
    return { parent, template: blockTemplate({ parent, rules: chain.rules, miner: this.purse.address, now, select }) }
  }

  /** A transaction is handed in here. @returns whether the pool has taken it */
  async submit(transaction: Transaction): Promise<boolean> {
    if (this.session === undefined) return false
    const { admission, network } = this.session
    const what = `${transaction.nonce} of ${short(transaction.sender)}`
    try {
      const { id } = await admission.submit({ fields: transaction, namesNonce: true })
      network.announceTransaction(transaction)
      this.modules.journal.write(this.name, `takes transaction ${short(id)}, ${what}`)
      return true
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      this.modules.journal.write(this.name, `refuses transaction ${what}: ${error.code}`)
      return false
    }
  }

  private async openLedger(store: ChainStore, door: Serial) {
    const { curve, genesis } = this.modules
    const parts = { store, curve, door, clock: this.unixSeconds }
    const chain = await Chain.open(genesis, {
      ...parts,
      onHead: async (change) => {
        this.recordHead(change)
        await admission.follow(change)
      },
      onHeldRefused: (hash, { code }) => this.modules.onFault(this, `the held block ${hash} breaks ${code}`),
    })
    const admission = new Admission({ ...parts, chain: chain.id })
    await admission.restore()
    return { chain, admission }
  }

  private recordHead(change: HeadChange): void {
    const { head, abandoned, adopted } = change
    const way = abandoned.length > 0 ? `, ${abandoned.length} abandoned for ${adopted.length}` : ''
    this.modules.journal.write(this.name, `follows ${head.index} ${short(head.hash)}${way}`)
    // On a tie the one seen first stays.
    if (head.totalWork <= this.work)
      this.modules.onFault(this, `it leaves its head for ${short(head.hash)}, without more work`)
    this.work = head.totalWork
    this.modules.onHead(this, change)
  }

  private async keepHouse({ life, chain, admission }: Session): Promise<void> {
    while (!life.isOver) {
      await life.sleep(HOUSEKEEPING_MS)
      await chain.importDue()
      await admission.expire()
    }
  }

  /** What an honest node says of others. All others are honest as well: only their lines may be bad. */
  private log(): Log {
    const ignore = () => undefined
    const note = (fields: object, message: string) => {
      const { peer, code } = fields as { peer?: PeerId; code?: string }
      if (code === undefined) return
      this.modules.journal.write(this.name, `${message} ${peer} ${code}`)
      if (code !== 'stalled') this.modules.onFault(this, `an honest peer, ${peer}, is held to have broken ${code}`)
    }
    const log = { trace: ignore, debug: note, info: ignore, warn: note, error: note, fatal: note }
    return log as unknown as Log
  }

  private buried(how: string): void {
    this.session?.transport.vanish()
    this.session = undefined
    this.modules.journal.write(this.name, `is killed ${how}`)
  }

  private fail(life: Life, error: unknown): void {
    if (!life.isOver) this.modules.onFault(this, `it fails: ${(error as Error).stack}`)
  }
}

/** The first hex digits, enough to tell things apart. */
export function short(hash: string): string {
  return hash.slice(0, 8)
}

/** As it comes from the wire. */
function readBack(block: Block): ParsedBlock {
  return readBlock(canonicalJson(block))
}
