/**
 * The rules of a block, in their order: the first that fails is the answer, so that two implementations name the same
 * fault (protocol.md, "Rule codes").
 *
 *     parse       block.shape                                         alone            block.ts
 *     position    block.index … block.seal                            needs the parent
 *     body        block.size, block.reward's form                     alone
 *     ledger      tx.shape … tx.balance, block.reward's amount        needs the accounts   ledger.ts
 */
import { type Block, commitmentTo, type Header, type ParsedBlock } from './block.ts'
import type { BlockEntry } from './fork-choice.ts'
import type { JsonValue } from './json.ts'
import { type ChainRules, MAX_CLOCK_LEAD } from './params.ts'
import type { Hash } from './primitives.ts'
import { commitmentOf, meetsTarget, sealOf } from './proof-of-work.ts'
import { dataOf, orRefusal, RuleError, type RuleErrorData, ruleErrorOf } from './rules.ts'
import type { SignatureVerdict } from './signature.ts'
import { easiestTarget, nextTarget } from './target.ts'
import {
  claimsReward,
  judgeTransaction,
  type ParsedTransaction,
  parseReward,
  parseTransaction,
  type Reward,
  type VerifiedTransaction,
} from './transaction.ts'

/**
 * All that a block's position decides, from `block.index` to `block.seal`.
 * Whether its timestamp is too far ahead is not the chain's judgement: {@link isFromTheFuture}.
 * @throws RuleError the first rule that fails
 */
export function checkPosition({ block, root }: ParsedBlock, parent: BlockEntry, rules: ChainRules): void {
  checkLinks(block, parent, rules)
  checkRoot(block, root)
  checkProof(block, parent)
}

/**
 * What a block shows while nobody knows its parent, which its seal is made upon: whoever holds it until then should know
 * that it is worth that.
 * @throws RuleError the first rule that fails: `block.target` for one that no block of the chain may have,
 *   `block.merkle_root`, `block.commitment`, what {@link checkBody} and {@link readTransactions} find
 */
export function checkAlone(parsed: ParsedBlock, rules: ChainRules, chain: Hash): void {
  const { block, root } = parsed
  const { index } = block
  const easiest = easiestTarget(rules.difficulty)
  if (block.target > easiest)
    throw new RuleError('block.target', `No target of this chain is above ${easiest}.`, { index, target: easiest })
  checkRoot(block, root)
  checkCommitment(block)
  checkBody(parsed, rules)
  const { fault } = readTransactions(block.transactions, chain)
  if (fault) throw fault
}

/**
 * The same for a header alone: all but `block.merkle_root`. Its maker has done the work of a whole block.
 * @throws RuleError the first rule that fails
 */
export function checkHeader(header: Header, parent: BlockEntry, rules: ChainRules): void {
  checkLinks(header, parent, rules)
  checkProof(header, parent)
}

/**
 * What two headers show by themselves, without the rules of their chain: that the one was made upon the other, and the
 * work for the target that it claims. Of a receipt's headers no more can be asked than this.
 * @throws RuleError `block.index`, `block.timestamp`, `block.commitment` or `block.seal`
 */
export function checkSuccession(header: Header, parent: HeaderBefore): void {
  checkOrder(header, parent)
  checkProof(header, parent)
}

type HeaderBefore = Pick<BlockEntry, 'index' | 'timestamp' | 'proof'>

function checkLinks(header: Header, parent: BlockEntry, rules: ChainRules): void {
  checkOrder(header, parent)
  const { index } = header
  if (header.previous_hash !== parent.hash)
    throw new RuleError('block.previous_hash', `The block before has the hash ${parent.hash}.`, { index })
  const target = nextTarget(parent, rules)
  if (header.target !== target)
    throw new RuleError('block.target', `The target at index ${index} is ${target}.`, { index, target })
}

function checkOrder({ index, timestamp }: Header, parent: HeaderBefore): void {
  if (index !== parent.index + 1)
    throw new RuleError('block.index', `The index is ${index}, and the parent's is ${parent.index}.`, { index })
  if (timestamp < parent.timestamp)
    throw new RuleError('block.timestamp', `The timestamp ${timestamp} is below the parent's ${parent.timestamp}.`, {
      timestamp,
    })
}

function checkRoot({ index, merkle_root }: Block, root: Hash): void {
  if (merkle_root !== root)
    throw new RuleError('block.merkle_root', `The transactions' Merkle root is ${root}.`, { index, root })
}

function checkCommitment(header: Header): void {
  const { index } = header
  const commitment = commitmentTo(header)
  if (commitmentOf(header.proof) !== commitment)
    throw new RuleError('block.commitment', `The proof must start with the commitment ${commitment}.`, { index })
}

