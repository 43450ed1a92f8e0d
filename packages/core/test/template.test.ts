import {
  type Account,
  type Address,
  type Amount,
  type Block,
  type BlockTemplate,
  blockTemplate,
  type ChainRules,
  canonicalJson,
  type JsonValue,
  nextTarget,
  Pool,
  type PoolEntry,
  parseBlock,
  parseTransaction,
  RuleError,
  type SignatureVerifier,
  sealBlock,
  sealJobOf,
  searchNonce,
} from '@bc/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeTransaction } from '../src/transaction.ts'
import { sites } from './support/generator.ts'
import { credulous, type Key, verifier } from './support/keys.ts'
import {
  alice,
  balanceOf,
  bob,
  carol,
  miner,
  nonceOf,
  pay,
  type Site,
  signedTransfer,
  type Transfer,
} from './support/site.ts'
import { type Validated, validateAlone } from './support/validate-alone.ts'

const accountOf = (site: Site, address: Address): Account =>
  site.accounts.get(address) ?? { balance: 0 as Amount, nonce: 0 }

/** Into the pool, if it takes it. */
function offer(pool: Pool, site: Site, signed: JsonValue): void {
  const parsed = parseTransaction(signed, site.chain)
  const transaction = judgeTransaction(parsed, 'valid')
  try {
    pool.add(transaction, parsed.id, accountOf(site, transaction.sender), 0)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
  }
}

function templateOn(site: Site, pool: Pool, changed: Partial<ChainRules> = {}, now = site.parent.timestamp + 10) {
  const rules = { ...site.rules, ...changed }
  return blockTemplate({ parent: site.parent, rules, miner: miner.address, now, select: (room) => pool.select(room) })
}

function sealed(template: BlockTemplate, site: Site): Block {
  const nonce = searchNonce(sealJobOf(template, site.parent), 0n, 1_000_000)
  if (nonce === undefined) throw new Error('no nonce was found')
  return sealBlock(template, nonce)
}

const sent = (block: Block): string => canonicalJson(block as unknown as JsonValue)

function taken(block: Block, site: Site, judge: SignatureVerifier, changed: Partial<ChainRules> = {}): Validated {
  const rules = { ...site.rules, ...changed }
  return validateAlone(sent(block), site.parent, (address) => site.accounts.get(address), rules, site.chain, judge)
}

/** Signed by nobody, so that there may be many of them; for a credulous verifier. */
const unsigned = (transfer: Transfer): JsonValue => ({ ...transfer.fields, signature: '0'.repeat(128) })

const SENDERS: readonly Key[] = [miner, alice, bob, carol]

const wishes = fc.array(
  fc.record({
    from: fc.nat(3),
    to: fc.nat(3),
    amount: fc.integer({ min: 1, max: 60 }),
    fee: fc.oneof(fc.nat(3), fc.nat(200)),
    memo: fc.option(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), { nil: undefined }),
  }),
  { maxLength: 25, size: 'max' },
)

type Wishes = typeof wishes extends fc.Arbitrary<infer Some> ? Some : never

function poolOf(site: Site, some: Wishes): Pool {
  const pool = new Pool()
  for (const { from, to, amount, fee, memo } of some) {
    const [sender, recipient] = [SENDERS[from] as Key, SENDERS[to] as Key]
    const nonce = pool.pendingNonce(sender.address, accountOf(site, sender.address))
    offer(pool, site, unsigned(pay(site, sender, recipient, amount, fee, { nonce, ...(memo && { memo }) })))
  }
  return pool
}

