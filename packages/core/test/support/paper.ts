/**
 * Addresses, transactions and blocks that need no curve and no mining, for tests of everything that comes after both:
 * right in form and checksum, said to be verified, sealed by nobody.
 */
import {
  type Address,
  addressOfPublicKey,
  type ChainRules,
  checkBody,
  type Hash,
  type JsonValue,
  judgeTransaction,
  judgeTransactions,
  parseBlock,
  parseTransaction,
  readTransactions,
  type VerifiedBlock,
  type VerifiedTransaction,
} from '@bc/core'

export const PAPER_CHAIN = 'c0'.repeat(32) as Hash

export function paperAddress(n: number): Address {
  return addressOfPublicKey(`02${n.toString(16).padStart(64, '0')}`)
}

export interface PaperTransfer {
  readonly sender: Address
  readonly recipient: Address
  readonly amount: number
  readonly fee: number
  readonly nonce: number
  readonly memo?: string
}

export function paperTransaction(transfer: PaperTransfer): { transaction: VerifiedTransaction; id: Hash } {
  const parsed = parseTransaction({ ...transfer, signature: '0'.repeat(128) }, PAPER_CHAIN)
  return { transaction: judgeTransaction(parsed, 'valid'), id: parsed.id }
}

export interface PaperReward {
  readonly recipient: Address
  readonly amount: number
  readonly nonce?: number
}

export function paperBlock(
  index: number,
  reward: PaperReward,
  transfers: readonly PaperTransfer[],
  rules: ChainRules,
): VerifiedBlock {
  const signed = transfers.map((transfer): JsonValue => ({ ...transfer, signature: '0'.repeat(128) }))
  const block = {
    index,
    merkle_root: '0'.repeat(64),
    previous_hash: '0'.repeat(64),
    proof: '0'.repeat(80),
    target: 'f'.repeat(64),
    timestamp: 0,
    transactions: [{ nonce: index, ...reward, sender: '0' }, ...signed],
  }
  const sized = checkBody(parseBlock(block), rules)
  const read = readTransactions(sized.block.transactions, PAPER_CHAIN)
  const verdicts = read.parsed.map(() => 'valid' as const)
  return judgeTransactions(sized, read, verdicts, true)
}

export function paperRules(changed: Partial<ChainRules> = {}): ChainRules {
  const usual = { allocations: {}, blockTime: 0, difficulty: 1, halfLife: 0, maxBlockBytes: 1_000_000 }
  return { ...usual, miningReward: 50, ...changed } as ChainRules
}
