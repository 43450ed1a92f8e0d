/**
 * A receipt: that a transaction stands in a block, and how much work stands on that, to be checked by whoever has no chain.
 *
 *     transaction ── leaf ── branch ──▶ merkle_root
 *                                           │
 *     previous_proof ◀── seal ── header of its block ◀── seal ── header ◀── seal ── … the newest
 *
 * Each seal is made over the proof before, and each proof commits to its header: so none of the headers can be changed
 * without doing the work after it anew. A block's hash takes its whole body, so of a header alone there is none.
 *
 * With all headers from genesis (`full`) it also shows that the work stands on the chain's own genesis block, which is the
 * chain's id, and that every target is the one that the chain's rules give.
 */
import {
  askCurve,
  type BranchStep,
  checkHeader,
  checkSuccession,
  entryAfter,
  genesisEntry,
  type Hash,
  type Header,
  type Height,
  isAddress,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  judgeTransaction,
  merkleLeaf,
  type Proof,
  parseGenesis,
  parseHash,
  parseHeader,
  parseHeight,
  parseProof,
  parseReward,
  parseTransaction,
  REWARD_SENDER,
  RuleError,
  rootOfBranch,
  type SignatureVerifier,
  transactionId,
  workOf,
} from '@bc/core'

/** What is written to a file: canonical JSON of this. */
export type Receipt = {
  /** Of this form. */
  readonly receipt: 1
  readonly chain: Hash
  readonly id: Hash
  readonly transaction: JsonObject
  readonly branch: readonly BranchStep[]
  /** Of the block that holds the transaction. */
  readonly index: number
  /** Proof of the block before the first of the headers; left out where that is genesis, which has none. */
  readonly previous_proof?: Proof
  /** From the transaction's block on, or from genesis. */
  readonly headers: readonly JsonObject[]
}

/** What a receipt shows by itself. */
export interface ReceiptReport {
  readonly id: Hash
  readonly chain: Hash
  readonly transaction: JsonObject
  readonly index: number
  /** Unix seconds of the block. */
  readonly timestamp: number
  /** Headers from the block on, its own included. */
  readonly confirmations: number
  /** Attempts that these stand for, in decimal. */
  readonly work: string
  /** Steps of the branch. */
  readonly steps: number
  /** Whether its headers start with genesis. */
  readonly full: boolean
  /** Proof of the block: what tells it from any other. */
  readonly proof: Proof
}

/** More steps than any block has transactions to make. */
const MOST_STEPS = 32

/**
 * @throws RuleError the first rule that fails, `message.malformed` for what is no receipt at all
 */
export function checkReceipt(value: JsonValue, verifier: SignatureVerifier): ReceiptReport {
  const receipt = readReceipt(value)
  const full = receipt.previous_proof === undefined
  const headers = full ? checkFromGenesis(receipt, verifier) : checkFromBlock(receipt)
  const [block] = headers
  if (block?.index !== receipt.index) throw noReceipt(`its headers don't hold block ${receipt.index}`)
  checkTransaction(receipt, verifier)
  const root = rootOfBranch(merkleLeaf(receipt.transaction), receipt.branch)
  if (block.merkle_root !== root)
    throw new RuleError(
      'block.merkle_root',
      `The branch leads to ${root}, and the block's root is ${block.merkle_root}.`,
    )
  return {
    id: receipt.id,
    chain: receipt.chain,
    transaction: receipt.transaction,
    index: receipt.index,
    timestamp: block.timestamp,
    confirmations: headers.length,
    work: String(headers.reduce((sum, { target }) => sum + workOf(target), 0n)),
    steps: receipt.branch.length,
    full,
    proof: block.proof,
  }
}

const FIELDS = ['branch', 'chain', 'headers', 'id', 'index', 'receipt', 'transaction']

