import { type AccountChanges, type Address, NO_ACCOUNT } from '@bc/core'
import type { StoredAccount, StoredChanges } from '../storage/records.ts'

/** Finds the stored ones among some accounts. */
export type AccountLoader = (addresses: readonly Address[]) => Promise<ReadonlyMap<Address, StoredAccount>>

/** Accounts as they would be: changes over what is stored. Nothing reaches the disk from here. */
export class AccountsOverlay {
  private readonly load: AccountLoader
  private readonly known = new Map<Address, StoredAccount | undefined>()
  private readonly changed = new Map<Address, StoredAccount | undefined>()

  constructor(load: AccountLoader) {
    this.load = load
  }

  /** Makes these addresses readable: core reads accounts without waiting. */
  async prepare(addresses: Iterable<Address>): Promise<void> {
    const missing = [...addresses].filter((address) => !this.known.has(address))
    if (missing.length === 0) return
    const stored = await this.load(missing)
    for (const address of missing) this.known.set(address, stored.get(address))
  }

  readonly read = (address: Address): StoredAccount | undefined => {
    if (!this.known.has(address)) throw new TypeError(`the account ${address} was read before it was prepared`)
    return this.known.get(address)
  }

  /**
   * What a block has made of the accounts. Also one that still holds nothing is stored from here on, as the block is part
   * of its history: a reward may be of 0.
   */
  connect(index: number, changes: AccountChanges): void {
    for (const [address, { balance, nonce } = NO_ACCOUNT] of changes)
      this.set(address, { balance, nonce, latest: index })
  }

  /** What they were before a block. */
  undo(before: StoredChanges): void {
    for (const [address, account] of before) this.set(address, account)
  }

  get changes(): StoredChanges {
    return this.changed
  }

  private set(address: Address, account: StoredAccount | undefined): void {
    this.known.set(address, account)
    this.changed.set(address, account)
  }
}
