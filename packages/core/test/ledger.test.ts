import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Address } from '../src/address.ts'
import { type Account, type AppliedBlock, applyBlock, genesisAccounts, touchedAddresses } from '../src/ledger.ts'
import { type ChainRules, supplyAt } from '../src/params.ts'
import { RuleError } from '../src/rules.ts'
import { type PaperTransfer, paperAddress, paperBlock, paperRules } from './support/paper.ts'
import { afterChanges, type State, stateOf, textOf, totalOf } from './support/state.ts'

const PEOPLE = [1, 2, 3, 4, 5].map(paperAddress)
const person = (n: number): Address => PEOPLE[n % PEOPLE.length] as Address

const rules = paperRules({
  allocations: { [person(0)]: 300, [person(1)]: 20 } as ChainRules['allocations'],
})

const readerOf = (state: State) => (address: Address) => state.get(address)

/** The ledger of protocol.md in a few lines, with numbers that can't be rounded. */
class NaiveLedger {
  private readonly accounts = new Map<Address, { balance: bigint; nonce: number }>()

  constructor(state: State) {
    for (const [address, { balance, nonce }] of state) this.accounts.set(address, { balance: BigInt(balance), nonce })
  }

  get(address: Address): { balance: bigint; nonce: number } {
    return this.accounts.get(address) ?? { balance: 0n, nonce: 0 }
  }

  credit(address: Address, amount: number): void {
    const { balance, nonce } = this.get(address)
    this.accounts.set(address, { balance: balance + BigInt(amount), nonce })
  }

  /** What is wrong with it, or undefined when it was done. */
  transfer({ sender, recipient, amount, fee, nonce }: PaperTransfer): 'tx.nonce' | 'tx.balance' | undefined {
    const account = this.get(sender)
    if (nonce !== account.nonce) return 'tx.nonce'
    const cost = BigInt(amount) + BigInt(fee)
    if (account.balance < cost) return 'tx.balance'
    this.accounts.set(sender, { balance: account.balance - cost, nonce: nonce + 1 })
    this.credit(recipient, amount)
    return undefined
  }

  state(): State {
    const stored = [...this.accounts].filter(([, { balance, nonce }]) => balance > 0n || nonce > 0)
    return new Map(
      stored.map(([address, { balance, nonce }]) => [address, { balance: Number(balance), nonce } as Account]),
    )
  }
}

/** What somebody wants; made into transfers that are possible when their turn comes. */
interface Wish {
  readonly from: number
  readonly to: number
  /** Of what can be spent: all of it, which leaves an account of 0, or a share of it. */
  readonly percent: number
  readonly fee: number
}

interface Step {
  /** How far back from the newest block, in the order of arrival: 0 extends it, others make forks. */
  readonly back: number
  readonly miner: number
  readonly wishes: readonly Wish[]
}

const wish: fc.Arbitrary<Wish> = fc.record({
  from: fc.nat(4),
  to: fc.nat(4),
  percent: fc.oneof(fc.constant(100), fc.nat(100)),
  fee: fc.nat(3),
})

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }),
    miner: fc.nat(4),
    wishes: fc.array(wish, { maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 12 },
)

interface Node {
  readonly parent: Node | undefined
  readonly index: number
  readonly state: State
  readonly applied: AppliedBlock | undefined
}

function grownTree(history: readonly Step[]): Node[] {
  const state = stateOf(genesisAccounts(rules))
  const nodes: Node[] = [{ parent: undefined, index: 1, state, applied: undefined }]
  for (const step of history) nodes.push(grown(nodes[Math.max(0, nodes.length - 1 - step.back)] as Node, step))
  return nodes
}

function grown(parent: Node, { miner, wishes }: Step): Node {
  const index = parent.index + 1
  const naive = new NaiveLedger(parent.state)
  naive.credit(person(miner), 50)
  const transfers = wishes.flatMap(({ from, to, percent, fee }) => {
    const { balance, nonce } = naive.get(person(from))
    const amount = Number(((balance - BigInt(fee)) * BigInt(percent)) / 100n)
    if (amount < 1) return []
    const transfer = { sender: person(from), recipient: person(to), amount, fee, nonce }
    expect(naive.transfer(transfer)).toBeUndefined()
    return [transfer]
  })
  const fees = transfers.reduce((sum, { fee }) => sum + fee, 0)
  naive.credit(person(miner), fees)
  const block = paperBlock(index, { recipient: person(miner), amount: 50 + fees }, transfers, rules)
  const asked = new Set<Address>()
  const read = (address: Address) => {
    asked.add(address)
    return parent.state.get(address)
  }
  const applied = applyBlock(block, read, rules)
  const touched = [...touchedAddresses(block)]
  expect([...asked]).toEqual(touched)
  expect([...applied.changes.keys()]).toEqual(touched)
  expect([...applied.undo.keys()]).toEqual(touched)
  const state = afterChanges(parent.state, applied.changes)
  expect(textOf(state)).toBe(textOf(naive.state()))
  return { parent, index, state, applied }
}