function checkProof(header: Header, parent: Pick<BlockEntry, 'proof'>): void {
  checkCommitment(header)
  const { index } = header
  const seal = sealOf(parent.proof, header.proof, header.previous_hash)
  if (!meetsTarget(seal, header.target))
    throw new RuleError('block.seal', `The seal ${seal} is above the target ${header.target}.`, { index, seal })
}

/** Such a block is kept until its time comes, and nobody is punished for it: clocks are wrong now and then. */
export function isFromTheFuture({ timestamp }: Pick<Header, 'timestamp'>, now: number): boolean {
  return timestamp > now + MAX_CLOCK_LEAD
}

/** A block whose body has the right form, its transactions not yet read. */
export interface SizedBlock extends ParsedBlock {
  readonly reward: Reward
}

/** @throws RuleError `block.size` or, for a reward that isn't one in shape, isn't first or isn't alone, `block.reward` */
export function checkBody(parsed: ParsedBlock, rules: Pick<ChainRules, 'maxBlockBytes'>): SizedBlock {
  const { block, canonical } = parsed
  const { index } = block
  if (canonical.length > rules.maxBlockBytes)
    throw new RuleError('block.size', `The block has ${canonical.length} bytes, above ${rules.maxBlockBytes}.`, {
      index,
      bytes: canonical.length,
    })
  const [first, ...others] = block.transactions
  const reward = parseReward(first)
  if (reward === undefined) throw new RuleError('block.reward', 'The first transaction is not a reward.', { index })
  const second = others.findIndex(claimsReward)
  if (second >= 0)
    throw new RuleError('block.reward', `Transaction ${second + 1} claims to be a reward as well.`, { index })
  return { ...parsed, reward }
}

/** Transactions up to the first of a wrong form. That fault counts once all before it have been applied. */
export interface ReadTransactions {
  readonly parsed: readonly ParsedTransaction[]
  readonly fault: RuleError | undefined
}

/**
 * `tx.shape`, `tx.number` and `tx.memo` of each transaction after the reward.
 * @param texts the canonical JSON of each, for whoever has it already
 */
export function readTransactions(
  transactions: readonly JsonValue[],
  chain: Hash,
  texts: readonly string[] = [],
): ReadTransactions {
  const parsed: ParsedTransaction[] = []
  const refusal = orRefusal(() => {
    for (let i = 1; i < transactions.length; i++)
      parsed.push(parseTransaction(transactions[i] as JsonValue, chain, texts[i]))
  })
  return { parsed, fault: refusal instanceof RuleError ? placed(refusal, parsed.length + 1) : undefined }
}

/** A block of which the ledger alone can still say no. */
export interface VerifiedBlock extends SizedBlock {
  readonly transactions: readonly VerifiedTransaction[]
  readonly ids: readonly Hash[]
  /** What the reader or the curve said of the first transaction that is not among `transactions`. */
  readonly fault: RuleError | undefined
  readonly rewardRecipientValid: boolean
}

/**
 * Joins what was read with what the curve said of it.
 * @param verdicts one for each of `read.parsed`, in order
 */
export function judgeTransactions(
  sized: SizedBlock,
  read: ReadTransactions,
  verdicts: readonly SignatureVerdict[],
  rewardRecipientValid: boolean,
): VerifiedBlock {
  const transactions: VerifiedTransaction[] = []
  const ids: Hash[] = []
  const refusal = orRefusal(() => {
    for (const [i, parsed] of read.parsed.entries()) {
      transactions.push(judgeTransaction(parsed, verdicts[i] ?? 'signature'))
      ids.push(parsed.id)
    }
  })
  const fault = refusal instanceof RuleError ? placed(refusal, ids.length + 1) : read.fault
  return { ...sized, transactions, ids, fault, rewardRecipientValid }
}

/** A {@link VerifiedBlock} without the block: plain data, for a thread that has the block itself. */
export interface BodyReport {
  readonly ids: readonly Hash[]
  readonly fault: RuleErrorData | undefined
  readonly rewardRecipientValid: boolean
}

export function reportOf({ ids, fault, rewardRecipientValid }: VerifiedBlock): BodyReport {
  return { ids, fault: fault && dataOf(fault), rewardRecipientValid }
}

/** @param report what {@link reportOf} says of this very block, on whichever thread it was judged */
export function verifiedAs(sized: SizedBlock, { ids, fault, rewardRecipientValid }: BodyReport): VerifiedBlock {
  const transactions = sized.block.transactions.slice(1, 1 + ids.length) as unknown as VerifiedTransaction[]
  return { ...sized, transactions, ids, fault: fault && ruleErrorOf(fault), rewardRecipientValid }
}

/** The same refusal, saying which transaction of its block it is about. */
export function placed(error: RuleError, position: number): RuleError {
  return new RuleError(error.code, `Transaction ${position}: ${error.message}`, { ...error.data, position })
}
