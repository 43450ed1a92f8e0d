/** chain.json: what an independent implementation of protocol.md computes, signatures included (RFC 6979). */
import {
  askCurve,
  type Hash,
  type JsonValue,
  parseHash,
  parseTransaction,
  REWARD_SENDER,
  type Transaction,
} from '@bc/core'
import { addressOf, parseSecret, type Secret, signPayload, signTransaction } from '@bc/wallet'
import { describe, expect, test } from 'vitest'
import { describeWithVectors } from './vectors.ts'
import { verifiers } from './verifiers.ts'

interface ChainVectors {
  readonly chain_id: string
  readonly keys: readonly { readonly address: string; readonly secret: string }[]
  readonly chain: readonly { readonly transactions: readonly Transaction[] }[]
  readonly blocks: readonly { readonly transactions: readonly { readonly id: string; readonly payload: string }[] }[]
}

describeWithVectors<ChainVectors>('chain.json', 'chain.json', (vectors) => {
  const chain = parseHash(vectors.chain_id) as Hash
  const secrets = new Map(vectors.keys.map(({ address, secret }) => [address, parseSecret(secret) as Secret]))
  const signed = vectors.chain.flatMap(({ transactions }, block) =>
    transactions.map((transaction, position) => ({
      transaction,
      secret: secrets.get(transaction.sender) as Secret,
      computed: vectors.blocks[block]?.transactions[position],
    })),
  )
  const transactions = signed.filter(({ transaction }) => (transaction.sender as string) !== REWARD_SENDER)

  test('has 3 keys and 6 signed transactions', () => {
    expect(secrets.size).toBe(3)
    expect(transactions).toHaveLength(6)
  })

  test.each(vectors.keys)('the address of $secret', ({ address, secret }) => {
    expect(addressOf(parseSecret(secret) as Secret)).toBe(address)
  })

  describe.each(transactions)('transaction $computed.id', ({ transaction, secret, computed }) => {
    const { signature, ...unsigned } = transaction

    test('signed again, is the same', () => {
      expect(signTransaction(unsigned, chain, secret)).toEqual(transaction)
      expect(signPayload(computed?.payload ?? '', secret)).toBe(signature)
    })

    test.each(verifiers)('is valid to $name', (verifier) => {
      const { id, check } = parseTransaction(transaction as unknown as JsonValue, chain)
      expect(id).toBe(computed?.id)
      expect(askCurve(check, verifier)).toBe('valid')
    })
  })
})
