/**
 * A node for CI and classes: `bc-node --dev`.
 *
 *     keys, chain, clock, proofs   follow from the seed: the same requests in the same order make the same hashes
 *     a transaction                has its own block before it is answered
 *     /dev/…                       snapshots, the clock, a faucet
 *
 * Nothing of this is loaded by any other node. It changes no rule: scripts/audit.sh accepts its chain.
 */
import { type Amount, type BlockEntry, type ChainRules, MAX_BLOCK_BYTES, type Pool } from '@bc/core'
import { ConfigError, type NodeConfig } from '../config.ts'
import type { App } from '../http/app.ts'
import { isThisMachine } from '../http/guard.ts'
import { type Identity, newIdentity } from '../identity.ts'
import type { Miner } from '../mining/miner.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { memoryLevel } from '../storage/memory.ts'
import { AutoMiner, oneByOne } from './auto-miner.ts'
import { DevClock } from './clock.ts'
import { Faucet } from './faucet.ts'
import { type DevAccount, devAccount, type FundedAccount } from './keys.ts'
import { RewindStore } from './rewind-store.ts'
import { devRoutes } from './routes.ts'
import { searchInOrder } from './search.ts'
import { type SnapshotModules, Snapshots } from './snapshots.ts'

const ACCOUNTS = 10
/** Coins of each account, and of the faucet: the supply has room for rewards for ever. */
const FUNDS = 1_000_000 as Amount
const FAUCET_FUNDS = 1_000_000_000_000 as Amount
/** 2023-11-14 22:13:20 UTC, as in config.json. */
const GENESIS_TIMESTAMP = 1_700_000_000

export class DevMode {
  readonly seed: number
  /** Who has coins from the start, beside the faucet. */
  readonly accounts: readonly FundedAccount[]
  /** What of a configuration decides on the chain: here the seed does. */
  readonly chain: Pick<NodeConfig, 'rules' | 'genesisTimestamp'>
  readonly identity: Identity
  readonly search = searchInOrder()
  private readonly faucet: DevAccount
  private readonly clock = new DevClock(GENESIS_TIMESTAMP + 1)
  private readonly autoMiner = new AutoMiner()
  private readonly rewindable: RewindStore

  private constructor(seed: number, rewindable: RewindStore) {
    this.seed = seed
    this.rewindable = rewindable
    this.accounts = Array.from({ length: ACCOUNTS }, (_, i) => ({ ...devAccount(seed, `account ${i}`), amount: FUNDS }))
    this.faucet = devAccount(seed, 'the faucet')
    this.identity = newIdentity(devAccount(seed, 'the node').secret)
    this.chain = { rules: rulesOf(this.accounts, this.faucet), genesisTimestamp: GENESIS_TIMESTAMP }
  }

  static async open(seed: number): Promise<DevMode> {
    return new DevMode(seed, await RewindStore.open(memoryLevel()))
  }

  /** @throws ConfigError for a host that others reach: everybody knows the secrets */
  checkHost(host: string): void {
    if (isThisMachine(host)) return
    throw new ConfigError(`In dev mode a node listens on this machine alone, as 127.0.0.1, and not on ${host}.`)
  }

  get store(): ChainStore {
    return this.rewindable.store
  }

  /** Unix seconds. */
  readonly now = (): number => this.clock.now()

  headMoved(head: BlockEntry): void {
    this.clock.follow(head)
  }

  /** The pool as the miner is to see it. */
  readonly oneByOne = oneByOne

  /** @returns once every transaction that can be in a block is in one */
  mineAll(miner: Miner, pool: Pool): Promise<void> {
    return this.autoMiner.mineAll(miner, pool)
  }

  addRoutes(app: App, modules: SnapshotModules): void {
    const { seed, accounts, clock, store, faucet } = this
    devRoutes(app, {
      ...modules,
      ...{ seed, accounts, clock },
      mineAll: () => this.mineAll(modules.miner, modules.admission.pool),
      faucet: new Faucet(faucet, { store, admission: modules.admission, chain: modules.chain.id }),
      snapshots: new Snapshots(this.rewindable, clock, modules),
    })
  }
}

/** Constants, and not config.json's: the same seed is the same chain on every machine. */
function rulesOf(accounts: readonly FundedAccount[], faucet: DevAccount): ChainRules {
  const funded = accounts.map(({ address, amount }) => [address, amount])
  return {
    allocations: Object.fromEntries([...funded, [faucet.address, FAUCET_FUNDS]]),
    blockTime: 0,
    difficulty: 1,
    halfLife: 0,
    maxBlockBytes: MAX_BLOCK_BYTES,
    miningReward: 50 as Amount,
  }
}
