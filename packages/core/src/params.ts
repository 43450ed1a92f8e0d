import type { Address } from './address.ts'
import { type Amount, MAX_AMOUNT } from './primitives.ts'

/**
 * What two nodes must share to be on one chain. They stand in the genesis block, so its hash, the chain's id, binds
 * every one of them (protocol.md, "Genesis").
 */
export type ChainRules = {
  /** The first balances. */
  readonly allocations: Readonly<Record<Address, Amount>>
  /** Seconds from block to block that the target aims for; 0 for a constant target. */
  readonly blockTime: number
  /** Leading zero hex digits of the easiest target, 0 … 63. */
  readonly difficulty: number
  /** Seconds of delay that halve the difficulty (ASERT's τ); 0 for a constant target. */
  readonly halfLife: number
  /** Largest canonical JSON of a block, in bytes; {@link MAX_BLOCK_BYTES} at most. */
  readonly maxBlockBytes: number
  /** New coins in every block after genesis. */
  readonly miningReward: Amount
}

/** A block time's worth of half-life, unless it is configured (protocol.md, "Difficulty"). */
export const HALF_LIFE_BLOCKS = 60
/** Seconds that a block's timestamp may be ahead of the judging node's clock (protocol.md, "Block"). */
export const MAX_CLOCK_LEAD = 120
/** Bytes of UTF-8 in a memo (protocol.md, "Transaction"). */
export const MAX_MEMO_BYTES = 256
/** Bytes of a block's canonical JSON that no rules may exceed, and the default (protocol.md, "Block"). */
export const MAX_BLOCK_BYTES = 1_000_000

/** The coins in existence once the block at `index` is applied: rewards are exact, so this needs no counting. */
export function supplyAt(index: number, rules: ChainRules): bigint {
  return allocated(rules) + BigInt(rules.miningReward) * BigInt(index - 1)
}

/** Asked for every block, and there may be many allocations: added up once. */
const sums = new WeakMap<ChainRules, bigint>()

function allocated(rules: ChainRules): bigint {
  const known = sums.get(rules)
  if (known !== undefined) return known
  let sum = 0n
  for (const amount of Object.values(rules.allocations)) sum += BigInt(amount)
  sums.set(rules, sum)
  return sum
}

/** Whether the reward of the block at `index` would take the supply past 2^53-1. */
export function exceedsSupply(index: number, rules: ChainRules): boolean {
  return supplyAt(index, rules) > BigInt(MAX_AMOUNT)
}
