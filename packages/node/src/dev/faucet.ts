import {
  type Address,
  type Amount,
  type Hash,
  type PoolEntry,
  type RuleCode,
  RuleError,
  type Transaction,
} from '@bc/core'
import { signTransaction } from '@bc/wallet'
import type { Admission } from '../pool/admission.ts'
import { readSubmission } from '../pool/submission.ts'
import { Serial } from '../serial.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { DevAccount } from './keys.ts'

export interface FaucetModules {
  readonly store: ChainStore
  readonly admission: Admission
  /** The chain's id. */
  readonly chain: Hash
}

/** A payment of the faucet's, and the block that it is in. */
export interface Funded {
  readonly id: Hash
  readonly transaction: Transaction
  readonly index: number
  readonly hash: Hash
}

/** What is said of a nonce that a block or the pool has already. */
const IS_SPENT: readonly RuleCode[] = ['tx.nonce', 'pool.known', 'pool.replacement']
const MOST_TRIES = 10

/** Pays whoever asks, from an account of its own, by transactions like everybody's. */
export class Faucet {
  private readonly account: DevAccount
  private readonly modules: FaucetModules
  /** Two payments at once would want the same nonce. */
  private readonly turns = new Serial()

  constructor(account: DevAccount, modules: FaucetModules) {
    this.account = account
    this.modules = modules
  }

  get address(): Address {
    return this.account.address
  }

  /** Runs a task while no payment is under way: it may put back the chain from which a payment has its nonce. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.turns.run(task)
  }

  /** @throws RuleError of the transaction: `tx.address` or, once the faucet has run dry, `tx.balance` */
  pay(recipient: Address, amount: Amount): Promise<Funded> {
    return this.turns.run(async () => {
      const { id, transaction } = await this.submit(recipient, amount)
      return { id, transaction, ...(await this.placeOf(id)) }
    })
  }

  /** A node of the same seed has the same faucet, whose payment may come to the door first: then the next nonce is free. */
  private async submit(recipient: Address, amount: Amount): Promise<PoolEntry> {
    for (let tries = 1; ; tries++)
      try {
        return await this.modules.admission.submit(readSubmission(await this.sign(recipient, amount)))
      } catch (error) {
        if (tries === MOST_TRIES || !(error instanceof RuleError && IS_SPENT.includes(error.code))) throw error
      }
  }

  private async sign(recipient: Address, amount: Amount): Promise<Transaction> {
    const { store, admission, chain } = this.modules
    const { address, secret } = this.account
    const nonce = admission.pool.pendingNonce(address, await store.account(address))
    return signTransaction({ amount, fee: 0 as Amount, nonce, recipient, sender: address }, chain, secret)
  }

  /** It was mined before its admission was told. */
  private placeOf(id: Hash): Promise<Pick<Funded, 'index' | 'hash'>> {
    const { store } = this.modules
    return store.reading(async (snapshot) => {
      const place = await store.transactionPlace(id, snapshot)
      if (place === undefined) throw new RuleError('request.not_found', 'Its block is not on the chain any more.')
      return { index: place.index, hash: await store.knownMainHash(place.index, snapshot) }
    })
  }
}
