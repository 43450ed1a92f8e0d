/**
 * Where the generator builds: a good chain, and the means to put one more block on it, good or bad in exactly the way
 * that a case asks for. Whatever a plan changes, the rest is made to agree with it again: transactions are signed over
 * what they now say, the root is of what the block now holds, the proof commits to the header as it now is and is mined.
 */
import {
  type Account,
  type Address,
  type BlockEntry,
  type ChainRules,
  canonicalJson,
  easiestTarget,
  genesisAccounts,
  genesisEntry,
  genesisOf,
  type Hash,
  hashOf,
  type JsonObject,
  type JsonValue,
  merkleLeaf,
  merkleRoot,
  nextTarget,
  type Proof,
  parseTarget,
  proofOf,
  sealOf,
  searchNonce,
  sha256Hex,
  type Target,
} from '@bc/core'
import { type Key, numberedKey, signDigest, verifier } from './keys.ts'
import { type Validated, validateAlone } from './validate-alone.ts'

export const [miner, alice, bob, carol, dave] = [101, 102, 103, 104, 105].map(numberedKey) as [Key, Key, Key, Key, Key]

/** A place on a chain where the next block goes. */
export interface Site {
  readonly name: string
  readonly rules: ChainRules
  /** Genesis' timestamp. */
  readonly timestamp: number
  /** The genesis block's hash. */
  readonly chain: Hash
  /** The canonical JSON of every block so far, genesis first. */
  readonly texts: readonly string[]
  readonly parent: BlockEntry
  readonly accounts: ReadonlyMap<Address, Account>
}

/** A payment as it is to be signed, and what is done to it afterwards. */
export interface Transfer {
  /** All fields but the signature. */
  readonly fields: JsonObject
  /** Who signs: the sender, unless said otherwise. */
  readonly key: Key
  /** The chain that the signature names: this one, unless said otherwise. */
  readonly chain?: Hash
  /** What stands in the place of the right signature. */
  readonly signature?: (right: string) => JsonValue
  /** The last word on the signed transaction. */
  readonly touch?: (signed: JsonObject) => JsonValue
}

/** What a block is to be, where it isn't as all the others are. Every part is built upon the one above it. */
export interface Plan {
  readonly transfers?: (usual: readonly Transfer[]) => readonly Transfer[]
  readonly reward?: (right: JsonObject) => JsonValue
  readonly transactions?: (right: readonly JsonValue[]) => JsonValue
  readonly root?: (right: Hash) => string
  /** Header fields, also ones that no header has. */
  readonly fields?: JsonObject
  readonly commitment?: (right: Hash, header: JsonObject) => string
  /** What the proof must be like: of those with the commitment, the lowest nonce that satisfies this is taken. */
  readonly proof?: (proof: string, target: Target) => boolean
  readonly block?: (right: JsonObject) => JsonValue
  readonly text?: (right: string) => string
}

export function siteAtGenesis(name: string, rules: ChainRules, timestamp: number): Site {
  const genesis = genesisOf(rules, timestamp)
  const chain = hashOf(genesis)
  const granted = [...genesisAccounts(rules)].flatMap(([address, account]) => (account ? [[address, account]] : []))
  return {
    name,
    rules,
    timestamp,
    chain,
    texts: [canonicalJson(genesis as unknown as JsonObject)],
    parent: genesisEntry(genesis, chain),
    accounts: new Map(granted as [Address, Account][]),
  }
}

/** The block of a plan, as the text that is sent. */
export function blockOn(site: Site, plan: Plan = {}): string {
  const { parent, rules } = site
  const transactions = transactionsOf(site, plan)
  const right = merkleRoot(Array.isArray(transactions) ? transactions.map(merkleLeaf) : [])
  const header: JsonObject = {
    index: parent.index + 1,
    merkle_root: plan.root?.(right) ?? right,
    previous_hash: parent.hash,
    target: nextTarget(parent, rules),
    timestamp: parent.timestamp + 10,
    ...plan.fields,
  }
  const committed = sha256Hex(canonicalJson(header))
  const proof = mined(site, header, plan.commitment?.(committed, header) ?? committed, plan.proof)
  const block = { ...header, proof, transactions }
  const text = canonicalJson(plan.block?.(block) ?? block)
  return plan.text?.(text) ?? text
}

