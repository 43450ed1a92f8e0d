/**
 * The one table of rule codes: what the API answers, the exit codes, the audits and the explorer all speak of.
 * Each sentence says what a valid message looks like (protocol.md, "Rule codes"; `pool.*` and `request.*` are the
 * node's own policy and never decide whether a block is valid).
 */
export const RULES = {
  'message.malformed':
    'A message parses strictly: UTF-8, no duplicate key, whole numbers from 0 to 2^53-1 only, within size and depth.',
  'block.genesis': 'The first block is the genesis block of this chain.',
  'block.shape': 'A block has exactly the seven fields of the protocol, each of its type.',
  'block.index': "A block's index is its parent's index + 1.",
  'block.timestamp':
    "A block's timestamp is not below its parent's, and not too far ahead of the clock of the node that judges it.",
  'block.previous_hash': 'A block names the hash of its parent.',
  'block.target': 'A block carries the target that the rules give at its position.',
  'block.merkle_root': "A block's Merkle root is the root over its transactions.",
  'block.commitment': "The first 64 digits of a block's proof are the commitment to its header.",
  'block.seal': "A block's seal is not above its target.",
  'block.size': "A block's canonical JSON is at most maxBlockBytes long.",
  'block.reward':
    'The first transaction of a block, and no other, is its reward: of this index, to a valid address, of the mining reward plus the fees, and never past a supply of 2^53-1.',
  'tx.shape': 'A transaction has exactly the fields of the protocol, each of its type.',
  'tx.number': 'An amount is a whole number from 1 to 2^53-1; a fee and a nonce are whole numbers from 0 to 2^53-1.',
  'tx.memo': 'A memo, where there is one, has 1 to 256 bytes of UTF-8.',
  'tx.address':
    'An address is a compressed public key on the curve, in lower-case hex, and the first 8 hex digits of its SHA-256.',
  'tx.signature':
    'A signature is 128 lower-case hex digits r and s, low-S, by the sender over exactly this transaction on this chain.',
  'tx.nonce': 'A nonce is the number of transactions that the sender has had confirmed before.',
  'tx.balance': 'A balance covers the amount and the fee.',
  'pool.known': 'A transaction is handed in once while it waits.',
  'pool.gap': 'A nonce is at most 64 ahead of the next one that the sender can have confirmed.',
  'pool.replacement': 'A transaction replaces a waiting one of the same nonce for a fee 10 % and at least 1 higher.',
  'pool.account': 'A sender has a limited number of transactions waiting.',
  'pool.full':
    'A full pool takes a transaction only in place of one that can wait: with a lower fee, or a missing nonce before it.',
  'request.invalid': 'A request has the parameters and the body that the API describes.',
  'request.not_found': 'What a request asks for exists.',
  'request.method': 'A path is asked with a method that it knows.',
  'request.media_type': 'A body is sent as the type that its path takes.',
  'request.too_large': 'A body and its headers stay within their size limits.',
  'request.timeout': 'A request arrives in time.',
  'request.rate': 'A client stays within its rate of requests.',
  'request.host': 'A request names this node as its Host.',
  'request.origin': 'A web page drives only the node that it comes from.',
  'request.operator': "An operator's request comes from this machine or carries the operator's token.",
  'request.dev_only': 'What is below /dev is asked of a node in dev mode.',
  'node.busy': 'A node has a limited amount of work waiting.',
  'node.stopping': 'A node that is shutting down takes no more work.',
  'node.damaged': "A node's stored data is intact.",
  'node.internal': 'A node has no bugs.',
} as const

export type RuleCode = keyof typeof RULES

/** Something was refused by a rule. A bug of ours is a TypeError or an assertion; a failed disk is a StorageError. */
export class RuleError extends Error {
  override readonly name = 'RuleError'
  readonly code: RuleCode
  /** What the rule was applied to: indices, expected and found values. Plain JSON data. */
  readonly data: Readonly<Record<string, string | number>>

  constructor(code: RuleCode, message: string, data: Readonly<Record<string, string | number>> = {}) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** What comes of an attempt, or the rule that refused it. */
export function orRefusal<T>(attempt: () => T): T | RuleError {
  try {
    return attempt()
  } catch (error) {
    if (error instanceof RuleError) return error
    throw error
  }
}

/** A {@link RuleError} as plain data: of an error, another thread gets the message and nothing else. */
export type RuleErrorData = Pick<RuleError, 'code' | 'message' | 'data'>

export function dataOf({ code, message, data }: RuleError): RuleErrorData {
  return { code, message, data }
}

export function ruleErrorOf({ code, message, data }: RuleErrorData): RuleError {
  return new RuleError(code, message, data)
}
