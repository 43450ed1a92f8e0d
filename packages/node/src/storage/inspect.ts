/**
 * Looks whether everything that follows from the main chain is stored, and is right. It asks for each record as a
 * reader would, by its key: so it also notices what LevelDB can't find any more.
 */
import {
  type Address,
  type Block,
  type ChainRules,
  type Hash,
  parseBlock,
  parseJson,
  type Reward,
  readTransactions,
  supplyAt,
  type Transaction,
  transactionId,
} from '@bc/core'
import { DamageError } from '../errors.ts'
import { type ChainStore, partiesOf } from './chain-store.ts'
import type { Snapshot } from './database.ts'
import { place } from './layout.ts'

const ACCOUNTS_A_TIME = 500

/**
 * One block of the main chain: its hash, its link, its undo record, its transactions' index, histories and nonces.
 * @throws DamageError
 */
export async function inspectBlock(store: ChainStore, chain: Hash, index: number): Promise<void> {
  const damaged = (fault: string) => new DamageError(`block ${index}: ${fault}`)
  const [hash] = (await store.mainHashes(index, index)) as [Hash]
  const entry = await store.knownEntry(hash)
  if (entry.index !== index) throw damaged(`its entry says ${entry.index}`)
  if (index === 1) return void (await store.blockText(index, hash))
  const parsed = parseBlock(parseJson(await store.blockText(index, hash)))
  if (parsed.hash !== hash) throw damaged(`its hash is ${parsed.hash}, not ${hash}`)
  const [parent] = await store.mainHashes(index - 1, index - 1)
  if (parsed.block.previous_hash !== parent) throw damaged('the block before is another one')
  await store.undo(index)
  await inspectTransactions(store, chain, index, parsed.block)
}

async function inspectTransactions(store: ChainStore, chain: Hash, index: number, block: Block): Promise<void> {
  const { transactions } = block
  const reward = transactions[0] as unknown as Reward
  const ids = [transactionId(reward, chain), ...readTransactions(transactions, chain).parsed.map(({ id }) => id)]
  for (const [position, id] of ids.entries()) {
    const found = await store.transactionPlace(id)
    if (found?.index !== index || found.position !== position)
      throw new DamageError(`block ${index}: transaction ${id} is not found by its id`)
    for (const address of partiesOf(block, position))
      if ((await store.historyId(address, place(index, position))) !== id)
        throw new DamageError(`block ${index}: transaction ${id} is not in the history of ${address}`)
    const { sender, nonce } = transactions[position] as unknown as Transaction
    if (position > 0 && (await store.account(sender)).nonce <= nonce)
      throw new DamageError(`block ${index}: the account ${sender} is older than its own transaction`)
  }
}

/**
 * All accounts together hold exactly the coins that were ever made, and each is found by its address.
 * @throws DamageError
 */
export async function inspectAccounts(store: ChainStore, rules: ChainRules): Promise<void> {
  const snapshot = store.snapshot()
  try {
    const head = await store.knownEntry((await store.head(snapshot)) as Hash)
    let supply = 0n
    const addresses: Address[] = []
    for await (const [address, { balance }] of store.allAccounts(snapshot)) {
      supply += BigInt(balance)
      addresses.push(address)
      if (addresses.length < ACCOUNTS_A_TIME) continue
      await inspectFound(store, addresses.splice(0), snapshot)
    }
    await inspectFound(store, addresses, snapshot)
    const due = supplyAt(head.index, rules)
    if (supply !== due) throw new DamageError(`the accounts hold ${supply} coins, and ${due} were made`)
  } finally {
    await snapshot.close()
  }
}

async function inspectFound(store: ChainStore, addresses: readonly Address[], snapshot: Snapshot): Promise<void> {
  const found = await store.accounts(addresses, snapshot)
  const lost = addresses.find((address) => !found.has(address))
  if (lost) throw new DamageError(`the account ${lost} is there, but not found by its address`)
}
