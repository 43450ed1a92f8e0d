/** What they pay each other. */
import { type Hash, type Transaction, transactionId } from '@bc/core'
import { signTransaction } from '@bc/wallet'
import type { SimulatedNode } from './node.ts'
import type { Purse } from './purses.ts'
import type { Random } from './random.ts'

export interface Accepted {
  readonly node: SimulatedNode
  readonly id: Hash
  readonly transaction: Transaction
}

/** Shares of transactions that replace a waiting one, and of those that leave a gap before them. */
const REPLACING = 0.1
const EARLY = 0.1

export class Payments {
  /** Whatever a node has promised not to lose. */
  readonly accepted: Accepted[] = []
  private readonly purses: readonly Purse[]
  private readonly chain: Hash
  private readonly random: Random

  constructor(purses: readonly Purse[], chain: Hash, random: Random) {
    this.purses = purses
    this.chain = chain
    this.random = random
  }

  /**
   * Somebody hands a payment in at one node. It may be the second one of that nonce: the other one is in another part of
   * the network, or waits at a lower fee.
   */
  async payAt(node: SimulatedNode): Promise<void> {
    const { random } = this
    const purse = random.pick(this.purses)
    const nonce = await this.nonceFor(purse, node)
    const unsigned = {
      amount: random.whole(1, 20),
      fee: random.whole(0, 9),
      nonce,
      recipient: random.pick(this.purses).address,
      sender: purse.address,
      ...(random.chance(0.1) && { memo: `no. ${random.whole(1, 999)}` }),
    } as const
    const transaction = signTransaction(unsigned as Parameters<typeof signTransaction>[0], this.chain, purse.secret)
    if (!(await node.submit(transaction))) return
    this.accepted.push({ node, id: transactionId(transaction, this.chain), transaction })
  }

  private async nonceFor({ address }: Purse, node: SimulatedNode): Promise<number> {
    if (node.running === undefined) return 0
    const { admission, store } = node.running
    const account = await store.account(address)
    const next = admission.pool.pendingNonce(address, account)
    if (this.random.chance(REPLACING)) return this.random.whole(account.nonce, next)
    return this.random.chance(EARLY) ? next + this.random.whole(1, 3) : next
  }
}
