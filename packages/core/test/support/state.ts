/** The accounts as a plain map: what a node keeps in its database. */
import { type Account, type AccountChanges, type Address, canonicalJson, type JsonValue } from '@bc/core'

export type State = ReadonlyMap<Address, Account>

export function stateOf(changes: AccountChanges): State {
  return afterChanges(new Map(), changes)
}

export function afterChanges(state: State, changes: AccountChanges): State {
  const after = new Map(state)
  for (const [address, account] of changes) {
    if (account) after.set(address, account)
    else after.delete(address)
  }
  return after
}

/** Byte for byte: equal states have equal texts, and no others. */
export function textOf(state: State): string {
  return canonicalJson(Object.fromEntries(state) as unknown as JsonValue)
}

export function totalOf(state: State): bigint {
  return [...state.values()].reduce((sum, { balance }) => sum + BigInt(balance), 0n)
}
