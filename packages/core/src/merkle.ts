/**
 * The Merkle tree over a block's transactions. Leaves are the SHA-256 of each transaction's canonical JSON; a parent
 * is `sha256(left ‖ right)` over the two hex strings; an odd node moves up unchanged. It is never paired with itself:
 * with that, two different lists share a root (CVE-2012-2459).
 *
 *          root
 *         /    \
 *       ab      c      c has no neighbour on its level and moves up
 *      /  \     |
 *     a    b    c
 */
import { sha256Hex } from './hash.ts'
import type { Hash } from './primitives.ts'

/** The root over no transaction at all, as in genesis: 64 zeros. */
export const EMPTY_ROOT = '0'.repeat(64) as Hash

/** One step from a leaf to the root: the neighbour's hash and the side on which it stands. */
export type BranchStep = {
  readonly side: 'left' | 'right'
  readonly hash: Hash
}

export function merkleRoot(leaves: readonly Hash[]): Hash {
  let level = leaves
  while (level.length > 1) level = parents(level)
  return level[0] ?? EMPTY_ROOT
}

/**
 * The neighbours on the way from one leaf to the root. A node that moves up unchanged adds no step, so a branch has
 * at most ⌈log2 n⌉ of them.
 * @throws RangeError where there is no such leaf
 */
export function merkleBranch(leaves: readonly Hash[], position: number): BranchStep[] {
  if (leaves[position] === undefined) throw new RangeError(`no leaf ${position} among ${leaves.length}`)
  const branch: BranchStep[] = []
  let level = leaves
  let at = position
  while (level.length > 1) {
    const neighbour = level[at ^ 1]
    if (neighbour !== undefined) branch.push({ side: at % 2 === 0 ? 'right' : 'left', hash: neighbour })
    level = parents(level)
    at >>= 1
  }
  return branch
}

/** The root that a leaf and its branch lead to: the leaf is in the block when this is the block's Merkle root. */
export function rootOfBranch(leaf: Hash, branch: readonly BranchStep[]): Hash {
  return branch.reduce(
    (node, step) => (step.side === 'left' ? sha256Hex(step.hash + node) : sha256Hex(node + step.hash)),
    leaf,
  )
}

function parents(level: readonly Hash[]): Hash[] {
  const above: Hash[] = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Hash
    const right = level[i + 1]
    above.push(right === undefined ? left : sha256Hex(left + right))
  }
  return above
}