/** The site after a good block. */
export function extended(site: Site, plan: Plan = {}): Site {
  const text = blockOn(site, plan)
  const { entry, applied } = validateOn(site, text)
  const accounts = new Map(site.accounts)
  for (const [address, account] of applied.changes) {
    if (account) accounts.set(address, account)
    else accounts.delete(address)
  }
  return { ...site, texts: [...site.texts, text], parent: entry, accounts }
}

export function validateOn({ parent, accounts, rules, chain }: Site, message: string | Uint8Array): Validated {
  return validateAlone(message, parent, (address) => accounts.get(address), rules, chain, verifier)
}

/** Both plans at once: where they meet, the second is applied to what the first has made. */
export function both(first: Plan, second: Plan): Plan {
  const plan: { -readonly [Part in keyof Plan]: Plan[Part] } = { ...first, ...second }
  if (first.fields && second.fields) plan.fields = { ...first.fields, ...second.fields }
  const { transfers, reward } = first
  if (transfers && second.transfers) plan.transfers = (usual) => second.transfers?.(transfers(usual)) ?? []
  if (reward && second.reward) plan.reward = (right) => second.reward?.(reward(right) as JsonObject) ?? null
  return plan
}

/** A payment as its sender would sign it now; `nonce`, `memo` and all else as `more` says. */
export function pay(site: Site, from: Key, to: Key, amount: number, fee: number, more: JsonObject = {}): Transfer {
  const fields = { amount, fee, nonce: nonceOf(site, from), recipient: to.address, sender: from.address, ...more }
  return { fields, key: from }
}

export function balanceOf(site: Site, { address }: Key): number {
  return site.accounts.get(address)?.balance ?? 0
}

export function nonceOf(site: Site, { address }: Key): number {
  return site.accounts.get(address)?.nonce ?? 0
}

/** The transactions of every block that has no others: two senders, a fee, a memo, one sender twice. */
export function usualTransfers(site: Site): Transfer[] {
  if (balanceOf(site, alice) < 100 || balanceOf(site, bob) < 100) return []
  return [
    pay(site, alice, bob, 10, 1),
    pay(site, bob, carol, 20, 2, { memo: '发票 42 — 🧾' }),
    pay(site, alice, dave, 5, 0, { nonce: nonceOf(site, alice) + 1, memo: 'tab\t"quote" \\ \u007f é' }),
  ]
}

export function signedTransfer({ fields, key, chain, signature, touch }: Transfer, site: Site): JsonValue {
  const right = signDigest(sha256Hex(canonicalJson({ ...fields, chain: chain ?? site.chain })), key)
  const signed = { ...fields, signature: signature ? signature(right) : right }
  return touch ? touch(signed) : signed
}

function transactionsOf(site: Site, plan: Plan): JsonValue {
  const usual = usualTransfers(site)
  const transfers = plan.transfers?.(usual) ?? usual
  const fees = transfers.reduce((sum, { fields: { fee } }) => sum + (typeof fee === 'number' ? fee : 0), 0)
  const due: JsonObject = {
    amount: site.rules.miningReward + fees,
    nonce: site.parent.index + 1,
    recipient: miner.address,
    sender: '0',
  }
  const reward = plan.reward ? plan.reward(due) : due
  const list = [reward, ...transfers.map((transfer) => signedTransfer(transfer, site))]
  return plan.transactions ? plan.transactions(list) : list
}

function mined({ parent, rules }: Site, header: JsonObject, commitment: string, wanted: Plan['proof']): string {
  const target = parseTarget(header.target) ?? easiestTarget(rules.difficulty)
  const previousHash = header.previous_hash as Hash
  if (!wanted) {
    const job = { previousProof: parent.proof, previousHash, commitment: commitment as Hash, target }
    return proofOf(commitment as Hash, searchNonce(job, 0n, 1_000_000) ?? 0n)
  }
  for (let nonce = 0n; ; nonce++) {
    const proof: Proof = proofOf(commitment as Hash, nonce)
    if (wanted(proof, target)) return proof
  }
}

/** The seal that counts for a block on this site. */
export function sealOn({ parent }: Site, proof: string): Hash {
  return sealOf(parent.proof, proof, parent.hash)
}
