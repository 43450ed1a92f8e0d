/** What the block generator, which asks for one answer a block, does not reach. */
import {
  addressOfPublicKey,
  askCurve,
  type Block,
  checkAlone,
  checkBody,
  commitmentTo,
  genesisOf,
  hashOf,
  isAddress,
  isFromTheFuture,
  type JsonValue,
  judgeTransactions,
  merkleLeaf,
  parseAddress,
  parseAmount,
  parseBlock,
  parseHash,
  parseHeight,
  parseProof,
  parseSignature,
  parseTarget,
  publicKeyOf,
  type RuleCode,
  readTransactions,
  type SignatureCheck,
  type SignatureVerifier,
  sha256Hex,
} from '@bc/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { flipped } from './support/faults/fault.ts'
import { sites } from './support/generator.ts'
import { signDigest, verifier } from './support/keys.ts'
import { paperAddress, paperRules } from './support/paper.ts'
import { alice, blockOn, bob, both, type Plan } from './support/site.ts'

test('a block is from the future when it is more than 120 seconds ahead', () => {
  const at = (timestamp: number) => ({ timestamp }) as Block
  expect(isFromTheFuture(at(1120), 1000)).toBe(false)
  expect(isFromTheFuture(at(1121), 1000)).toBe(true)
  expect(isFromTheFuture(at(0), 1000)).toBe(false)
})

describe('the curve is asked', () => {
  const digest = sha256Hex('a payment')
  const good: SignatureCheck = {
    recipient: bob.address,
    sender: alice.address,
    digest,
    signature: signDigest(digest, alice),
  }

  test('of the recipient, then of the sender, then of the signature', () => {
    expect(askCurve(good, verifier)).toBe('valid')
    expect(askCurve({ recipient: '', sender: '', digest, signature: '' }, verifier)).toBe('recipient')
    expect(askCurve({ ...good, sender: '', signature: '' }, verifier)).toBe('sender')
    expect(askCurve({ ...good, signature: '' }, verifier)).toBe('signature')
    expect(askCurve({ ...good, digest: sha256Hex('another') }, verifier)).toBe('signature')
    expect(askCurve({ ...good, sender: bob.address }, verifier)).toBe('signature')
  })

  test('not about what is no address or no signature in form: a verifier sees the right lengths only', () => {
    const lengths: number[][] = []
    const watching: SignatureVerifier = {
      name: 'watching',
      isPublicKey: (publicKey) => lengths.push([publicKey.length]) > 0,
      verify: (...all) => lengths.push(all.map(({ length }) => length)) > 0,
    }
    askCurve(good, watching)
    expect(lengths).toEqual([[33], [33], [32, 64, 33]])
    for (const text of ['', '0', good.signature.slice(1), good.signature.toUpperCase(), `${good.signature}00`])
      expect(askCurve({ ...good, signature: text }, watching)).toBe('signature')
    lengths.length = 0
    for (const text of ['', '0', alice.address.slice(1), alice.address.toUpperCase(), `${alice.address}00`])
      expect(isAddress(text, watching)).toBe(false)
    expect(lengths).toEqual([])
  })

  test('and believed: no address without its yes', () => {
    const denying: SignatureVerifier = { ...verifier, isPublicKey: () => false }
    expect(isAddress(alice.address, denying)).toBe(false)
    expect(askCurve(good, denying)).toBe('recipient')
    // A signature that verifies is by a key that is a point, so of the sender's nothing else is asked.
    const ofAlice = publicKeyOf(alice.address).join()
    const strict: SignatureVerifier = { ...verifier, isPublicKey: (key) => key.join() !== ofAlice, verify: () => false }
    expect(askCurve(good, strict)).toBe('sender')
    expect(askCurve({ ...good, signature: '' }, strict)).toBe('sender')
    expect(askCurve(good, { ...verifier, verify: () => false })).toBe('signature')
  })
})

describe('a block whose parent nobody knows', () => {
  const { constant } = sites()
  const faults: readonly [RuleCode, Plan][] = [
    ['block.target', { fields: { target: 'f'.repeat(64) } }],
    ['block.merkle_root', { root: flipped }],
    ['block.commitment', { commitment: flipped }],
    ['block.reward', { reward: () => null }],
    ['tx.shape', { transfers: (usual) => usual.map((one) => ({ ...one, touch: () => 7 })) }],
  ]

  test.each(faults.map(([code], i) => [code, i] as const))(
    'is refused for its %s before whatever comes after that',
    (code, i) => {
      const plan = faults.slice(i).reduce<Plan>((before, [, one]) => both(before, one), {})
      const block = parseBlock(JSON.parse(blockOn(constant, plan)) as JsonValue)
      const refusal = expect.objectContaining({ code })
      expect(() => checkAlone(block, constant.rules, constant.chain)).toThrow(refusal)
    },
  )
})

