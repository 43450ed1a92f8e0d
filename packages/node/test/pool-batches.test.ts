/** Batches at the pool's door: they are one by one what they are together, and what is accepted is on the disk. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { DEFAULT_POOL_LIMITS, genesisOf, type Hash, type PoolEntry, type PoolLimits, type Transaction } from '@bc/core'
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alice, bob, carol, dave } from '../../core/test/support/site.ts'
import { formCheck } from '../src/http/transaction-form.ts'
import type { Outcome } from '../src/pool/admission.ts'
import { Batches, isAdmitted, type LineOutcome } from '../src/pool/batches.ts'
import { readLine, SUBMISSION_BYTES } from '../src/pool/submission.ts'
import {
  easyRules,
  GENESIS_TIME,
  genesisSite,
  grown,
  newest,
  nothing,
  signedPayment,
  tutorialBody,
} from './support/ledger-blocks.ts'
import { ledgerOver, type MemoryLedger, memoryLedger, records } from './support/ledger-node.ts'

const ajv = new Ajv2020({ allErrors: true, strictTypes: false })
const faultOf = formCheck({ compileValidationSchema: (schema: AnySchema) => ajv.compile(schema) } as never)
const RULES = easyRules()
const START = genesisSite(RULES)

const open = (limits: Partial<PoolLimits> = {}) =>
  memoryLedger(RULES, GENESIS_TIME, { limits: { ...DEFAULT_POOL_LIMITS, ...limits } })

const paymentOf = (nonce: number, fee = 0, from = alice): Transaction => signedPayment(START, from, dave, 1, fee, nonce)
const lineOf = (body: unknown): Uint8Array => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))

async function* grouped(lines: readonly Uint8Array[], size: number): AsyncGenerator<Uint8Array[]> {
  for (let at = 0; at < lines.length; at += size) yield lines.slice(at, at + size)
}

const batchesOf = ({ admission, chain }: MemoryLedger) => new Batches(admission, () => chain.head.index + 1)

async function handIn(
  ledger: MemoryLedger,
  bodies: readonly unknown[],
  size = 7,
  batches = batchesOf(ledger),
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  await batches.admit(grouped(bodies.map(lineOf), size), faultOf, (some) => {
    outcomes.push(...some.map(({ outcome }) => outcome))
  })
  return outcomes
}

const told = (outcome: Outcome): string => (isAdmitted(outcome) ? `accepted ${outcome.id}` : outcome.code)
const isStored = async (ledger: MemoryLedger, id: Hash) =>
  [...(await records(ledger.level, ['pool/'])).values()].some((text) =>
    text.includes(String(ledger.admission.pool.get(id)?.transaction.signature)),
  )

describe('a batch', () => {
  test('of one sender, in the order of the nonces, across groups', async () => {
    const ledger = await open()
    const outcomes = await handIn(
      ledger,
      Array.from({ length: 200 }, (_, nonce) => paymentOf(nonce)),
    )
    expect(outcomes.filter(isAdmitted).map(({ transaction }) => transaction.nonce)).toEqual([...Array(200).keys()])
    const restarted = await ledgerOver(ledger.level, genesisOf(RULES, GENESIS_TIME))
    expect(restarted.waiting).toEqual(ledger.waiting)
    expect(restarted.waiting).toHaveLength(200)
  })

  test('keeps its order where the signatures of a later group are done first', async () => {
    const ledger = await open()
    const check = ledger.admission.check.bind(ledger.admission)
    let groups = 0
    ledger.admission.check = async (submissions) => {
      const isFirst = groups++ === 0
      const checked = await check(submissions)
      // The first has to wait until the second has been through the door, if that could be.
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 50))
      return checked
    }
    // The second group's is too far ahead for the pool unless all of the first group's are there.
    const nonces = [...Array(65).keys(), 128]
    const outcomes = await handIn(
      ledger,
      nonces.map((nonce) => paymentOf(nonce)),
      65,
    )
    expect(outcomes.map(told).filter((one) => !one.startsWith('accepted'))).toEqual([])
  })

  test('bodies of the tutorial mean the next nonce, each after those before it', async () => {
    const ledger = await open()
    const bodies = Array.from({ length: 30 }, (_, nonce) =>
      nonce % 3 === 0 ? paymentOf(nonce) : tutorialBody(paymentOf(nonce)),
    )
    expect((await handIn(ledger, bodies, 4)).every(isAdmitted)).toBe(true)
    expect(await handIn(ledger, [tutorialBody(paymentOf(29))])).toMatchObject([{ code: 'tx.signature' }])
  })

  test('what is accepted is on the disk before it is told', async () => {
    const ledger = await open()
    const write = ledger.store.writePool.bind(ledger.store)
    ledger.store.writePool = async (added, removed, options) => {
      expect(options.sync).toBe(true)
      // A disk that takes its time.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await write(added, removed, options)
    }
    const batches = batchesOf(ledger)
    const lines = Array.from({ length: 40 }, (_, nonce) => lineOf(paymentOf(nonce)))
    const stored: Promise<boolean>[] = []
    await batches.admit(grouped(lines, 8), faultOf, (outcomes) => {
      for (const { outcome } of outcomes) stored.push(isStored(ledger, (outcome as PoolEntry).id))
    })
    expect(await Promise.all(stored)).toEqual(Array(40).fill(true))
  })

  test('is told group by group, also where the next one is long in coming', async () => {
    const ledger = await open()
    const batches = batchesOf(ledger)
    const heard: string[] = []
    let wake = () => {}
    async function* slowly() {
      for (const nonce of [0, 1, 2]) {
        const isTold = new Promise<void>((resolve) => {
          wake = resolve
        })
        yield [lineOf(paymentOf(nonce))]
        await isTold
      }
    }
    await batches.admit(slowly(), faultOf, ([one]) => {
      heard.push(told((one as LineOutcome).outcome).slice(0, 8))
      wake()
    })
    expect(heard).toEqual(Array(3).fill('accepted'))
  })

  test.each<[string, unknown, string]>([
    ['no JSON', '{"amount": 1', 'message.malformed'],
    ['a key twice', '{"amount": 1, "amount": 1}', 'message.malformed'],
    ['a float', { ...paymentOf(1), amount: 1.5 }, 'message.malformed'],
    ['too long', `"${'x'.repeat(SUBMISSION_BYTES)}"`, 'request.too_large'],
    ['a list', [], 'tx.shape'],
    ['null', 'null', 'tx.shape'],
    ['no signature', { ...paymentOf(1), signature: undefined }, 'tx.shape'],
    ['a field more', { ...paymentOf(1), chain: 'x' }, 'tx.shape'],
    ['a memo that is null', { ...paymentOf(1), memo: null }, 'tx.shape'],
    ['an amount that is null', { ...paymentOf(1), amount: null }, 'tx.shape'],
    ['no amount', { ...paymentOf(1), amount: undefined }, 'tx.shape'],
    ['a nonce in a string', { ...paymentOf(1), nonce: '1' }, 'tx.shape'],
    ['a nonce in a string, and an amount in words', { ...paymentOf(1), nonce: '1', amount: 'one' }, 'tx.shape'],
    ['an amount in words and nothing else', { amount: 'one' }, 'tx.shape'],
    ['an amount in words', { ...paymentOf(1), amount: 'one' }, 'tx.number'],
    ['an amount of 17 digits', { ...paymentOf(1), amount: '90071992547409920' }, 'tx.number'],
    ['an amount with a leading zero', { ...paymentOf(1), amount: '01' }, 'tx.number'],
    ['a recipient that is none', { ...paymentOf(1), recipient: 'dave' }, 'tx.address'],
    ['another amount than was signed', { ...paymentOf(1), amount: 2 }, 'tx.signature'],
    ['a memo that was added', { ...paymentOf(1), memo: 'x' }, 'tx.signature'],
    ['the same again', paymentOf(0), 'pool.known'],
    ['a nonce far ahead', paymentOf(70), 'pool.gap'],
    ['more than there is', signedPayment(START, bob, dave, 10 ** 9, 0, 0), 'tx.balance'],
  ])('with one bad among them: %s', async (_name, bad, code) => {
    const ledger = await open()
    const outcomes = await handIn(ledger, [paymentOf(0), bad, paymentOf(1)])
    expect(outcomes.map(told)).toEqual([expect.stringMatching(/^accepted/), code, expect.stringMatching(/^accepted/)])
  })

  test('of nothing', async () => {
    expect(await handIn(await open(), [])).toEqual([])
  })
})

test('each line comes to what it would come to by itself at the door, however they are grouped', async () => {
  const payment = fc
    .record({ who: fc.constantFrom(alice, bob, carol), nonce: fc.nat(6), fee: fc.nat(3), kind: fc.nat(9) })
    .map(({ who, nonce, fee, kind }): unknown => {
      const signed = signedPayment(START, who, dave, 1 + fee, fee, nonce)
      if (kind === 0) return { ...signed, amount: 3 }
      if (kind === 1) return tutorialBody(signed)
      return kind === 2 ? '{' : signed
    })
  await fc.assert(
    fc.asyncProperty(fc.array(payment, { maxLength: 25 }), fc.integer({ min: 1, max: 9 }), async (bodies, size) => {
      const limits = { maxTransactions: 8, maxPerAccount: 4 }
      const [one, other] = [await open(limits), await open(limits)]
      const alone: string[] = []
      for (const body of bodies) {
        const read = readLine(lineOf(body), faultOf)
        alone.push(told('fields' in read ? await one.admission.outcomeOf(read) : read))
      }
      expect((await handIn(other, bodies, size)).map(told)).toEqual(alone)
      expect(other.waiting).toEqual(one.waiting)
      expect(await records(other.level, ['pool/'])).toEqual(await records(one.level, ['pool/']))
    }),
    { numRuns: 60 },
  )
})

test('batches at the same time and single ones among them are all answered', async () => {
  const ledger = await open()
  const batches = batchesOf(ledger)
  const of = (from: typeof alice) => Array.from({ length: 60 }, (_, nonce) => lineOf(paymentOf(nonce, 0, from)))
  const all = await Promise.all([
    ...[alice, bob].map(async (from) => {
      let accepted = 0
      await batches.admit(grouped(of(from), 5), faultOf, (some) => {
        accepted += some.filter(({ outcome }) => isAdmitted(outcome)).length
      })
      return accepted
    }),
    ...Array.from({ length: 10 }, (_, nonce) => ledger.submit(paymentOf(nonce, 0, carol))).map((one) =>
      one.then(() => 1),
    ),
  ])
  expect(all).toEqual([60, 60, ...Array(10).fill(1)])
  expect(ledger.waiting).toHaveLength(130)
})

test.each([
  ['two of one batch', 1, 2],
  ['four of all batches together', 3, 4],
])('groups under way are %s', async (_name, count, most) => {
  const ledger = await open()
  const check = ledger.admission.check.bind(ledger.admission)
  let asked = 0
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  ledger.admission.check = async (submissions) => {
    asked++
    await answered
    return check(submissions)
  }
  const batches = batchesOf(ledger)
  const bodies = (from: typeof alice) => Array.from({ length: 8 }, (_, nonce) => paymentOf(nonce, 0, from))
  const all = [alice, bob, carol].slice(0, count).map((from) => handIn(ledger, bodies(from), 1, batches))
  for (let i = 0; i < 20; i++) await turnOfTheLoop()
  expect(asked).toBe(most)
  answer()
  expect((await Promise.all(all)).flat().every(isAdmitted)).toBe(true)
  expect(asked).toBe(8 * count)
})

test('a line is read up to its limits, of its bytes and of its depth', () => {
  const body = JSON.stringify(paymentOf(0))
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  const codes = [body.padEnd(8_192), body.padEnd(8_193), nested(8), nested(9)].map((text) => {
    const read = readLine(lineOf(text), faultOf)
    return 'fields' in read ? undefined : read.code
  })
  expect(codes).toEqual([undefined, 'request.too_large', 'tx.shape', 'message.malformed'])
})

test('each is told the earliest block that it could be in, also where blocks come meanwhile', async () => {
  const ledger = await open()
  const indices: number[] = []
  async function* withBlocksBetween() {
    // A tutorial's client names no nonce: with one of those all are judged one by one.
    for (const [i, other] of [tutorialBody(paymentOf(0, 0, bob)), paymentOf(0, 0, carol)].entries()) {
      yield [paymentOf(i), other].map(lineOf)
      while (ledger.waiting.length < 2 * i + 2) await new Promise((resolve) => setTimeout(resolve, 5))
      await ledger.import(newest(grown(START, i + 1, () => nothing)))
    }
  }
  const batches = batchesOf(ledger)
  await batches.admit(withBlocksBetween(), faultOf, (some) => {
    indices.push(...some.map(({ index }) => index))
  })
  expect(indices).toEqual([2, 2, 3, 3])
})

test('a disk that fails ends the batch, and nothing is told as accepted', async () => {
  const ledger = await open()
  ledger.store.writePool = () => Promise.reject(new Error('no space left'))
  await expect(handIn(ledger, [paymentOf(0), paymentOf(1)], 1)).rejects.toThrow('no space left')
  const batches = batchesOf(ledger)
  // The places that the failed groups had are free again.
  for (let i = 0; i < 6; i++)
    await expect(handIn(ledger, [paymentOf(2 + i)], 1, batches)).rejects.toThrow('no space left')
})
