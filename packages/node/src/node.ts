/** The wiring of a node: what is opened, started and stopped, and in which order. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Address, type Genesis, genesisOf, type Hash, type PoolLimits, type RuleError } from '@bc/core'
import { Chain } from './chain/chain.ts'
import type { NodeConfig } from './config.ts'
import type { DevMode } from './dev/dev-mode.ts'
import { DamageError, StorageError, stoppingError } from './errors.ts'
import { EventFeed, headOf } from './events/feed.ts'
import { damageAtStart, Failure } from './failure.ts'
import type { App } from './http/app.ts'
import { listen } from './http/listen.ts'
import { createServer } from './http/server.ts'
import { type Identity, loadIdentity, newIdentity } from './identity.ts'
import type { Log } from './log.ts'
import { Miner } from './mining/miner.ts'
import { SealThreads } from './mining/seal-threads.ts'
import type { joinNetwork, NetworkOptions } from './network/join.ts'
import { LateNetwork } from './network/late-network.ts'
import { Neighbours } from './network/neighbours/neighbours.ts'
import type { PeerChange } from './network/network.ts'
import { machineClock } from './network/time.ts'
import { Admission } from './pool/admission.ts'
import type { PoolChange, Reverted } from './pool/changes.ts'
import { Serial } from './serial.ts'
import { CurveWorkers } from './signatures/curve-workers.ts'
import { openStore } from './start/open.ts'
import { Pace, scrub, scrubNewFiles } from './start/scrub.ts'
import type { ChainStore } from './storage/chain-store.ts'
import { openMemoryStore } from './storage/memory.ts'

export interface NodeOptions {
  readonly config: NodeConfig
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** undefined: all is kept in memory, and gone with the node. */
  readonly dataDirectory: string | undefined
  /** Mine on and on. */
  readonly mine: boolean
  /** undefined: a node that talks to nobody. */
  readonly network?: NetworkOptions
  /** Go on without blocks that damage has taken away for good. */
  readonly repair: boolean
  /** Aborted, it cuts short what takes long in a start: a rebuild. */
  readonly signal?: AbortSignal
  readonly log: Log
  /** The node's own terminal: where `GET /secret` shows the secret. */
  readonly console: (text: string) => void
  /** Unix seconds; the machine's own clock unless given. */
  readonly clock?: () => number
  readonly poolLimits?: PoolLimits
  /** For CI and classes: it stands in for the chain of the configuration, the clock, the store and more. */
  readonly dev?: DevMode
}

export interface RunningNode {
  readonly url: string
  readonly chain: Hash
  readonly address: Address
  readonly height: number
  readonly tip: Hash
  readonly dataDirectory: string | undefined
  readonly app: App
  /** Settles with the reason when the node can't go on; whoever runs it calls {@link stop} then. */
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

/** How often held blocks and old transactions are looked at. */
const HOUSEKEEPING_MS = 1_000
/** Seconds that a clock gains between two such looks where somebody has put it forward. */
const STEP_S = 60
/** The scrub's head start: by then a small chain has been looked at whole before anybody is answered. */
const SCRUB_FIRST_MS = 250

/**
 * @throws StartError where the directory or the port can't be had, or the data belongs to another chain or is lost
 * @throws ConfigError in dev mode, for a host that others reach
 * @throws what `signal` was aborted with
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { dataDirectory, log, dev, clock = dev?.now ?? machineClock } = options
  dev?.checkHost(options.host)
  const { rules, genesisTimestamp } = dev?.chain ?? options.config
  const genesis = genesisOf(rules, genesisTimestamp)
  const identity = dev?.identity ?? (dataDirectory === undefined ? newIdentity() : loadIdentity(dataDirectory))
  const closing: (() => Promise<void>)[] = []
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= closeAll(closing.reverse())
    return closed
  }
  try {
    const curve = new CurveWorkers(availableParallelism())
    closing.push(() => curve.close())
    const store = await storeOf(options, genesis, curve)
    closing.push(() => closeStore(store, log))
    const failure = new Failure(dataDirectory, log)
    const door = new Serial()
    const parts = { store, curve, door, clock }
    const network = new LateNetwork()
    const { chain, admission, miner, events, mineAll } = await openLedger(options, parts, {
      genesis,
      identity,
      network,
    })
    const onReverted = (reverted: Reverted) => events.headMoved(reverted, reverted.pool)
    const moreRoutes = dev && ((app: App) => dev.addRoutes(app, { chain, admission, miner, door, onReverted }))
    const neighboursFile = dataDirectory === undefined ? undefined : join(dataDirectory, 'neighbours.json')
    const neighbours = new Neighbours({ chain, log, network, file: neighboursFile })
    closing.push(() => door.idle())
    // Of those whom nobody waits for any more, once the server is closed: their turn would come after the store is.
    closing.push(async () => admission.close())
    const version = ownVersion()
    const allowedHosts = [...options.config.allowedHosts, options.host].map((name) => name.toLowerCase())
    const onFailure = (error: unknown) => failure.report(error)
    const stopping = new AbortController()
    const app = await createServer(
      { log, host: options.host, operatorToken: identity.operatorToken, allowedHosts, onFailure },
      {
        ...{ chain, store, admission, curve, miner, identity, network, neighbours, events, version, onFailure },
        console: options.console,
        stopping: stopping.signal,
        ...(mineAll && { onImported: mineAll }),
        ...(moreRoutes && { moreRoutes }),
      },
    )
    closing.push(() => network.close())
    closing.push(() => app.close())
    // Before the server: it would wait for the end of these answers, which have none of their own.
    closing.push(async () => events.close())
    // These before the server, which waits for the answers that it owes.
    closing.push(() => miner.stop())
    closing.push(() => neighbours.close())
    closing.push(async () => stopping.abort(stoppingError()))
    closing.push(await startScrub(store, chain, failure))
    closing.push(keepHouse(chain, admission, failure, clock, log))
    const { url, address } = await listen(app, options.host, options.port, options.network?.port)
    if (options.network) {
      const onPeer = (change: PeerChange) => events.peersChanged(change)
      joinLate(network, address, options.network, { chain, store, admission, log, onFailure, onPeer }, dataDirectory)
      neighbours.start()
    }
    if (options.mine) mineOn(miner, failure, log)
    return {
      url,
      chain: chain.id,
      address: identity.address,
      height: chain.head.index,
      tip: chain.head.hash,
      dataDirectory,
      app,
      failed: failure.happened,
      stop: close,
    }
  } catch (error) {
    // Why it can't start is the word that counts.
    await close().catch(() => undefined)
    throw error instanceof DamageError && dataDirectory !== undefined ? damageAtStart(dataDirectory, error) : error
  }
}

/** Every step, whatever becomes of the others: a store that stays open would keep its lock. */
async function closeAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const faults: unknown[] = []
  for (const step of steps) await step().catch((fault) => faults.push(fault))
  if (faults.length > 0) throw faults[0]
}

