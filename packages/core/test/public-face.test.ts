import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as core from '@bc/core'
import * as kernel from '@bc/core/kernel'
import { expect, test } from 'vitest'

/** What other packages may build upon. A change here is a change of the package's contract: make it on purpose. */
const VALUES = [
  'CURVE_ORDER',
  'DEFAULT_JSON_LIMITS',
  'DEFAULT_POOL_LIMITS',
  'EMPTY_ROOT',
  'HALF_LIFE_BLOCKS',
  'MAX_AMOUNT',
  'MAX_BLOCK_BYTES',
  'MAX_CLOCK_LEAD',
  'MAX_MEMO_BYTES',
  'MAX_NONCE_GAP',
  'NO_ACCOUNT',
  'Pool',
  'REWARD_SENDER',
  'RULES',
  'RuleError',
  'addressOfPublicKey',
  'applyBlock',
  'asert',
  'askCurve',
  'blockTemplate',
  'canonicalJson',
  'checkAlone',
  'checkBody',
  'checkHeader',
  'checkPosition',
  'checkSuccession',
  'checkWithoutAccounts',
  'commitmentOf',
  'commitmentTo',
  'dataOf',
  'easiestTarget',
  'entryAfter',
  'genesisAccounts',
  'genesisEntry',
  'genesisOf',
  'hasMoreWork',
  'hashOf',
  'headerOf',
  'headerOfEntry',
  'isAddress',
  'isFromTheFuture',
  'isJsonObject',
  'judgeTransaction',
  'judgeTransactions',
  'meetsTarget',
  'merkleBranch',
  'merkleLeaf',
  'merkleRoot',
  'nextTarget',
  'orRefusal',
  'parseAddress',
  'parseAmount',
  'parseBlock',
  'parseGenesis',
  'parseHash',
  'parseHeader',
  'parseHeight',
  'parseJson',
  'parseProof',
  'parseReward',
  'parseSignature',
  'parseTarget',
  'parseTransaction',
  'payloadOf',
  'planReorganisation',
  'proofOf',
  'publicKeyOf',
  'quoted',
  'readBlock',
  'readHeader',
  'readTransactions',
  'reportOf',
  'rootOfBranch',
  'ruleErrorOf',
  'sealBlock',
  'sealJobOf',
  'sealOf',
  'searchNonce',
  'sha256Hex',
  'supplyAt',
  'targetFromNumber',
  'targetToNumber',
  'touchedAddresses',
  'transactionId',
  'verifiedAs',
  'workOf',
]

const TYPES = [
  'Account',
  'AccountChanges',
  'AccountReader',
  'Address',
  'Admission',
  'Amount',
  'AppliedBlock',
  'Block',
  'BlockEntry',
  'BlockTemplate',
  'BodyReport',
  'BranchStep',
  'ChainRules',
  'Genesis',
  'Hash',
  'Header',
  'HeaderFields',
  'Height',
  'JsonLimits',
  'JsonObject',
  'JsonValue',
  'KnownKeys',
  'ParsedBlock',
  'ParsedGenesis',
  'ParsedTransaction',
  'PoolEntry',
  'PoolLimits',
  'PreparedKey',
  'Proof',
  'ReadTransactions',
  'Reorganisation',
  'Reward',
  'RuleCode',
  'RuleErrorData',
  'SealJob',
  'SealKernel',
  'Signature',
  'SignatureCheck',
  'SignatureVerdict',
  'SignatureVerifier',
  'SizedBlock',
  'SpelledBlock',
  'Target',
  'TemplateRequest',
  'Transaction',
  'UnsignedTransaction',
  'VerifiedBlock',
  'VerifiedTransaction',
]

test('index.ts exports these values', () => {
  expect(Object.keys(core).sort()).toEqual(VALUES)
})

test('so does the face of the kernels', () => {
  expect(Object.keys(kernel).sort()).toEqual(['fastestKernel', 'isRight', 'simdKernels'])
})

test('index.ts exports these types', () => {
  const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
  const types = [...index.matchAll(/\btype (\w+)/g)].map(([, name]) => name)
  expect(types.sort()).toEqual(TYPES)
})

test('the consensus numbers are those of protocol.md', () => {
  expect(core.MAX_AMOUNT).toBe(9007199254740991)
  expect(core.MAX_MEMO_BYTES).toBe(256)
  expect(core.MAX_CLOCK_LEAD).toBe(120)
  expect(core.HALF_LIFE_BLOCKS).toBe(60)
  expect(core.MAX_BLOCK_BYTES).toBe(1_000_000)
  expect(core.MAX_NONCE_GAP).toBe(64)
  expect(core.REWARD_SENDER).toBe('0')
  expect(core.EMPTY_ROOT).toBe('0000000000000000000000000000000000000000000000000000000000000000')
})

/** The codes of protocol.md's table, in the order in which they are checked. */
const CONSENSUS = [
  'message.malformed',
  'block.genesis',
  'block.shape',
  'block.index',
  'block.timestamp',
  'block.previous_hash',
  'block.target',
  'block.merkle_root',
  'block.commitment',
  'block.seal',
  'block.size',
  'block.reward',
  'tx.shape',
  'tx.number',
  'tx.memo',
  'tx.address',
  'tx.signature',
  'tx.nonce',
  'tx.balance',
]

test('the rules of consensus are those of protocol.md, in its order, before all others', () => {
  expect(Object.keys(core.RULES).slice(0, CONSENSUS.length)).toEqual(CONSENSUS)
  for (const sentence of Object.values(core.RULES)) expect(sentence).toMatch(/^[A-Z].*\.$/)
})

test('core has no effects: its sources import nothing of Node and read no clock and no chance', () => {
  const files = readdirSync(new URL('../src', import.meta.url), { recursive: true, encoding: 'utf8' })
  expect(files).toEqual(expect.arrayContaining(['validate.ts', join('kernel', 'simd.ts')]))
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const source = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')
    expect(source, file).not.toMatch(/'node:|\bDate\b|Math\.random|\bprocess\.|\bconsole\.|setTimeout|\bfetch\(/)
  }
})
