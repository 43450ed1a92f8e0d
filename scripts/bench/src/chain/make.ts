/** A chain to measure with: many senders, every block full of signed payments, the same for every run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BlockEntry, type ChainRules, type Genesis, genesisEntry, genesisOf, type Hash, hashOf } from '@bc/core'
import { type Checks, newChecks, putCheck } from '../verify/checks.ts'
import { BlocksFile } from './blocks-file.ts'
import { allocationsOf, type Holder, makeHolders } from './holders.ts'
import { nextBlock, paymentsOf } from './next-block.ts'

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

/** Of a chain of which all holders have coins. */
export function genesisFor(holders: readonly Holder[]): Genesis {
  return genesisOf({ ...RULES, allocations: allocationsOf(holders) } as unknown as ChainRules, GENESIS_TIME)
}

/** @returns the file, from which a node makes the same genesis */
export function writeConfig(folder: string, { rules, timestamp }: Genesis): string {
  const config = join(folder, 'config.json')
  writeFileSync(config, JSON.stringify({ ...rules, genesisTimestamp: timestamp }))
  return config
}

/** {@link genesisFor}, and the chain that begins with it, which has no other block yet. */
export function makeGenesis(folder: string, holders: readonly Holder[]): MadeGenesis {
  const genesis = genesisFor(holders)
  return { genesis, chain: hashOf(genesis), config: writeConfig(folder, genesis) }
}

export function makeChain(folder: string, { blocks, perBlock, accounts }: ChainSize): MadeChain {
  const holders = makeHolders(accounts)
  const { genesis, chain, config } = makeGenesis(folder, holders)
  const { rules } = genesis
  const checks = newChecks(blocks * perBlock)
  const file = join(folder, 'blocks')
  const written = BlocksFile.create(file)
  let parent: BlockEntry = genesisEntry(genesis, chain)
  for (let block = 0; block < blocks; block++) {
    const payments = paymentsOf(holders, block, perBlock, chain)
    for (const [i, { check }] of payments.entries()) putCheck(checks, block * perBlock + i, check)
    const miner = (holders[block % accounts] as Holder).address
    const { parsed, entry } = nextBlock(parent, rules, miner, payments)
    written.append(parsed.canonical)
    parent = entry
  }
  written.close()
  return { genesis, config, blocks: file, height: parent.index, tip: parent.hash, checks }
}
