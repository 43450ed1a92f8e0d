import type { Address } from '@bc/core'
import type { StoredAccount, StoredChanges } from '../storage/records.ts'
import type { AccountLoader } from './accounts-overlay.ts'

/** Accounts that are kept: some 10 MB. All are forgotten when there are more. */
const MOST = 20_000

/**
 * Accounts as the disk has them, of those who had to do with the newest blocks: mostly the same will have to do with the
 * next ones. Only for whoever writes the accounts, and tells of it.
 */
export class RecentAccounts {
  private readonly stored: AccountLoader
  private readonly known = new Map<Address, StoredAccount | undefined>()

  constructor(stored: AccountLoader) {
    this.stored = stored
  }

  readonly load: AccountLoader = async (addresses) => {
    const missing = addresses.filter((address) => !this.known.has(address))
    const fresh = missing.length > 0 ? await this.stored(missing) : undefined
    for (const address of missing) this.known.set(address, fresh?.get(address))
    const found = new Map<Address, StoredAccount>()
    for (const address of addresses) {
      const account = this.known.get(address)
      if (account) found.set(address, account)
    }
    this.trim()
    return found
  }

  /** These are on the disk now. */
  written(changes: StoredChanges): void {
    for (const [address, account] of changes) this.known.set(address, account)
    this.trim()
  }

  /** The disk has others now. */
  forget(): void {
    this.known.clear()
  }

  private trim(): void {
    if (this.known.size > MOST) this.known.clear()
  }
}
