/** Blocks to be: what a miner works on (protocol.md, "Block"). */
import type { Address } from './address.ts'
import { type Block, commitmentTo, type HeaderFields } from './block.ts'
import type { BlockEntry } from './fork-choice.ts'
import { canonicalJson, type JsonValue } from './json.ts'
import { merkleRoot } from './merkle.ts'
import { type ChainRules, exceedsSupply } from './params.ts'
import type { PoolEntry } from './pool.ts'
import { type Height, MAX_AMOUNT } from './primitives.ts'
import { proofOf, type SealJob } from './proof-of-work.ts'
import { RuleError } from './rules.ts'
import { nextTarget } from './target.ts'
import { merkleLeaf, rewardFor } from './transaction.ts'

/** A whole block but for its proof. */
export type BlockTemplate = HeaderFields & {
  readonly transactions: readonly JsonValue[]
}

export interface TemplateRequest {
  readonly parent: BlockEntry
  readonly rules: ChainRules
  /** Who gets the reward. */
  readonly miner: Address
  /** Unix seconds. A miner whose clock is behind uses the parent's timestamp. */
  readonly now: number
  /** {@link Pool.select}, given the room that is left for transactions. */
  readonly select: (maxBytes: number) => readonly PoolEntry[]
}

/** @throws RuleError `block.reward` where the supply is used up, `block.size` where not even the reward fits */
export function blockTemplate({ parent, rules, miner, now, select }: TemplateRequest): BlockTemplate {
  const index = parent.index + 1
  if (exceedsSupply(index, rules))
    throw new RuleError('block.reward', `No block follows ${parent.index}: the supply has reached ${MAX_AMOUNT}.`, {
      index,
    })
  const around = { parent, rules, now }
  // Every field has one length but the reward's amount: assume the longest, and what is left is for transactions.
  const frame = assemble(around, [rewardFor(index, miner, MAX_AMOUNT)])
  const room = rules.maxBlockBytes - sealedSize(frame)
  if (room < 0)
    throw new RuleError('block.size', `Not even a reward fits into ${rules.maxBlockBytes} bytes.`, { index })
  const chosen = select(room)
  const fees = chosen.reduce((sum, { transaction }) => sum + transaction.fee, 0)
  const reward = rewardFor(index, miner, rules.miningReward + fees)
  return assemble(around, [reward, ...chosen.map(({ transaction }) => transaction)])
}

function assemble(
  { parent, rules, now }: Pick<TemplateRequest, 'parent' | 'rules' | 'now'>,
  transactions: JsonValue[],
): BlockTemplate {
  return {
    index: (parent.index + 1) as Height,
    merkle_root: merkleRoot(transactions.map(merkleLeaf)),
    previous_hash: parent.hash,
    target: nextTarget(parent, rules),
    timestamp: Math.max(now, parent.timestamp),
    transactions,
  }
}

function sealedSize(template: BlockTemplate): number {
  return canonicalJson(sealBlock(template, 0n)).length
}

/** The work that the template asks for. */
export function sealJobOf(template: BlockTemplate, parent: BlockEntry): SealJob {
  return {
    previousProof: parent.proof,
    previousHash: parent.hash,
    commitment: commitmentTo(template),
    target: template.target,
  }
}

/** @param nonce what {@link searchNonce} found */
export function sealBlock(template: BlockTemplate, nonce: bigint): Block {
  return { ...template, proof: proofOf(commitmentTo(template), nonce) }
}
