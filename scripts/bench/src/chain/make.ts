/** A chain to measure with: many senders, every block full of signed payments, the same for every run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BlockEntry,
  blockTemplate,
  type ChainRules,
  entryAfter,
  type Genesis,
  genesisEntry,
  genesisOf,
  type Hash,
  hashOf,
  type JsonValue,
  type PoolEntry,
  parseBlock,
  sealBlock,
} from '@bc/core'
import { CHECK_BYTES, type Checks } from '../verify/checks.ts'
import { BlocksFile } from './blocks-file.ts'
import { allocationsOf, type Holder, makeHolders, pay } from './holders.ts'

export interface ChainSize {
  readonly blocks: number
  /** Signed transactions of each, beside the reward. */
  readonly perBlock: number
  /** Those who send and receive. */
  readonly accounts: number
}

export interface MadeChain {
  readonly genesis: Genesis
  /** A `config.json` for nodes of this chain. */
  readonly config: string
  /** The blocks after genesis: see {@link BlocksFile}. */
  readonly blocks: string
  /** Of the newest block. */
  readonly height: number
  readonly tip: string
  /** What there is to verify in all of it. */
  readonly checks: Checks
}

const GENESIS_TIME = 1_700_000_000
const RULES = { blockTime: 0, difficulty: 0, halfLife: 0, maxBlockBytes: 1_000_000, miningReward: 50 }

export interface MadeGenesis {
  readonly genesis: Genesis
  /** The chain's id. */
  readonly chain: Hash
  /** A `config.json` for nodes of this chain. */
  readonly config: string
}

/** A chain of which all holders have coins, and that has no block yet. */
export function makeGenesis(folder: string, holders: readonly Holder[]): MadeGenesis {
  const allocations = allocationsOf(holders)
  const genesis = genesisOf({ ...RULES, allocations } as unknown as ChainRules, GENESIS_TIME)
  const config = join(folder, 'config.json')
  writeFileSync(config, JSON.stringify({ ...genesis.rules, genesisTimestamp: genesis.timestamp }))
  return { genesis, chain: hashOf(genesis), config }
}

export function makeChain(folder: string, { blocks, perBlock, accounts }: ChainSize): MadeChain {
  const holders = makeHolders(accounts)
  const { genesis, chain, config } = makeGenesis(folder, holders)
  const { rules } = genesis
  const checks = new Uint8Array(new SharedArrayBuffer(blocks * perBlock * CHECK_BYTES))
  const file = join(folder, 'blocks')
  const written = BlocksFile.create(file)
  let parent: BlockEntry = genesisEntry(genesis, chain)
  for (let block = 0, count = 0; block < blocks; block++) {
    const pool = Array.from({ length: perBlock }, () => {
      const sender = holders[(count * 7) % accounts] as Holder
      const recipient = holders[(count * 11 + 5) % accounts] as Holder
      const { transaction, check } = pay(sender, recipient.address, chain)
      checks.set(check, count++ * CHECK_BYTES)
      return { transaction }
    }) as unknown as PoolEntry[]
    const miner = (holders[block % accounts] as Holder).address
    const template = blockTemplate({ parent, rules, miner, now: parent.timestamp + 1, select: () => pool })
    const parsed = parseBlock(sealBlock(template, 0n) as unknown as JsonValue)
    written.append(parsed.canonical)
    parent = entryAfter(parent, parsed.block, parsed.hash)
  }
  written.close()
  return { genesis, config, blocks: file, height: parent.index, tip: parent.hash, checks }
}
