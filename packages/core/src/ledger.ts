/**
 * The account model: a balance and a next nonce per address (protocol.md, "Ledger"). An account that never held
 * anything is not stored, so equal states are equal byte for byte.
 */
import type { Address } from './address.ts'
import { type ChainRules, exceedsSupply } from './params.ts'
import { type Amount, MAX_AMOUNT } from './primitives.ts'
import { RuleError } from './rules.ts'
import type { VerifiedTransaction } from './transaction.ts'
import { placed, type VerifiedBlock } from './validate.ts'

export interface Account {
  readonly balance: Amount
  /** How many transactions of this address have been confirmed: the nonce that its next one needs. */
  readonly nonce: number
}

export const NO_ACCOUNT: Account = { balance: 0 as Amount, nonce: 0 }

/**
 * The accounts as they are before a block; undefined for one that isn't stored. Their keeper may have more to remember
 * of each: what is undone is exactly what was read.
 */
export type AccountReader<A extends Account = Account> = (address: Address) => A | undefined

/** New values of accounts; undefined where an account is to be forgotten again. */
export type AccountChanges<A extends Account = Account> = ReadonlyMap<Address, A | undefined>

/** The accounts of genesis. */
export function genesisAccounts(rules: ChainRules): AccountChanges {
  const granted = Object.entries(rules.allocations).filter(([, balance]) => balance > 0)
  return new Map(granted.map(([address, balance]) => [address as Address, { balance, nonce: 0 }]))
}

/** Every address that blocks read or write: what the accounts' keeper must have at hand before {@link applyBlock}. */
export function touchedAddresses(...blocks: readonly VerifiedBlock[]): Set<Address> {
  const addresses = new Set<Address>()
  for (const block of blocks) {
    const recipient = rewarded(block)
    if (recipient) addresses.add(recipient)
    for (const transaction of block.transactions) addresses.add(transaction.sender).add(transaction.recipient)
  }
  return addresses
}

/** @returns undefined for what is no address: nobody can spend what such a block gives it, and at its end it is refused */
function rewarded({ reward, rewardRecipientValid }: VerifiedBlock): Address | undefined {
  return rewardRecipientValid ? (reward.recipient as Address) : undefined
}

export interface AppliedBlock<A extends Account = Account> {
  readonly changes: AccountChanges
  /**
   * The same accounts as they were before, in the order of {@link touchedAddresses}: writing these back undoes the block
   * exactly.
   */
  readonly undo: AccountChanges<A>
}

/**
 * Applies a block to scratch copies of the accounts: all of it or nothing.
 *
 * The reward is the first transaction, so it is credited first; that its amount is right shows only when all fees are
 * known, and a block that has claimed too much is thrown away whole.
 * @throws RuleError the first of the transactions' rules that fails, then `block.reward`
 */
export function applyBlock<A extends Account>(
  block: VerifiedBlock,
  read: AccountReader<A>,
  rules: ChainRules,
): AppliedBlock<A> {
  const scratch = new Scratch(read)
  const recipient = rewarded(block)
  if (recipient) scratch.touch(recipient).balance += BigInt(block.reward.amount)
  for (const [i, transaction] of block.transactions.entries()) applyTransaction(transaction, scratch, i + 1)
  checkWithoutAccounts(block, rules)
  return scratch.result()
}

function applyTransaction(transaction: VerifiedTransaction, scratch: Scratch<Account>, position: number): void {
  const { recipient, amount, fee } = transaction
  const sender = scratch.touch(transaction.sender)
  const fault = spendingFault(transaction, sender)
  if (fault) throw placed(fault, position)
  sender.balance -= BigInt(amount) + BigInt(fee)
  sender.nonce++
  scratch.touch(recipient).balance += BigInt(amount)
}

/** What keeps an account from sending this transaction now: `tx.nonce`, then `tx.balance`. */
function spendingFault(transaction: VerifiedTransaction, account: ScratchAccount): RuleError | undefined {
  const { nonce, amount, fee } = transaction
  if (nonce !== account.nonce) return nonceFault(nonce, account.nonce)
  if (account.balance < BigInt(amount) + BigInt(fee))
    return new RuleError('tx.balance', `The balance ${account.balance} doesn't cover ${amount} and a fee of ${fee}.`, {
      balance: String(account.balance),
      amount,
      fee,
    })
  return undefined
}

export function nonceFault(nonce: number, expected: number): RuleError {
  return new RuleError('tx.nonce', `The nonce is ${nonce}, and the sender's next one is ${expected}.`, {
    nonce,
    expected,
  })
}

/**
 * All that a block shows before anybody looks at an account: the faults of its transactions' form and signatures, then its
 * reward. Of a block beside the main chain nothing else can be said.
 * @throws RuleError
 */
export function checkWithoutAccounts(block: VerifiedBlock, rules: ChainRules): void {
  if (block.fault) throw block.fault
  checkReward(block, rules)
}

function checkReward(
  { block: { index }, reward, transactions, rewardRecipientValid }: VerifiedBlock,
  rules: ChainRules,
) {
  const refuse = (fault: string) => new RuleError('block.reward', fault, { index })
  if (!rewardRecipientValid) throw refuse("The reward's recipient is no address.")
  if (reward.nonce !== index) throw refuse(`The reward's nonce is ${reward.nonce}, and the block's index ${index}.`)
  const due = transactions.reduce((sum, { fee }) => sum + BigInt(fee), BigInt(rules.miningReward))
  if (BigInt(reward.amount) !== due) throw refuse(`The reward is ${reward.amount}, and ${due} is due.`)
  if (exceedsSupply(index, rules)) throw refuse(`This reward would take the supply past ${MAX_AMOUNT}.`)
}

/**
 * An account in the midst of a block. The reward is credited before the fees that pay for it, so until the block's end
 * there may be more coins than 2^53-1, and a balance that is no exact number.
 */
interface ScratchAccount<A extends Account = Account> {
  readonly before: A | undefined
  balance: bigint
  nonce: number
}

/** Copies of the accounts that a block has to do with. */
class Scratch<A extends Account> {
  private readonly read: AccountReader<A>
  private readonly touched = new Map<Address, ScratchAccount<A>>()

  constructor(read: AccountReader<A>) {
    this.read = read
  }

  touch(address: Address): ScratchAccount<A> {
    const touched = this.touched.get(address)
    if (touched) return touched
    const before = this.read(address)
    const { balance, nonce } = before ?? NO_ACCOUNT
    const account = { before, balance: BigInt(balance), nonce }
    this.touched.set(address, account)
    return account
  }

  result(): AppliedBlock<A> {
    const changes = new Map<Address, Account | undefined>()
    const undo = new Map<Address, A | undefined>()
    for (const [address, account] of this.touched) {
      changes.set(address, settled(account))
      undo.set(address, account.before)
    }
    return { changes, undo }
  }
}

/** With the reward checked, all coins together are at most 2^53-1 again. */
function settled({ balance, nonce }: ScratchAccount): Account | undefined {
  return balance === 0n && nonce === 0 ? undefined : { balance: Number(balance) as Amount, nonce }
}