describe.each(['constant', 'moving'] as const)('a template on a chain of a %s target', (name) => {
  const site = () => sites()[name]

  test('sealed by the kernel, is a valid block, signatures and all', () => {
    const pool = new Pool()
    for (let n = 0; n < 3; n++) {
      const nonce = { nonce: nonceOf(site(), alice) + n, memo: '发票 🧾'.repeat(n + 1) }
      offer(pool, site(), signedTransfer(pay(site(), alice, bob, 10, n, nonce), site()))
    }
    offer(pool, site(), signedTransfer(pay(site(), bob, carol, 5, 7), site()))
    const block = sealed(templateOn(site(), pool), site())
    const { applied, entry } = taken(block, site(), verifier)
    expect(block.transactions.length).toBe(5)
    expect(block.transactions[0]).toEqual({ amount: 60, nonce: 6, recipient: miner.address, sender: '0' })
    expect(applied.changes.get(miner.address)?.balance).toBe(balanceOf(site(), miner) + 60)
    expect(entry).toMatchObject({ index: 6, target: nextTarget(site().parent, site().rules), solveTime: 10 })
  })

  test('of any pool and any limit is valid, and within the limit', () => {
    let [full, cut] = [0, 0]
    fc.assert(
      fc.property(wishes, fc.integer({ min: 700, max: 9000 }), (some, maxBlockBytes) => {
        const pool = poolOf(site(), some)
        const block = sealed(templateOn(site(), pool, { maxBlockBytes }), site())
        expect(sent(block).length).toBeLessThanOrEqual(maxBlockBytes)
        expect(() => taken(block, site(), credulous, { maxBlockBytes })).not.toThrow()
        if (block.transactions.length === pool.size + 1) full++
        else cut++
      }),
      { numRuns: 100 },
    )
    expect(Math.min(full, cut)).toBeGreaterThan(3)
  })

  test('takes all that fits to the byte, when the reward is as long as it can be', () => {
    fc.assert(
      fc.property(wishes, (some) => {
        const pool = poolOf(site(), some)
        const everything = templateOn(site(), pool, { maxBlockBytes: 1_000_000 })
        const { amount } = everything.transactions[0] as { amount: number }
        const longest = sent(sealBlock(everything, 0n)).length + 16 - String(amount).length
        expect(templateOn(site(), pool, { maxBlockBytes: longest })).toEqual(everything)
        if (pool.size === 0) return
        const less = templateOn(site(), pool, { maxBlockBytes: longest - 1 })
        expect(less.transactions.length).toBeLessThan(everything.transactions.length)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a template', () => {
  const { constant } = sites()
  const codeOf = (make: () => unknown) => {
    try {
      make()
      return undefined
    } catch (error) {
      if (error instanceof RuleError) return error.code
      throw error
    }
  }

  test("has the miner's time, or the parent's where the miner's clock is behind", () => {
    const { timestamp } = constant.parent
    for (const [now, used] of [
      [timestamp - 1000, timestamp],
      [timestamp - 1, timestamp],
      [timestamp, timestamp],
      [timestamp + 1, timestamp + 1],
      [timestamp + 1000, timestamp + 1000],
    ] as const) {
      const template = templateOn(constant, new Pool(), {}, now)
      expect(template.timestamp).toBe(used)
      expect(() => taken(sealed(template, constant), constant, verifier)).not.toThrow()
    }
  })

  test('asks of its selection exactly the room that is left', () => {
    const rooms: number[] = []
    const select = (room: number): PoolEntry[] => {
      rooms.push(room)
      return []
    }
    const request = { parent: constant.parent, miner: miner.address, now: 0, select }
    const alone = blockTemplate({ ...request, rules: constant.rules })
    const longest = sent(sealBlock(alone, 0n)).length - '50'.length + '9007199254740991'.length
    expect(rooms).toEqual([constant.rules.maxBlockBytes - longest])
    blockTemplate({ ...request, rules: { ...constant.rules, maxBlockBytes: longest } })
    expect(rooms[1]).toBe(0)
    const small = { ...constant.rules, maxBlockBytes: longest - 1 }
    expect(codeOf(() => blockTemplate({ ...request, rules: small }))).toBe('block.size')
    expect(rooms.length).toBe(2)
  })

  test('is made up to the last reward there can be, and not after it', () => {
    const [last, none] = sites().brim
    const block = sealed(templateOn(last, new Pool()), last)
    expect(() => taken(block, last, verifier)).not.toThrow()
    expect(codeOf(() => templateOn(none, new Pool()))).toBe('block.reward')
  })

  test('is a whole block but for its proof', () => {
    const template = templateOn(constant, new Pool())
    const block = sealBlock(template, 0x1234n)
    expect(parseBlock(block as unknown as JsonValue).block).toEqual({ ...template, proof: block.proof })
    expect(block.proof.slice(64)).toBe('0000000000001234')
    expect(sealJobOf(template, constant.parent)).toEqual({
      previousProof: constant.parent.proof,
      previousHash: constant.parent.hash,
      commitment: block.proof.slice(0, 64),
      target: template.target,
    })
  })
})
