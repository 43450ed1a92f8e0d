/** The chain that the network's tests are on, and blocks for it: made here, so that a test can make bad ones too. */
import { type Block, type ChainRules, entryAfter, hashOf, type ParsedBlock, parseBlock, parseJson } from '@bc/core'
import { alice, bob, extended, miner, type Site, siteAtGenesis } from '../../../core/test/support/site.ts'
import type { NodeConfig } from '../../src/config.ts'

export const GENESIS_TIME = 1_700_000_000

export function networkRules(changed: Partial<Record<keyof ChainRules, unknown>> = {}): ChainRules {
  const allocations = { [alice.address]: 1_000_000, [bob.address]: 1_000_000 }
  const usual = { allocations, blockTime: 0, difficulty: 2, halfLife: 0, maxBlockBytes: 200_000, miningReward: 50 }
  return { ...usual, ...changed } as ChainRules
}

export function networkConfig(rules: ChainRules = networkRules()): NodeConfig {
  return { rules, genesisTimestamp: GENESIS_TIME, port: 0, host: '127.0.0.1', allowedHosts: [] }
}

export function genesisSite(rules: ChainRules = networkRules()): Site {
  return siteAtGenesis('network', rules, GENESIS_TIME)
}

/** A block with nothing but its reward. Another `seed`, in seconds, makes another block. */
export function emptyBlock(site: Site, seed = 0): Site {
  return extended(site, { transfers: () => [], fields: { timestamp: site.parent.timestamp + seed } })
}

/** So many blocks more, each with its reward alone. */
export function grown(site: Site, blocks: number, seed = 0): Site {
  let at = site
  for (let i = 0; i < blocks; i++) at = emptyBlock(at, i === 0 ? seed : 0)
  return at
}

export function parsedOf(text: string): ParsedBlock {
  return parseBlock(parseJson(text))
}

/** Where the next block of a node goes. Its blocks must have paid nothing but rewards. */
export async function siteOf(url: string, rules: ChainRules = networkRules()): Promise<Site> {
  const answer = await fetch(`${url}/chain`)
  const { chain } = (await answer.json()) as { chain: Block[] }
  const { texts: _, ...genesis } = genesisSite(rules)
  let parent = genesis.parent
  for (const block of chain.slice(1)) parent = entryAfter(parent, block, hashOf(block))
  return { ...genesis, texts: chain.map((block) => JSON.stringify(block)), parent }
}

export { alice, bob, miner, type Site }
