import type { Account, AccountChanges, Address } from '@bc/core'

/** Finds the stored ones among some accounts. */
export type AccountLoader = (addresses: readonly Address[]) => Promise<ReadonlyMap<Address, Account>>

/** Accounts as they would be: changes over what is stored. Nothing reaches the disk from here. */
export class AccountsOverlay {
  private readonly load: AccountLoader
  private readonly known = new Map<Address, Account | undefined>()
  private readonly changed = new Map<Address, Account | undefined>()

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

  readonly read = (address: Address): Account | undefined => {
    if (!this.known.has(address)) throw new TypeError(`the account ${address} was read before it was prepared`)
    return this.known.get(address)
  }

  write(changes: AccountChanges): void {
    for (const [address, account] of changes) {
      this.known.set(address, account)
      this.changed.set(address, account)
    }
  }

  get changes(): AccountChanges {
    return this.changed
  }
}
