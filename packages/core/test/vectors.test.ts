/** Known answers, computed by an independent implementation of protocol.md. */
import { createHash } from 'node:crypto'
import {
  type Address,
  applyBlock,
  askCurve,
  type BlockEntry,
  type ChainRules,
  canonicalJson,
  checkBody,
  checkPosition,
  commitmentTo,
  entryAfter,
  genesisAccounts,
  genesisEntry,
  genesisOf,
  type Hash,
  hashOf,
  headerOf,
  isAddress,
  type JsonValue,
  judgeTransactions,
  merkleBranch,
  merkleLeaf,
  merkleRoot,
  nextTarget,
  parseAddress,
  parseBlock,
  parseJson,
  payloadOf,
  publicKeyOf,
  type Reward,
  readTransactions,
  rootOfBranch,
  sealOf,
  type Transaction,
  touchedAddresses,
  transactionId,
} from '@bc/core'
import { bytesToHex } from '@noble/hashes/utils.js'
import { beforeAll, expect, test } from 'vitest'
import { keyOf, numberedKey, signDigest, verifier } from './support/keys.ts'
import { afterChanges, stateOf, textOf, totalOf } from './support/state.ts'
import { describeWith, hasVectors, readVectors } from './support/where.ts'

interface ChainVector {
  readonly accounts: Record<Address, { balance: number; nonce: number }>
  readonly blocks: readonly {
    readonly canonical: string
    readonly commitment: string
    readonly hash: Hash
    readonly index: number
    readonly seal: string | null
    readonly transactions: readonly { readonly canonical: string; readonly id: string; readonly payload: string }[]
  }[]
  readonly chain: readonly {
    readonly previous_hash: string
    readonly proof: string
    readonly rules?: ChainRules
    readonly target: string
    readonly timestamp: number
    readonly transactions: readonly (Transaction | Reward)[]
  }[]
  readonly chain_id: Hash
  readonly keys: readonly { readonly address: string; readonly secret: string }[]
}

describeWith(hasVectors('chain.json'), 'no ../shared/vectors here', 'the published chain', () => {
  let vector: ChainVector
  const genesis = () => genesisOf(vector.chain[0]?.rules as ChainRules, vector.chain[0]?.timestamp as number)
  const pairs = () =>
    vector.blocks.map((answers, i) => ({ answers, sent: vector.chain[i] as (typeof vector.chain)[0] }))
  const transactions = () =>
    pairs().flatMap(({ answers, sent }) =>
      answers.transactions.map((answer, i) => ({ answer, sent: sent.transactions[i] as Transaction | Reward })),
    )

  beforeAll(() => {
    vector = JSON.parse(readVectors('chain.json'))
  })

  test('is what it claims to be: blocks, fees, memos, an allocation and a target that moves', () => {
    expect(vector.chain.length).toBe(7)
    expect(new Set(vector.chain.map(({ target }) => target)).size).toBeGreaterThan(3)
    expect(transactions().filter(({ sent }) => 'memo' in sent).length).toBeGreaterThan(1)
    expect(transactions().filter(({ sent }) => 'fee' in sent && sent.fee > 0).length).toBeGreaterThan(1)
  })

  test('keys: each address follows from its secret', () => {
    for (const { secret, address } of vector.keys) {
      expect(keyOf(secret).address).toBe(address)
      expect(parseAddress(address)).toBe(address)
      expect(bytesToHex(publicKeyOf(address as Address))).toBe(address.slice(0, 66))
    }
  })

  test('genesis follows from the rules alone, and its hash is the id of the chain', () => {
    expect(canonicalJson(genesis() as unknown as JsonValue)).toBe(vector.blocks[0]?.canonical)
    expect(hashOf(genesis())).toBe(vector.chain_id)
  })

  test('blocks: canonical form, hash, commitment and seal', () => {
    for (const [i, { answers, sent }] of pairs().entries()) {
      expect(canonicalJson(sent as unknown as JsonValue)).toBe(answers.canonical)
      expect(createHash('sha256').update(answers.canonical).digest('hex')).toBe(answers.hash)
      if (i === 0) expect(commitmentTo(genesis())).toBe(answers.commitment)
      if (i === 0) continue
      const { block, hash, canonical } = parseBlock(parseJson(answers.canonical))
      expect({ hash, canonical }).toEqual({ hash: answers.hash, canonical: answers.canonical })
      expect(hashOf(block)).toBe(answers.hash)
      expect(commitmentTo(block)).toBe(answers.commitment)
      expect(sealOf(vector.chain[i - 1]?.proof as string, block.proof, block.previous_hash)).toBe(answers.seal)
    }
  })

  test('transactions: canonical form, payload, id, and the signature that RFC 6979 gives', () => {
    expect(transactions().length).toBeGreaterThan(10)
    for (const { answer, sent } of transactions()) {
      expect(canonicalJson(sent as unknown as JsonValue)).toBe(answer.canonical)
      expect(payloadOf(sent, vector.chain_id)).toBe(answer.payload)
      expect(transactionId(sent, vector.chain_id)).toBe(answer.id)
      if (!('signature' in sent)) continue
      const key = vector.keys.find(({ address }) => address === sent.sender)
      expect(signDigest(answer.id, keyOf(key?.secret as string))).toBe(sent.signature)
    }
  })

  test('a light client: each transaction is in its block by the header and a branch', () => {
    for (const { answers } of pairs().slice(1)) {
      const { block } = parseBlock(parseJson(answers.canonical))
      const leaves = block.transactions.map(merkleLeaf)
      expect(merkleRoot(leaves)).toBe(headerOf(block).merkle_root)
      for (const [i, leaf] of leaves.entries())
        expect(rootOfBranch(leaf, merkleBranch(leaves, i))).toBe(headerOf(block).merkle_root)
    }
  })

  test('the chain is valid from genesis on, its targets move as computed, and its accounts are the published ones', () => {
    const rules = vector.chain[0]?.rules as ChainRules
    let parent: BlockEntry = genesisEntry(genesis(), vector.chain_id)
    let state = stateOf(genesisAccounts(rules))
    for (const { answers, sent } of pairs().slice(1)) {
      expect(nextTarget(parent, rules)).toBe(sent.target)
      const parsed = parseBlock(parseJson(answers.canonical))
      checkPosition(parsed, parent, rules)
      const sized = checkBody(parsed, rules)
      const read = readTransactions(parsed.block.transactions, vector.chain_id)
      const verdicts = read.parsed.map(({ check }) => askCurve(check, verifier))
      expect(verdicts.filter((verdict) => verdict !== 'valid')).toEqual([])
      const block = judgeTransactions(sized, read, verdicts, isAddress(sized.reward.recipient, verifier))
      expect(block.ids).toEqual(answers.transactions.slice(1).map(({ id }) => id))
      const { changes } = applyBlock(block, (address) => state.get(address), rules)
      expect([...changes.keys()].sort()).toEqual([...touchedAddresses(block)].sort())
      state = afterChanges(state, changes)
      parent = entryAfter(parent, parsed.block, parsed.hash)
    }
    expect(textOf(state)).toBe(canonicalJson(vector.accounts as unknown as JsonValue))
    expect(totalOf(state)).toBe(6n * 50n + 1000n)
  })
})

test('the addresses of the secrets 1 and 2 are those of the generator and its double', () => {
  expect(numberedKey(1).address).toMatch(/^0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798/)
  expect(numberedKey(2).address).toMatch(/^02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5/)
})
