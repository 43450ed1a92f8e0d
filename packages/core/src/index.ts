export { type Address, addressOfPublicKey, parseAddress, publicKeyOf } from './address.ts'
export { asert } from './asert.ts'
export {
  type Block,
  commitmentTo,
  type Genesis,
  genesisOf,
  type Header,
  type HeaderFields,
  hashOf,
  headerOf,
  type ParsedBlock,
  parseBlock,
  parseHeader,
  readBlock,
  readHeader,
  type SpelledBlock,
} from './block.ts'
export {
  type BlockEntry,
  entryAfter,
  genesisEntry,
  hasMoreWork,
  headerOfEntry,
  planReorganisation,
  type Reorganisation,
} from './fork-choice.ts'
export { type ParsedGenesis, parseGenesis } from './genesis.ts'
export { sha256Hex } from './hash.ts'
export { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from './json.ts'
export { DEFAULT_JSON_LIMITS, type JsonLimits, parseJson } from './json-parse.ts'
export {
  type Account,
  type AccountChanges,
  type AccountReader,
  type AppliedBlock,
  applyBlock,
  checkWithoutAccounts,
  genesisAccounts,
  NO_ACCOUNT,
  touchedAddresses,
} from './ledger.ts'
export { type BranchStep, EMPTY_ROOT, merkleBranch, merkleRoot, rootOfBranch } from './merkle.ts'
export { CURVE_ORDER } from './order.ts'
export {
  type ChainRules,
  HALF_LIFE_BLOCKS,
  MAX_BLOCK_BYTES,
  MAX_CLOCK_LEAD,
  MAX_MEMO_BYTES,
  supplyAt,
} from './params.ts'
export { type Admission, DEFAULT_POOL_LIMITS, MAX_NONCE_GAP, Pool, type PoolEntry, type PoolLimits } from './pool.ts'
export {
  type Amount,
  type Hash,
  type Height,
  MAX_AMOUNT,
  type Proof,
  parseAmount,
  parseHash,
  parseHeight,
  parseProof,
  parseSignature,
  parseTarget,
  type Signature,
  type Target,
} from './primitives.ts'
export {
  commitmentOf,
  meetsTarget,
  proofOf,
  type SealJob,
  type SealKernel,
  sealOf,
  searchNonce,
} from './proof-of-work.ts'
export { quoted } from './quoted.ts'
export { dataOf, orRefusal, RULES, type RuleCode, RuleError, type RuleErrorData, ruleErrorOf } from './rules.ts'
export {
  askCurve,
  isAddress,
  type KnownKeys,
  type PreparedKey,
  type SignatureCheck,
  type SignatureVerdict,
  type SignatureVerifier,
} from './signature.ts'
export { easiestTarget, nextTarget, targetFromNumber, targetToNumber, workOf } from './target.ts'
export { type BlockTemplate, blockTemplate, sealBlock, sealJobOf, type TemplateRequest } from './template.ts'
export {
  judgeTransaction,
  merkleLeaf,
  type ParsedTransaction,
  parseReward,
  parseTransaction,
  payloadOf,
  REWARD_SENDER,
  type Reward,
  type Transaction,
  transactionId,
  type UnsignedTransaction,
  type VerifiedTransaction,
} from './transaction.ts'
export {
  type BodyReport,
  checkAlone,
  checkBody,
  checkHeader,
  checkPosition,
  checkSuccession,
  isFromTheFuture,
  judgeTransactions,
  type ReadTransactions,
  readTransactions,
  reportOf,
  type SizedBlock,
  type VerifiedBlock,
  verifiedAs,
} from './validate.ts'
