/** The wiring of a node: what is opened, started and stopped, and in which order. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createSocket, type Server } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Address, genesisOf, type Hash, type PoolLimits, type RuleError } from '@bc/core'
import { Chain } from './chain/chain.ts'
import type { NodeConfig } from './config.ts'
import type { DevMode } from './dev/dev-mode.ts'
import type { Reverted } from './dev/snapshots.ts'
import { DamageError, StartError, StorageError, stoppingError } from './errors.ts'
import { EventFeed, headOf } from './events/feed.ts'
import type { App } from './http/app.ts'
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
import type { PoolChange } from './pool/changes.ts'
import { Serial } from './serial.ts'
import { CurveWorkers } from './signatures/curve-workers.ts'
import { markDamaged, openStore } from './start/open.ts'
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
  const config = { ...options.config, ...dev?.chain }
  const genesis = genesisOf(config.rules, config.genesisTimestamp)
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
    const store =
      dev?.store ??
      (await (dataDirectory === undefined
        ? openMemoryStore()
        : openStore({
            ...{ directory: dataDirectory, genesis, curve, log },
            ...{ acceptLoss: options.repair, signal: options.signal },
          })))
    closing.push(() => closeStore(store, log))
    const failure = new Failure(dataDirectory, log)
    const door = new Serial()
    const parts = { store, curve, door, clock }
    const network = new LateNetwork()
    const { chain, admission, miner, events, mineAll } = await openLedger(
      { ...options, config },
      parts,
      identity,
      network,
    )
    const onReverted = (reverted: Reverted) => events.reverted(reverted)
    const moreRoutes = dev && ((app: App) => dev.addRoutes(app, { chain, admission, miner, door, onReverted }))
    const neighboursFile = dataDirectory === undefined ? undefined : join(dataDirectory, 'neighbours.json')
    const neighbours = new Neighbours({ chain, log, network, file: neighboursFile })
    closing.push(() => door.idle())
    // Of those whom nobody waits for any more, once the server is closed: their turn would come after the store is.
    closing.push(async () => admission.close())
    const version = ownVersion()
    const allowedHosts = [...config.allowedHosts, options.host].map((name) => name.toLowerCase())
    const onFailure = (error: unknown) => failure.report(error)
    const stopping = new AbortController()
    const app = await createServer(
      { log, host: options.host, operatorToken: identity.operatorToken, allowedHosts, onFailure },
      {
        ...{ chain, store, admission, miner, identity, network, neighbours, events, version, onFailure },
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
    closing.push(keepHouse(chain, admission, failure))
    const { url, address } = await listen(app, options)
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

/** What openStore overlooks and the first readers find: the next start rebuilds, as after damage to a running node. */
function damageAtStart(directory: string, { message }: DamageError): StartError {
  const damage = `The data in ${directory} is damaged: ${message}.`
  try {
    markDamaged(directory, message)
    return new StartError(`${damage} Start again, and the chain is rebuilt.`)
  } catch (error) {
    const reason = `This can't be noted for the next start, which would rebuild the chain: ${(error as Error).message}.`
    return new StartError(`${damage} ${reason} Look after the disk that it is on.`)
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

interface Parts {
  readonly store: ChainStore
  readonly curve: CurveWorkers
  readonly door: Serial
  readonly clock: () => number
}

/** What is stored is reconciled before anybody can ask for it: first the chain, then the pool that rests on it. */
async function openLedger(
  { config, log, poolLimits, dev }: NodeOptions,
  parts: Parts,
  identity: Identity,
  network: LateNetwork,
) {
  const genesis = genesisOf(config.rules, config.genesisTimestamp)
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
  const expired = await admission.restore()
  if (expired > 0)
    log.warn({ expired }, 'Transactions that waited are dropped, as too old by this node’s clock: is the clock right?')
  return { chain, admission, miner, events, mineAll }
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

/** The first thing after which the node can't go on. */
class Failure {
  readonly happened: Promise<Error>
  private readonly dataDirectory: string | undefined
  private readonly log: Log
  private settle: (error: Error) => void = () => undefined
  private reported = false

  constructor(dataDirectory: string | undefined, log: Log) {
    this.dataDirectory = dataDirectory
    this.log = log
    this.happened = new Promise((resolve) => {
      this.settle = resolve
    })
  }

  /** One failure follows from another: the first one counts. */
  report(error: unknown): void {
    if (this.reported) return
    this.reported = true
    const reason = error instanceof Error ? error : new Error(String(error))
    // First: whatever fails on the way, the node must stop.
    this.settle(reason)
    if (reason instanceof DamageError) this.leaveNote(reason)
    this.log.fatal(reason, 'The node stops.')
  }

  /** For the next start, which mends it. Where the directory takes no note any more, the node must stop all the same. */
  private leaveNote({ message }: DamageError): void {
    try {
      if (this.dataDirectory !== undefined) markDamaged(this.dataDirectory, message)
    } catch (error) {
      this.log.error(error, 'The damage can’t be noted for the next start.')
    }
  }
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

function keepHouse(chain: Chain, admission: Admission, failure: Failure) {
  const timer = setInterval(() => {
    Promise.all([chain.importDue(), admission.expire()]).catch((error) => failure.report(error))
  }, HOUSEKEEPING_MS)
  timer.unref()
  return async () => clearInterval(timer)
}

function mineOn(miner: Miner, failure: Failure, log: Log): void {
  const onRefused = ({ code, message }: RuleError) => log.warn({ code }, `No block can be mined for now. ${message}`)
  miner.mineOn(onRefused).catch((error) => failure.report(error))
}

/** @returns the URL for people, and the IP address that the host's name has turned out to mean */
async function listen(app: App, { host, port, network }: NodeOptions): Promise<{ url: string; address: string }> {
  // For the name Fastify would open a second server on ::1, which has none of the first one's limits.
  const name = host === 'localhost' ? '127.0.0.1' : host
  // Libp2p takes its port once the node is answering: that it will get it must be known before.
  const held = network?.port
    ? await holdPort(name, network.port).catch(cantListen(host, network.port, '--p2p-port'))
    : undefined
  try {
    const listenTextResolver = (url: string) => `Listening at ${url}.`
    await app.listen({ host: name, port, listenTextResolver }).catch(cantListen(host, port, '-p'))
  } finally {
    if (held) await letGo(held)
  }
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address and a port')
  return { url: urlOf(host, address.port), address: address.address }
}

/** What people type: a name for the address that means this machine, brackets around IPv6. */
function urlOf(host: string, port: number): string {
  const here = host === '127.0.0.1' || host === '0.0.0.0' || host === '::'
  const name = here ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** @param flag what chooses the port */
function cantListen(host: string, port: number, flag: string) {
  return ({ code, message }: NodeJS.ErrnoException): never => {
    if (code === 'EADDRINUSE') throw new StartError(`Port ${port} is in use on ${host}: choose another with ${flag}.`)
    throw new StartError(`The node can't listen on ${host}, port ${port}: ${message}.`)
  }
}

/** A port that was free a moment ago. */
export async function freePort(host: string): Promise<number> {
  const held = await holdPort(host, 0)
  const address = held.address()
  await letGo(held)
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Who connects meanwhile is hung up on, or his connection would outlast ours. */
async function holdPort(host: string, port: number): Promise<Server> {
  const held = createSocket((connection) => connection.destroy()).listen(port, host)
  await once(held, 'listening')
  return held
}

async function letGo(held: Server): Promise<void> {
  held.close()
  await once(held, 'close')
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return version
}
