/**
 * Real nodes on this machine, the wires between them, and what a scenario may do with both. Every wait ends: with what was
 * waited for, at the limit with a sentence that says what was missing, or when the lab is closed.
 */
import { setMaxListeners } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Address, canonicalJson, type Hash, type Transaction } from '@bc/core'
import { signTransaction } from '@bc/wallet'
import type { ScenarioName } from '../command-line/arguments.ts'
import { CliError, writing } from '../failure.ts'
import { ALLOCATION, accountsOf, type LabAccounts } from './accounts.ts'
import type { AccountName, Report } from './events.ts'
import { NodeProcess } from './node-process.ts'
import { Random } from './random.ts'
import { since, Tips } from './tips.ts'
import { Wiring } from './wire.ts'

export interface LabOptions {
  readonly nodes: number
  readonly seed: number
  /** Milliseconds that each wait may take. */
  readonly limit: number
  /** Where the nodes' logs are kept; undefined: with all the rest, and gone with it. */
  readonly logs: string | undefined
  readonly signal: AbortSignal
  readonly report: Report
}

/** New coins in every block. */
export const REWARD = 50
/** Some hundreds of attempts: a few milliseconds. */
const DIFFICULTY = 2
const LOOK_MS = 50
const GRACE_MS = 2_000

/** Addresses that get coins, and the balance of each at one node. */
export type Balances = ReadonlyMap<Address, number>

export class Lab {
  readonly nodes: readonly NodeProcess[]
  readonly random: Random
  readonly tips: Tips
  readonly folder: string
  readonly accounts: LabAccounts
  readonly startedAt = performance.now()
  readonly signal: AbortSignal
  private readonly options: LabOptions
  private readonly wiring: Wiring
  private readonly closing = new AbortController()
  /** The addresses that the nodes' rewards go to: they stay when a node is down. */
  private readonly minedFor = new Map<Address, number>()
  private readonly sides = new Map<number, number>()

  private constructor(options: LabOptions, folder: string, wiring: Wiring) {
    this.options = options
    this.folder = folder
    this.wiring = wiring
    this.random = new Random(options.seed)
    this.signal = AbortSignal.any([options.signal, this.closing.signal])
    // As many as there are waits at one time.
    setMaxListeners(0, this.signal)
    this.accounts = accountsOf(options.seed)
    this.nodes = Array.from({ length: options.nodes }, (_, i) => this.newNode(i + 1))
    this.tips = new Tips(this.nodes, this.signal, options.report)
    process.on('exit', this.closeNow)
  }

