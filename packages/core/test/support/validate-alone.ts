import {
  type AccountReader,
  type AppliedBlock,
  applyBlock,
  askCurve,
  type BlockEntry,
  type ChainRules,
  checkBody,
  checkPosition,
  entryAfter,
  type Hash,
  isAddress,
  judgeTransactions,
  parseBlock,
  parseJson,
  readTransactions,
  type SignatureVerifier,
  type VerifiedBlock,
} from '@bc/core'

export interface Validated {
  readonly block: VerifiedBlock
  readonly entry: BlockEntry
  readonly applied: AppliedBlock
}

/**
 * All rules of a block in their order, with nothing but core's own functions: the reference for every door through
 * which blocks come in.
 * @throws RuleError the first rule that fails
 */
export function validateAlone(
  message: string | Uint8Array,
  parent: BlockEntry,
  readAccount: AccountReader,
  rules: ChainRules,
  chain: Hash,
  verifier: SignatureVerifier,
): Validated {
  const parsed = parseBlock(parseJson(message))
  checkPosition(parsed, parent, rules)
  const sized = checkBody(parsed, rules)
  const read = readTransactions(parsed.block.transactions, chain)
  const verdicts = read.parsed.map(({ check }) => askCurve(check, verifier))
  const block = judgeTransactions(sized, read, verdicts, isAddress(sized.reward.recipient, verifier))
  const applied = applyBlock(block, readAccount, rules)
  return { block, entry: entryAfter(parent, parsed.block, parsed.hash), applied }
}
