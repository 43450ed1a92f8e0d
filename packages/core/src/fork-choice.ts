/**
 * The block tree: the valid chain with the most work is the chain; on a tie the one seen first (protocol.md, "Fork
 * choice"). Entries are looked up by hash, so the tree lives wherever its owner keeps it and costs no memory per block.
 */
import type { Genesis, Header } from './block.ts'
import type { Hash, Height, Proof, Target } from './primitives.ts'
import { workOf } from './target.ts'

/** What the tree keeps of a block: its header, and all that its children are checked against. */
export interface BlockEntry {
  readonly hash: Hash
  readonly previousHash: Hash | '1'
  readonly index: Height
  readonly timestamp: number
  readonly target: Target
  readonly proof: Proof
  readonly merkleRoot: Hash
  /** Seconds after the parent; undefined for genesis. */
  readonly solveTime: number | undefined
  /** Σ work from genesis to here. */
  readonly totalWork: bigint
}

/** Genesis has cost nothing: its seal is not checked. Its own work counts all the same, alike on every branch. */
export function genesisEntry(genesis: Genesis, hash: Hash): BlockEntry {
  const { index, timestamp, target, proof, merkle_root: merkleRoot } = genesis
  const header = { index, timestamp, target, proof, merkleRoot }
  return { hash, previousHash: '1', ...header, solveTime: undefined, totalWork: workOf(target) }
}

export function entryAfter(parent: BlockEntry, header: Header, hash: Hash): BlockEntry {
  const { index, timestamp, target, proof, merkle_root: merkleRoot } = header
  return {
    hash,
    previousHash: parent.hash,
    index,
    timestamp,
    target,
    proof,
    merkleRoot,
    solveTime: timestamp - parent.timestamp,
    totalWork: parent.totalWork + workOf(target),
  }
}

/** The header that an entry was made of; of any block but genesis, which says more. */
export function headerOfEntry({ index, merkleRoot, previousHash, proof, target, timestamp }: BlockEntry): Header {
  if (previousHash === '1') throw new TypeError("the header of genesis doesn't follow from its entry")
  return { index, merkle_root: merkleRoot, previous_hash: previousHash, proof, target, timestamp }
}

/** Strictly more work: on a tie the one seen first stays. */
export function hasMoreWork(candidate: BlockEntry, head: BlockEntry): boolean {
  return candidate.totalWork > head.totalWork
}

/**
 * The way from one head to another.
 *
 *     fork ── a1 ── a2            abandon: a2, a1 (newest first: undone in this order)
 *        \
 *         b1 ── b2 ── b3          adopt: b1, b2, b3 (oldest first: applied in this order)
 */
export interface Reorganisation {
  readonly fork: BlockEntry
  readonly abandon: readonly BlockEntry[]
  readonly adopt: readonly BlockEntry[]
}

/** @param entryOf the tree: called once for every block on the way, never beyond the fork */
export async function planReorganisation(
  from: BlockEntry,
  to: BlockEntry,
  entryOf: (hash: Hash) => Promise<BlockEntry>,
): Promise<Reorganisation> {
  const abandon: BlockEntry[] = []
  const adopt: BlockEntry[] = []
  let [old, young] = [from, to]
  while (old.hash !== young.hash) {
    if (old.index >= young.index) {
      abandon.push(old)
      old = await entryOf(parentHash(old))
    } else {
      adopt.push(young)
      young = await entryOf(parentHash(young))
    }
  }
  return { fork: old, abandon, adopt: adopt.reverse() }
}

function parentHash(entry: BlockEntry): Hash {
  if (entry.previousHash === '1') throw new TypeError('two chains with different genesis blocks never meet')
  return entry.previousHash
}
