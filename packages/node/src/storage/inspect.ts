/**
 * Looks whether everything that follows from the main chain is stored, and is right. It asks for each record as a
 * reader would, by its key: so it also notices what LevelDB can't find any more.
 */
import {
  type Block,
  type ChainRules,
  type Hash,
  type Reward,
  supplyAt,
  type Transaction,
  transactionId,
} from '@bc/core'
import { DamageError } from '../errors.ts'
import { type ChainStore, partiesOf } from './chain-store.ts'
import { place } from './layout.ts'

/** Which chain it should be. */
export interface ChainIdentity {
  readonly id: Hash
  readonly rules: ChainRules
}

/** Records that are asked for at once. */
const PAGE = 500

/**
 * One block of the main chain: its hash, its link, its undo record, its transactions' index, histories and nonces.
 * @throws DamageError
 */
export async function inspectBlock(store: ChainStore, { id }: ChainIdentity, index: number): Promise<void> {
  const damaged = (fault: string) => new DamageError(`block ${index}: ${fault}`)
  const [hash] = (await store.mainHashes(index, index)) as [Hash]
  const entry = await store.knownEntry(hash)
  if (entry.index !== index) throw damaged(`its entry says ${entry.index}`)
  if (index === 1) return void (await store.blockText(index, hash))
  const { block } = await store.block(entry)
  const [parent] = await store.mainHashes(index - 1, index - 1)
  if (block.previous_hash !== parent) throw damaged('the block before is another one')
  await store.undo(entry, block)
  await inspectTransactions(store, id, index, block)
}

async function inspectTransactions(store: ChainStore, chain: Hash, index: number, block: Block): Promise<void> {
  const damaged = (fault: string) => new DamageError(`block ${index}: ${fault}`)
  const transactions = block.transactions as unknown as [Reward, ...Transaction[]]
  const ids = transactions.map((transaction) => transactionId(transaction, chain))
  const places = await store.transactionPlaces(ids)
  for (const [position, id] of ids.entries())
    if (places[position]?.index !== index || places[position].position !== position)
      throw damaged(`transaction ${id} is not found by its id`)
  const mentions = ids.flatMap((_, position) =>
    [...partiesOf(block, position)].map((address) => ({ address, at: place(index, position) })),
  )
  const lost = (await store.inHistories(mentions)).indexOf(false)
  if (lost >= 0) throw damaged(`its transactions are not in the history of ${mentions[lost]?.address}`)
  const [, ...payments] = transactions
  const accounts = await store.accounts(payments.map(({ sender }) => sender))
  for (const { sender, nonce } of payments)
    if ((accounts.get(sender)?.nonce ?? 0) <= nonce) throw damaged(`${sender} is older than its own transaction`)
}

/**
 * All accounts together hold exactly the coins that were ever made, and each is found by its address. An older state of
 * an account shows: in its nonce if it has sent since (above), otherwise it has received since, and coins are missing.
 * @throws DamageError
 */
export async function inspectAccounts(store: ChainStore, { rules }: ChainIdentity, signal: AbortSignal): Promise<void> {
  await store.reading(async (snapshot) => {
    const { index } = await store.knownEntry(await store.head(snapshot))
    let supply = 0n
    for await (const page of pages(store.allAccounts(snapshot))) {
      if (signal.aborted) return
      const addresses = page.map(([address]) => address)
      const found = await store.accounts(addresses, snapshot)
      const lost = addresses.find((address) => !found.has(address))
      if (lost) throw new DamageError(`the account ${lost} is there, but not found by its address`)
      for (const [, { balance }] of page) supply += BigInt(balance)
    }
    const due = supplyAt(index, rules)
    if (supply !== due) throw new DamageError(`the accounts hold ${supply} coins, and ${due} were made`)
  })
}

/**
 * Every block, also beside the main chain, is stored with its entry, and each is found by its hash.
 * @throws DamageError
 */
export async function inspectTree(store: ChainStore, signal: AbortSignal): Promise<void> {
  for await (const page of pages(store.allBlocks())) {
    if (signal.aborted) return
    const entries = await store.entries(page.map(({ hash }) => hash))
    for (const [i, { index, hash }] of page.entries())
      if (entries[i]?.index !== index)
        throw new DamageError(`block ${index} ${hash} is there, but not found by its hash`)
  }
  for await (const page of pages(store.allEntries())) {
    if (signal.aborted) return
    const lost = (await store.haveBlocks(page)).indexOf(false)
    if (lost >= 0) throw new DamageError(`block ${page[lost]?.index} ${page[lost]?.hash} is missing`)
  }
}

async function* pages<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let page: T[] = []
  for await (const item of items) {
    page.push(item)
    if (page.length < PAGE) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