  /** @throws CliError where its folders can't be made; nothing is left behind then */
  static async open(options: LabOptions): Promise<Lab> {
    const folder = makeFolders(options)
    try {
      return new Lab(options, folder, await Wiring.lay(options.nodes))
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Where it makes no difference which. */
  get first(): NodeProcess {
    return this.nodes[0] as NodeProcess
  }

  /** The chain's id. */
  get chain(): Hash {
    return this.nodes.find(({ status }) => status !== undefined)?.status?.chain as Hash
  }

  /** Number of the side of a split that the node is on. */
  sideOf(node: number): number | undefined {
    return this.sides.get(node)
  }

  minerOf(address: string): number | undefined {
    return this.minedFor.get(address as Address)
  }

  // ------------------------------------------------------------------------------------------------ What happens

  /** All of them start, and meet. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.bring(node)))
    this.tips.watch().catch(async (error) => {
      await this.grace()
      this.fail(error)
    })
    await this.connect()
  }

  /** All are there: whatever the scenario is, it starts from here. */
  begin(scenario: ScenarioName): void {
    const { nodes, seed } = this.options
    this.options.report({ event: 'lab', scenario, nodes, seed, chain: this.chain })
  }

  async kill(node: NodeProcess): Promise<void> {
    const { pid } = node.place
    this.lead(node, undefined)
    await node.kill()
    this.tips.forget(node)
    this.options.report({ event: 'killed', node: node.number, pid })
  }

  /** With the same folder, and connected as before. */
  async restart(node: NodeProcess): Promise<void> {
    await this.bring(node)
    await this.connect()
  }

  /** @returns the hash of a new block of this node's */
  async mine(node: NodeProcess): Promise<string> {
    const { index, hash } = await node.client.mine()
    this.options.report({ event: 'mined', node: node.number, height: index, hash })
    return hash
  }

  /** Hands a payment in at this node. */
  async pay(node: NodeProcess, from: AccountName, to: AccountName, amount: number): Promise<Transaction> {
    const { address, secret } = this.accounts[from]
    const { pendingNonce: nonce } = await node.client.account(address)
    const fields = { sender: address, recipient: this.accounts[to].address, amount, fee: 0, nonce }
    const transaction = signTransaction(fields as Parameters<typeof signTransaction>[0], this.chain, secret)
    const { id } = await node.client.send({ ...transaction })
    this.options.report({ event: 'paid', node: node.number, from, to, amount, id })
    return transaction
  }

  /** From now on nodes of different sides don't hear of each other. */
  async split(...sides: readonly (readonly NodeProcess[])[]): Promise<void> {
    for (const [i, side] of sides.entries()) for (const { number } of side) this.sides.set(number, i)
    for (const [a, b] of this.pairs()) if (!this.together(a, b)) this.wiring.between(a.number, b.number).cut()
    await this.until(() => this.strangers())
    this.options.report({
      event: 'split',
      sides: sides.map((side) => side.map(({ number }) => number).sort((a, b) => a - b)),
    })
  }

  async heal(): Promise<void> {
    const start = performance.now()
    this.sides.clear()
    for (const [a, b] of this.pairs()) this.wiring.between(a.number, b.number).mend()
    this.options.report({ event: 'healed' })
    await this.connect()
    this.options.report({ event: 'connected', ms: since(start) })
  }

  note(text: string): void {
    this.options.report({ event: 'note', text })
  }

  // ------------------------------------------------------------------------------------------- What is waited for

  /** Until these nodes have one newest block: the given one, if any. */
  async follow(nodes: readonly NodeProcess[], hash?: string): Promise<void> {
    const start = performance.now()
    await this.until(() => this.tips.laggard(nodes, hash))
    this.reportFollowed(nodes, hash ?? (this.tips.of(nodes[0]) as string), start)
  }

  /** @returns whether they all are at this block before that many milliseconds are over */
  async followSoon(nodes: readonly NodeProcess[], hash: string, ms: number): Promise<boolean> {
    const start = performance.now()
    while (this.tips.laggard(nodes, hash) !== undefined && since(start) < ms) await this.pause(LOOK_MS)
    if (this.tips.laggard(nodes, hash) !== undefined) return false
    this.reportFollowed(nodes, hash, start)
    return true
  }

  /** Until this transaction waits at all of these nodes. */
  async hear(nodes: readonly NodeProcess[], { signature }: Transaction): Promise<void> {
    await this.until(async () => {
      for (const node of nodes) {
        const { transactions } = await node.client.waiting()
        if (!transactions.some((waiting) => waiting.signature === signature))
          return `node ${node.number} has not heard of the payment`
      }
      return undefined
    })
  }

  /** Until all nodes have one newest block, whichever it is. */
  async oneTip(): Promise<void> {
    await this.until(() => this.tips.laggard(this.nodes))
  }

  pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.signal })
  }

  private reportFollowed(nodes: readonly NodeProcess[], hash: string, start: number): void {
    this.options.report({ event: 'followed', nodes: nodes.map(({ number }) => number), hash, ms: since(start) })
  }

  /**
   * @param missing looked at again and again: what is still missing, as a sentence; undefined once nothing is
   * @throws CliError with that sentence
   */
  async until(missing: () => string | undefined | Promise<string | undefined>): Promise<void> {
    const { limit } = this.options
    const deadline = performance.now() + limit
    for (let fault = await missing(); fault !== undefined; fault = await missing()) {
      if (performance.now() > deadline) throw new CliError('cli.lab', `after ${limit / 1000} s ${fault}.`)
      await this.pause(LOOK_MS)
    }
  }

  /** @throws CliError with the sentence where it isn't so */
  expect(holds: boolean, otherwise: string): void {
    if (!holds) throw new CliError('cli.lab', `${otherwise}.`)
  }

  /** Everybody who ever gets coins in this lab. */
  async balancesAt(node: NodeProcess): Promise<Balances> {
    const balances = new Map<Address, number>()
    const holders = [...Object.values(this.accounts).map(({ address }) => address), ...this.minedFor.keys()]
    for (const address of holders) balances.set(address, (await node.client.account(address)).balance)
    return balances
  }

  async balanceOf(name: AccountName, node: NodeProcess): Promise<number> {
    return (await node.client.account(this.accounts[name].address)).balance
  }

  // ----------------------------------------------------------------------------------------------------- The end

  /** Ends everything that was started and removes everything that was written. Never rejects. */
  async close(): Promise<void> {
    this.closing.abort(new CliError('cli.lab', 'the lab is closed.'))
    await Promise.allSettled(this.nodes.map((node) => node.stop()))
    this.wiring.remove()
    this.closeNow()
    process.off('exit', this.closeNow)
  }

  private readonly closeNow = (): void => {
    for (const node of this.nodes) node.killNow()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** Who asks a node that has just died may hear of it before we do; but that it died is the reason. */
  async grace(): Promise<void> {
    await this.pause(GRACE_MS).catch(() => undefined)
  }

  /** The first failure is the reason; what follows from it is not. */
  private fail(error: unknown): void {
    this.closing.abort(error)
  }

  private newNode(number: number): NodeProcess {
    const { nodes, limit, logs } = this.options
    return new NodeProcess({
      number,
      folder: this.folder,
      logs: logs ?? this.folder,
      logLevel: logs === undefined ? 'warn' : 'debug',
      wires: this.wiring.portsOf(number, nodes),
      limit,
      signal: this.signal,
      onLost: (error) => this.fail(error),
    })
  }

  private async bring(node: NodeProcess): Promise<void> {
    await node.start()
    const { place, status, p2pPort } = node
    this.lead(node, p2pPort)
    if (status) this.minedFor.set(status.address as Address, node.number)
    this.options.report({ event: 'up', node: node.number, ...place })
  }

  /** All the wires that end at this node. */
  private lead(to: NodeProcess, port: number | undefined): void {
    for (const { number } of this.others(to))
      if (number < to.number) this.wiring.between(number, to.number).leadTo(port)
  }

  /** Has every node meet those that it has a wire to, again where it has to be. */
  private async connect(): Promise<void> {
    await this.until(async () => {
      const missing = this.strangers()
      if (missing !== undefined) await Promise.all(this.nodes.map((node) => this.introduce(node)))
      return missing
    })
  }

  /** One that can't be reached yet is tried again by who waits for it. */
  private async introduce(node: NodeProcess): Promise<void> {
    const known = this.others(node).filter(
      (other) => other.number > node.number && other.isUp && this.together(node, other),
    )
    if (!node.isUp || known.length === 0) return
    const addresses = known.map((other) => other.addressAt(this.wiring.between(node.number, other.number).port))
    await node.client.register(addresses).catch((error) => {
      this.lastRefusal = `${(error as Error).message}`
    })
  }

  private lastRefusal = ''

  /** A sentence about the first node that isn't connected with exactly those on its side. */
  private strangers(): string | undefined {
    for (const node of this.nodes) {
      if (!node.isUp) continue
      const expected = this.others(node).filter((other) => other.isUp && this.together(node, other)).length
      const peers = node.status?.peers ?? 0
      if (peers !== expected)
        return `node ${node.number} is connected with ${peers} nodes instead of ${expected}${this.lastRefusal && `: ${this.lastRefusal}`}`
    }
    return undefined
  }

  private together(a: NodeProcess, b: NodeProcess): boolean {
    return this.sides.get(a.number) === this.sides.get(b.number)
  }

  private others(node: NodeProcess): NodeProcess[] {
    return this.nodes.filter((other) => other !== node)
  }

  private pairs(): [NodeProcess, NodeProcess][] {
    return this.nodes.flatMap((a) =>
      this.nodes.filter((b) => a.number < b.number).map((b) => [a, b] as [typeof a, typeof b]),
    )
  }
}

/** @returns the folder of all that is gone in the end */
function makeFolders({ seed, logs }: Pick<LabOptions, 'seed' | 'logs'>): string {
  if (logs !== undefined) writing('cli.lab', logs, () => mkdirSync(logs, { recursive: true }))
  const folder = writing('cli.lab', tmpdir(), () => mkdtempSync(join(tmpdir(), 'bc-lab-')))
  chmodSync(folder, 0o700)
  const allocations = Object.values(accountsOf(seed)).map(({ address }) => [address, ALLOCATION])
  const config = {
    difficulty: DIFFICULTY,
    miningReward: REWARD,
    blockTime: 0,
    halfLife: 0,
    allocations: Object.fromEntries(allocations),
  }
  writing('cli.lab', folder, () => writeFileSync(join(folder, 'config.json'), canonicalJson(config)))
  return folder
}