describe('the transactions of a block', () => {
  const { constant } = sites()
  const sized = () => checkBody(parseBlock(JSON.parse(blockOn(constant)) as JsonValue), constant.rules)

  test('are read up to the first that is wrong, which is named by its position', () => {
    const { transactions } = sized().block
    const read = readTransactions([...transactions.slice(0, 3), 7, null], constant.chain)
    expect(read.parsed.length).toBe(2)
    expect(read.fault).toMatchObject({ code: 'tx.shape', data: { position: 3 } })
    expect(readTransactions(transactions, constant.chain)).toMatchObject({ fault: undefined })
    expect(readTransactions([], constant.chain)).toEqual({ parsed: [], fault: undefined })
  })

  test('are as good as the curve says, and one that it was not asked about is not', () => {
    const block = sized()
    const read = readTransactions(block.block.transactions, constant.chain)
    const judged = judgeTransactions(block, read, ['valid', 'valid', 'valid'], true)
    expect(judged).toMatchObject({ fault: undefined, rewardRecipientValid: true })
    expect(judged.ids).toEqual(read.parsed.map(({ id }) => id))
    const short = judgeTransactions(block, read, ['valid'], true)
    expect(short.transactions.length).toBe(1)
    expect(short.fault).toMatchObject({ code: 'tx.signature', data: { position: 2 } })
    const second = judgeTransactions(block, read, ['valid', 'sender', 'signature'], true)
    expect(second.fault).toMatchObject({ code: 'tx.address', data: { position: 2 } })
  })

  test('are leaves of any form', () => {
    for (const value of [null, 7, 'x', [], {}]) expect(merkleLeaf(value)).toBe(sha256Hex(JSON.stringify(value)))
  })
})

describe('the parsers match the whole text, in its one spelling', () => {
  const digits = (count: number) => 'a'.repeat(count)
  const parsers: readonly [string, (value: JsonValue | undefined) => unknown, string][] = [
    ['a hash', parseHash, digits(64)],
    ['a target', parseTarget, digits(64)],
    ['a proof', parseProof, digits(80)],
    ['a signature', parseSignature, digits(128)],
    ['an address', parseAddress, paperAddress(1)],
    ['an odd address', parseAddress, addressOfPublicKey(`03${'0'.repeat(64)}`)],
  ]
  for (const [name, parse, right] of parsers)
    test(name, () => {
      expect(parse(right)).toBe(right)
      const wrong = [
        right.slice(1),
        `${right}0`,
        `0${right}`,
        ` ${right}`,
        `${right}\n`,
        `\n${right}`,
        right.toUpperCase(),
      ]
      for (const text of [...wrong, `0x${right}`, '', right.replace(/.$/, 'g'), right.replace(/.$/, 'ａ')])
        expect(parse(text)).toBeUndefined()
      for (const value of [undefined, null, 0, true, [right], { right }]) expect(parse(value)).toBeUndefined()
    })

  test('an address: a compressed key and no other', () => {
    const x = 'a'.repeat(64)
    for (const prefix of ['02', '03']) expect(parseAddress(addressOfPublicKey(prefix + x))).toBeDefined()
    for (const prefix of ['00', '01', '04', '06', '12', '20'])
      expect(parseAddress(addressOfPublicKey(prefix + x))).toBeUndefined()
  })

  test('an address: every digit counts', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(73), fc.constantFrom(...'0123456789abcdef'), (n, at, digit) => {
        const address = paperAddress(n)
        const changed = address.slice(0, at) + digit + address.slice(at + 1)
        expect(parseAddress(changed)).toBe(changed === address ? address : undefined)
      }),
    )
  })

  test('amounts and heights', () => {
    for (const value of [0, 1, 9007199254740991]) expect(parseAmount(value)).toBe(value)
    for (const value of [1, 9007199254740991]) expect(parseHeight(value)).toBe(value)
    for (const value of [
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      9007199254740992,
      '1',
      null,
      undefined,
      true,
      [],
    ]) {
      expect(parseAmount(value)).toBeUndefined()
      expect(parseHeight(value)).toBeUndefined()
    }
    expect(parseHeight(0)).toBeUndefined()
  })
})

describe('genesis', () => {
  const rules = paperRules({ blockTime: 10, halfLife: 600 })

  test('binds every parameter, and its timestamp', () => {
    const usual = hashOf(genesisOf(rules, 1))
    expect(hashOf(genesisOf({ ...rules }, 1))).toBe(usual)
    const others = [
      genesisOf(rules, 2),
      genesisOf(paperRules({ ...rules, allocations: { [paperAddress(1)]: 1 } as typeof rules.allocations }), 1),
      ...(['blockTime', 'difficulty', 'halfLife', 'maxBlockBytes', 'miningReward'] as const).map((field) =>
        genesisOf({ ...rules, [field]: rules[field] + 1 }, 1),
      ),
    ]
    const hashes = others.map(hashOf)
    expect(new Set([usual, ...hashes]).size).toBe(1 + others.length)
    expect(new Set([usual, ...hashes]).size).toBe(8)
    expect(new Set(others.map(commitmentTo)).size).toBe(7)
  })

  test('has no allocations above 2^53-1', () => {
    const most = 9007199254740991
    const granting = (...amounts: number[]) => {
      const granted = amounts.map((amount, n) => [paperAddress(n), amount] as const)
      return () => genesisOf(paperRules({ allocations: Object.fromEntries(granted) as typeof rules.allocations }), 1)
    }
    expect(granting(most)).not.toThrow()
    expect(granting(most - 1, 1)).not.toThrow()
    expect(granting(most, 1)).toThrow(RangeError)
    expect(granting(most, most, most)).toThrow(RangeError)
  })
})
