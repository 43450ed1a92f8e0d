/** Good blocks for tests of the node, built by core's block generator. */
import { type ChainRules, entryAfter, type Hash, parseBlock, parseJson, type Transaction } from '@bc/core'
import { type Key, numberedKey } from '../../../core/test/support/keys.ts'
import {
  alice,
  balanceOf,
  bob,
  carol,
  dave,
  extended,
  miner,
  nonceOf,
  pay,
  type Site,
  signedTransfer,
  siteAtGenesis,
  type Transfer,
} from '../../../core/test/support/site.ts'

export const GENESIS_TIME = 1_700_000_000

export const PEOPLE = [alice, bob, carol, dave, miner] as const

/** Rules under which any nonce is enough. */
export function easyRules(changed: Partial<Record<keyof ChainRules, unknown>> = {}): ChainRules {
  const allocations = Object.fromEntries([alice, bob, carol].map(({ address }) => [address, 1_000_000]))
  const usual = { allocations, blockTime: 0, difficulty: 0, halfLife: 0, maxBlockBytes: 1_000_000, miningReward: 50 }
  return { ...usual, ...changed } as ChainRules
}

export function genesisSite(rules: ChainRules = easyRules()): Site {
  return siteAtGenesis('', rules, GENESIS_TIME)
}

/** A payment of one of {@link PEOPLE}, by their numbers. */
export interface Recipe {
  readonly from: number
  readonly to: number
  readonly amount: number
  readonly fee: number
}

export interface BlockRecipe {
  readonly payments: readonly Recipe[]
  /** Seconds after the parent. */
  readonly after: number
  /** The number of a key that nobody else uses: an account that exists only on the branches that have this block. */
  readonly rewardTo?: number
}

/** A block on a site. Payments that can't be made here are left out. */
export function withBlock(site: Site, { payments, after, rewardTo }: BlockRecipe): Site {
  const recipient = rewardTo === undefined ? miner : numberedKey(rewardTo)
  return extended(site, {
    transfers: () => affordable(site, payments),
    reward: (right) => ({ ...right, recipient: recipient.address }),
    fields: { timestamp: site.parent.timestamp + after },
  })
}

function affordable(site: Site, payments: readonly Recipe[]): Transfer[] {
  const spent = new Map<Key, number>()
  const made = new Map<Key, number>()
  return payments.flatMap(({ from, to, amount, fee }) => {
    const [sender, recipient] = [PEOPLE[from], PEOPLE[to]]
    if (sender === undefined || recipient === undefined) throw new RangeError(`nobody has the number ${from} or ${to}`)
    const cost = (spent.get(sender) ?? 0) + amount + fee
    if (cost > balanceOf(site, sender)) return []
    const nonce = nonceOf(site, sender) + (made.get(sender) ?? 0)
    spent.set(sender, cost)
    made.set(sender, nonce + 1 - nonceOf(site, sender))
    return pay(site, sender, recipient, amount, fee, { nonce })
  })
}

/** A site after a block that only the ledger can refuse. */
export function afterRefused(site: Site, text: string): Site {
  const { block, hash } = parseBlock(parseJson(text))
  return { ...site, texts: [...site.texts, text], parent: entryAfter(site.parent, block, hash) }
}

/** The newest block of a site, as it is sent. */
export function newest({ texts }: Site): string {
  const text = texts.at(-1)
  if (text === undefined) throw new RangeError('a site has a genesis block')
  return text
}

/** `count` more blocks; `recipe` is asked for each. */
export function grown(site: Site, count: number, recipe: (i: number, site: Site) => BlockRecipe): Site {
  let grownSite = site
  for (let i = 0; i < count; i++) grownSite = withBlock(grownSite, recipe(i, grownSite))
  return grownSite
}

export const nothing: BlockRecipe = { payments: [], after: 10 }

/** A signed payment, as a body of `POST /transactions/new` that names its nonce. */
export function signedPayment(site: Site, from: Key, to: Key, amount: number, fee: number, nonce: number): Transaction {
  return signedTransfer(pay(site, from, to, amount, fee, { nonce }), site) as unknown as Transaction
}

/** The same as the tutorial's clients send it: no nonce, no fee, the amount as digits. */
export function tutorialBody({ sender, recipient, amount, signature }: Transaction): object {
  return { sender, recipient, amount: String(amount), signature }
}

/** Transactions of a block after its reward. */
export function transactionsIn(text: string): Transaction[] {
  return JSON.parse(text).transactions.slice(1)
}

export type { Hash, Site }