function readReceipt(value: JsonValue): Receipt {
  if (!isJsonObject(value)) throw noReceipt('it is no object')
  const { previous_proof: proof, ...others } = value
  if (Object.keys(others).sort().join() !== FIELDS.join()) throw noReceipt('it has not exactly the fields of one')
  if (value.receipt !== 1) throw noReceipt('it is of another form than 1')
  if (parseHash(value.chain) === undefined || parseHash(value.id) === undefined)
    throw noReceipt('chain and id are 64 hex digits')
  if (parseHeight(value.index) === undefined) throw noReceipt('index is a whole number from 1')
  if (!isJsonObject(value.transaction)) throw noReceipt('its transaction is no object')
  if (!isBranch(value.branch)) throw noReceipt('its branch is no list of sides and hashes')
  if (proof !== undefined && parseProof(proof) === undefined) throw noReceipt('previous_proof is 80 hex digits')
  if (!Array.isArray(value.headers)) throw noReceipt('its headers are no list')
  return value as unknown as Receipt
}

function isBranch(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length <= MOST_STEPS && value.every(isStep)
}

function isStep(step: JsonValue): boolean {
  if (!isJsonObject(step) || Object.keys(step).length !== 2) return false
  return (step.side === 'left' || step.side === 'right') && parseHash(step.hash) !== undefined
}

function noReceipt(fault: string): RuleError {
  return new RuleError('message.malformed', `This is no receipt: ${fault}.`)
}

/** @returns the headers from the transaction's block on */
function checkFromBlock({ headers, previous_proof }: Receipt): Header[] {
  const checked: Header[] = []
  for (const value of headers) {
    const header = parseHeader(value)
    const { index, timestamp } = header
    // Of the block before the first one its proof is here and nothing else, since nothing else is bound by it.
    const before = checked.at(-1) ?? { index: (index - 1) as Height, timestamp, proof: previous_proof as Proof }
    checkSuccession(header, before)
    checked.push(header)
  }
  return checked
}

/** @returns the headers from the transaction's block on */
function checkFromGenesis({ headers, chain, index }: Receipt, verifier: SignatureVerifier): Header[] {
  const [first, ...others] = headers
  if (first === undefined) throw noReceipt('it has no headers')
  if (isJsonObject(first) && first.transactions !== undefined)
    throw new RuleError('block.genesis', 'Its first header has transactions.')
  const { genesis, hash } = parseGenesis({ ...first, transactions: [] }, verifier)
  if (hash !== chain)
    throw new RuleError('block.genesis', `Its headers start with the genesis block of the chain ${hash}, not ${chain}.`)
  const checked: Header[] = []
  let parent = genesisEntry(genesis, hash)
  for (const [i, value] of others.entries()) {
    const header = parseHeader(value)
    checkHeader(header, parent, genesis.rules)
    // The next one says what this one's hash is, and the seal of that holds it to it.
    parent = entryAfter(parent, header, namedBy(others[i + 1]))
    if (header.index >= index) checked.push(header)
  }
  return checked
}

const NOBODY = '0'.repeat(64) as Hash

function namedBy(next: JsonObject | undefined): Hash {
  return parseHash(next?.previous_hash) ?? NOBODY
}

function checkTransaction({ transaction, chain, id, index }: Receipt, verifier: SignatureVerifier): void {
  const found = transaction.sender === REWARD_SENDER ? idOfReward() : idOfTransfer()
  if (found !== id) throw noReceipt(`the id of its transaction is ${found}`)

  function idOfTransfer(): Hash {
    const parsed = parseTransaction(transaction, chain)
    judgeTransaction(parsed, askCurve(parsed.check, verifier))
    return parsed.id
  }

  function idOfReward(): Hash {
    const reward = parseReward(transaction)
    if (reward === undefined || reward.nonce !== index || !isAddress(reward.recipient, verifier))
      throw new RuleError('block.reward', `It is no reward of block ${index}.`)
    return transactionId(reward, chain)
  }
}