describe('properties of the ledger, over random histories with forks', () => {
  test('undoing a block restores the accounts byte for byte', () => {
    fc.assert(
      fc.property(steps, (history) => {
        for (const { parent, state, applied } of grownTree(history))
          if (parent && applied) expect(textOf(afterChanges(state, applied.undo))).toBe(textOf(parent.state))
      }),
      { numRuns: 150 },
    )
  })

  test('the supply is the allocations and the rewards, in every state', () => {
    fc.assert(
      fc.property(steps, (history) => {
        for (const { index, state } of grownTree(history)) {
          expect(totalOf(state)).toBe(320n + 50n * BigInt(index - 1))
          expect(supplyAt(index, rules)).toBe(totalOf(state))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('from any block to any other, undone and applied, the accounts are those of the other', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(20), { maxLength: 6 }), (history, visits) => {
        const nodes = grownTree(history)
        let here = nodes[0] as Node
        let state = here.state
        for (const visit of visits) {
          const there = nodes[visit % nodes.length] as Node
          state = moved(state, here, there)
          here = there
          expect(textOf(state)).toBe(textOf(here.state))
        }
      }),
      { numRuns: 150 },
    )
  })
})

function moved(state: State, from: Node, to: Node): State {
  const way = (node: Node | undefined): Node[] => (node ? [node, ...way(node.parent)] : [])
  const [old, young] = [way(from), way(to)]
  const undone = old.filter((node) => !young.includes(node))
  const redone = young.filter((node) => !old.includes(node)).reverse()
  const back = undone.reduce((now, { applied }) => afterChanges(now, applied?.undo ?? new Map()), state)
  return redone.reduce((now, { applied }) => afterChanges(now, applied?.changes ?? new Map()), back)
}

describe('the rules of the ledger', () => {
  const attempt = fc.record({
    from: fc.nat(4),
    to: fc.nat(4),
    amount: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 400 }) },
    ),
    fee: fc.nat(5),
    /** From the nonce that would be right. */
    off: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -1, max: 1 }) }),
  })

  test('any block is applied, or refused by the first rule, exactly as in a naive ledger', () => {
    const seen = { good: 0, 'tx.nonce': 0, 'tx.balance': 0, 'block.reward': 0 }
    fc.assert(
      fc.property(
        fc.array(attempt, { maxLength: 8 }),
        fc.nat(4),
        fc.constantFrom(0, 0, 0, 1, -1),
        (some, miner, more) => {
          const state = stateOf(genesisAccounts(rules))
          const sent = new Map<Address, number>()
          const transfers = some.map(({ from, to, amount, fee, off }): PaperTransfer => {
            const next = sent.get(person(from)) ?? 0
            sent.set(person(from), next + 1)
            return { sender: person(from), recipient: person(to), amount, fee, nonce: Math.max(0, next + off) }
          })
          const due = transfers.reduce((sum, { fee }) => sum + fee, 50)
          const naive = new NaiveLedger(state)
          naive.credit(person(miner), due + more)
          const faults = transfers.map((transfer) => naive.transfer(transfer))
          const position = faults.findIndex((fault) => fault !== undefined)
          const expected = faults[position] ?? (more === 0 ? 'good' : 'block.reward')
          const block = paperBlock(2, { recipient: person(miner), amount: due + more }, transfers, rules)
          const before = textOf(state)
          const found = outcome(() => applyBlock(block, readerOf(state), rules))
          expect(textOf(state)).toBe(before)
          seen[expected]++
          if (found instanceof RuleError) {
            expect(found.code).toBe(expected)
            if (position >= 0) expect(found.data.position).toBe(position + 1)
            return
          }
          expect(expected).toBe('good')
          expect(textOf(afterChanges(state, found.changes))).toBe(textOf(naive.state()))
        },
      ),
      { numRuns: 1000 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10)
  })

  test('also where the fees, and the reward that they are in and paid from, go up to 2^53-1', () => {
    const most = 9007199254740991
    const seen = { good: 0, 'tx.nonce': 0, 'tx.balance': 0, 'block.reward': 0 }
    const some = fc.record({
      granted: fc.integer({ min: 10, max: 1000 }),
      fees: fc.array(fc.nat(500), { maxLength: 3 }),
      /** How far the reward that is due stays below 2^53-1, or goes above it. */
      below: fc.oneof(fc.nat(500), fc.integer({ min: -3, max: 3 })),
      /** How far what is spent stays below what there is, or goes above it. */
      left: fc.integer({ min: -3, max: 3 }),
      self: fc.boolean(),
      more: fc.constantFrom(0, 0, 0, 1, -1),
    })
    fc.assert(
      fc.property(some, ({ granted, fees, below, left, self, more }) => {
        const own = paperRules({ allocations: { [person(0)]: granted } as ChainRules['allocations'] })
        const state = stateOf(genesisAccounts(own))
        const small = fees.reduce((sum, fee) => sum + fee, 0)
        const all = [most - 50 - small - below, ...fees]
        const reward = { recipient: person(0), amount: Math.min(most, most - below + more) }
        const transfers = all.map((fee, nonce): PaperTransfer => {
          const amount = nonce < fees.length ? 1 : granted + 50 - fees.length - left
          return { sender: person(0), recipient: person(self ? 0 : 1), amount, fee, nonce }
        })
        const naive = new NaiveLedger(state)
        naive.credit(person(0), reward.amount)
        const fault = transfers.map((transfer) => naive.transfer(transfer)).find((wrong) => wrong !== undefined)
        const expected = fault ?? (reward.amount === most - below ? 'good' : 'block.reward')
        seen[expected]++
        const found = outcome(() => applyBlock(paperBlock(2, reward, transfers, own), readerOf(state), own))
        expect(found instanceof RuleError ? found.code : 'good').toBe(expected)
        if (!(found instanceof RuleError))
          expect(textOf(afterChanges(state, found.changes))).toBe(textOf(naive.state()))
      }),
      { numRuns: 1000 },
    )
    expect(Math.min(seen.good, seen['tx.balance'], seen['block.reward'])).toBeGreaterThan(20)
  })

  test('genesis grants the allocations, and stores no account of 0', () => {
    const some = paperRules({ allocations: { [person(0)]: 7, [person(1)]: 0 } as ChainRules['allocations'] })
    expect([...genesisAccounts(some)]).toEqual([[person(0), { balance: 7, nonce: 0 }]])
  })

  test('an account that never held anything is not stored, one that was emptied is', () => {
    const free = paperRules({ ...rules, miningReward: 0 as ChainRules['miningReward'] })
    const empty = { sender: person(0), recipient: person(1), amount: 300, fee: 0, nonce: 0 }
    const { changes, undo } = applyBlock(
      paperBlock(2, { recipient: person(4), amount: 0 }, [empty], free),
      readerOf(stateOf(genesisAccounts(free))),
      free,
    )
    expect(changes).toEqual(
      new Map<Address, Account | undefined>([
        [person(4), undefined],
        [person(0), { balance: 0, nonce: 1 } as Account],
        [person(1), { balance: 320, nonce: 0 } as Account],
      ]),
    )
    expect(undo.get(person(4))).toBeUndefined()
  })

  test('the supply goes to 2^53-1 and not beyond', () => {
    const most = 9007199254740991
    for (const [granted, code] of [
      [most - 50, undefined],
      [most - 49, 'block.reward'],
      [most, 'block.reward'],
    ] as const) {
      const full = paperRules({ allocations: { [person(0)]: granted } as unknown as ChainRules['allocations'] })
      const block = paperBlock(2, { recipient: person(1), amount: 50 }, [], full)
      const found = outcome(() => applyBlock(block, readerOf(stateOf(genesisAccounts(full))), full))
      expect(found instanceof RuleError ? found.code : undefined).toBe(code)
    }
  })

  // The reward comes first and may be spent in its own block, also on fees; and fees are part of the reward. So it can
  // claim any number, pay it back as a fee, and carry its miner's balance past 2^53 on the way, where a float is rounded.
  test('coins on a round trip from the reward through a fee and back make no others', () => {
    const some = paperRules({ allocations: { [person(0)]: 100 } as ChainRules['allocations'] })
    const most = 9007199254740991
    const fee = { sender: person(0), recipient: person(1), amount: 1, fee: most - 50, nonce: 0 }
    const state = stateOf(genesisAccounts(some))
    const { changes } = applyBlock(
      paperBlock(2, { recipient: person(0), amount: most }, [fee], some),
      readerOf(state),
      some,
    )
    expect(totalOf(afterChanges(state, changes))).toBe(150n)
  })
})

function outcome<T>(apply: () => T): T | RuleError {
  try {
    return apply()
  } catch (error) {
    if (error instanceof RuleError) return error
    throw error
  }
}