/** What was promised to last is on the disk long since. All that a full one can refuse now saves work at the next start. */
async function closeStore(store: ChainStore, log: Log): Promise<void> {
  try {
    await store.close()
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    log.warn({ reason: error.message }, 'The disk has not taken the last of what was to be kept.')
  }
}

function storeOf(
  { dataDirectory: directory, dev, repair: acceptLoss, signal, log }: NodeOptions,
  genesis: Genesis,
  curve: CurveWorkers,
): ChainStore | Promise<ChainStore> {
  if (dev) return dev.store
  return directory === undefined ? openMemoryStore() : openStore({ directory, genesis, curve, log, acceptLoss, signal })
}

interface Parts {
  readonly store: ChainStore
  readonly curve: CurveWorkers
  readonly door: Serial
  readonly clock: () => number
}

/** What is stored is reconciled before anybody can ask for it: first the chain, then the pool that rests on it. */
async function openLedger(
  { log, poolLimits, dev }: NodeOptions,
  parts: Parts,
  { genesis, identity, network }: { genesis: Genesis; identity: Identity; network: LateNetwork },
) {
  const chain = await Chain.open(genesis, {
    ...parts,
    onHead: async (change) => {
      const followed = await admission.follow(change)
      miner.headMoved()
      events.headMoved(change, followed)
      dev?.headMoved(change.head)
    },
    onHeldRefused: (hash: Hash, error: RuleError) => log.warn({ hash, code: error.code }, error.message),
  })
  // Blocks that are handed in may abandon others, whose transactions return, or hold the one that another waits for.
  const mineAll = dev && (() => dev.mineAll(miner, admission.pool))
  const onChanges = (changes: readonly PoolChange[]) => events.poolChanged(changes)
  const admission = new Admission(
    { ...parts, chain: chain.id, onChanges, ...(mineAll && { onAdmitted: mineAll }) },
    poolLimits,
  )
  const threads = dev?.search ?? new SealThreads(Math.max(1, availableParallelism() - 1))
  const miner = new Miner({
    chain,
    pool: dev?.oneByOne(admission.pool) ?? admission.pool,
    threads,
    clock: parts.clock,
    address: identity.address,
    onMined: (block) => network.announceBlock(block),
  })
  const events = new EventFeed({ head: headOf(chain), progress: () => miner.progress })
  warnOfExpired(await admission.restore(), log)
  return { chain, admission, miner, events, mineAll }
}

/** Nobody else's time is asked for: that ours has gone wrong shows here. */
function warnOfExpired(expired: number, log: Log): void {
  if (expired > 0)
    log.warn({ expired }, 'Transactions that waited are dropped, as too old by this node’s clock: is the clock right?')
}

/** Libp2p is loaded here and nowhere else: once the node is answering. */
function joinLate(
  network: LateNetwork,
  host: string,
  options: NetworkOptions,
  modules: Parameters<typeof joinNetwork>[2],
  dataDirectory: string | undefined,
): void {
  const joinNow = async () => {
    const { joinNetwork } = await import('./network/join.ts')
    return joinNetwork(host, options, modules, dataDirectory)
  }
  network.start(joinNow, modules.onFailure)
}

async function startScrub(store: ChainStore, chain: Chain, failure: Failure) {
  const stopping = new AbortController()
  const pace = new Pace(stopping.signal)
  const scrubbed = scrub(store, chain, pace)
  const done = scrubbed.then(() => scrubNewFiles(store, stopping.signal)).catch((error) => failure.report(error))
  await Promise.race([scrubbed.catch(() => undefined), delay(SCRUB_FIRST_MS)])
  pace.slowDown()
  return async () => {
    stopping.abort()
    await done
  }
}

function keepHouse(chain: Chain, admission: Admission, failure: Failure, clock: () => number, log: Log) {
  const leadNow = () => clock() - performance.now() / 1000
  let lead = leadNow()
  const expire = async () => {
    const before = lead
    lead = leadNow()
    const expired = await admission.expire()
    // What has waited for as long as it may goes without a word.
    if (lead - before > STEP_S) warnOfExpired(expired, log)
  }
  const timer = setInterval(() => {
    Promise.all([chain.importDue(), expire()]).catch((error) => failure.report(error))
  }, HOUSEKEEPING_MS)
  timer.unref()
  return async () => clearInterval(timer)
}

function mineOn(miner: Miner, failure: Failure, log: Log): void {
  const onRefused = ({ code, message }: RuleError) => log.warn({ code }, `No block can be mined for now. ${message}`)
  miner.mineOn(onRefused).catch((error) => failure.report(error))
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return version
}
