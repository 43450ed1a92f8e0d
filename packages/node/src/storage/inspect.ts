/**
 * Looks whether everything that follows from the main chain is stored, and is right. It asks for each record as a
 * reader would, by its key: so it also notices what LevelDB can't find any more. Each look yields now and then, for
 * whoever has something better to do, and may be left there.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Address,
  type Block,
  type ChainRules,
  type Hash,
  headerOf,
  headerOfEntry,
  type ParsedBlock,
  type Reward,
  supplyAt,
  type Transaction,
  transactionId,
} from '@bc/core'
import { DamageError } from '../errors.ts'
import type { ChainStore } from './chain-store.ts'
import type { Snapshot } from './database.ts'
import type { StoredAccount, StoredChanges, StoredEntry } from './records.ts'

/** Which chain it should be. */
export interface ChainIdentity {
  readonly id: Hash
  readonly rules: ChainRules
}

/** Records that are asked for at once, and blocks with all that follows from them. */
const PAGE = 500
const BLOCKS = 16

/**
 * The main chain, newest block first: hashes, links, undo records, the transactions' index, histories and nonces. It
 * may grow, or become another one, meanwhile: each few blocks are looked at as they are at that moment.
 * @param first the oldest one to look at
 * @throws DamageError
 */
export async function* inspectBlocks(store: ChainStore, { id }: ChainIdentity, first = 1): AsyncGenerator<void> {
  for (let last = Number.POSITIVE_INFINITY; last >= first; last -= BLOCKS) {
    last = await store.reading(async (snapshot) => {
      const head = await store.headEntry(snapshot)
      const to = Math.min(last, head.index)
      // A reorganisation may have shortened the chain.
      if (to < first) return to
      const blocks = await mainBlocks(store, Math.max(first, to - BLOCKS + 1), to, snapshot)
      await inspectTransactions(store, id, blocks, snapshot)
      await inspectHolders(store, blocks, snapshot)
      return to
    })
    yield
  }
}

/** All but the genesis block, which is looked at as well. */
async function mainBlocks(store: ChainStore, from: number, to: number, snapshot: Snapshot): Promise<ParsedBlock[]> {
  const hashes = await store.mainHashes(Math.max(1, from - 1), to, snapshot)
  const entries = await store.knownEntries(hashes, snapshot)
  for (const [i, { index }] of entries.entries()) {
    const expected = to - entries.length + 1 + i
    if (index !== expected) throw damaged(expected, `its entry says ${index}`)
  }
  if (from === 1) await store.blockText(1, hashes[0] as Hash, snapshot)
  const children = entries.slice(1) as StoredEntry[]
  const blocks = await store.blocks(children, snapshot)
  for (const [i, { block }] of blocks.entries()) {
    if (block.previous_hash !== hashes[i]) throw damaged(block.index, 'the block before is another one')
    if (!isHeaderOf(block, children[i] as StoredEntry)) throw damaged(block.index, 'its entry has another header')
  }
  return blocks
}

function isHeaderOf(block: Block, entry: StoredEntry): boolean {
  return isDeepStrictEqual(headerOf(block), headerOfEntry(entry))
}

async function inspectTransactions(
  store: ChainStore,
  chain: Hash,
  blocks: readonly ParsedBlock[],
  snapshot: Snapshot,
): Promise<void> {
  const stood = blocks.flatMap(({ block }) =>
    (block.transactions as unknown as [Reward, ...Transaction[]]).map((transaction, position) => ({
      index: block.index,
      position,
      id: transactionId(transaction, chain),
    })),
  )
  const places = await store.transactionPlaces(
    stood.map(({ id }) => id),
    snapshot,
  )
  for (const [i, { id, index, position }] of stood.entries())
    if (places[i]?.index !== index || places[i].position !== position)
      throw damaged(index, `transaction ${id} is not found by its id`)
}

/** Every account that the blocks have to do with, read once. */
async function inspectHolders(store: ChainStore, blocks: readonly ParsedBlock[], snapshot: Snapshot): Promise<void> {
  const undos = await store.undos(blocks, snapshot)
  const accounts = await store.accounts([...new Set(undos.flatMap((undo) => [...undo.keys()]))], snapshot)
  inspectNonces(blocks, accounts)
  inspectHistories(blocks, undos, accounts)
}

type Accounts = ReadonlyMap<Address, StoredAccount>

function inspectNonces(blocks: readonly ParsedBlock[], accounts: Accounts): void {
  for (const { block } of blocks)
    for (const { sender, nonce } of block.transactions.slice(1) as unknown as Transaction[])
      if ((accounts.get(sender)?.nonce ?? 0) <= nonce)
        throw damaged(block.index, `${sender} is older than its own transaction`)
}

/** An account knows its newest block, and that leads to the one before, as far as both are looked at together. */
function inspectHistories(blocks: readonly ParsedBlock[], undos: readonly StoredChanges[], accounts: Accounts): void {
  const next = new Map<Address, number>()
  for (const [i, { block }] of [...blocks.entries()].reverse())
    for (const [address, before] of undos[i] as StoredChanges) {
      const { index } = block
      const led = next.get(address)
      const reached = led === undefined ? (accounts.get(address)?.latest ?? 0) >= index : led === index
      if (!reached) throw damaged(index, `it is not in the history of ${address}`)
      next.set(address, before?.latest ?? 0)
    }
}

function damaged(index: number, fault: string): DamageError {
  return new DamageError(`block ${index}: ${fault}`)
}

/**
 * All accounts together hold exactly the coins that were ever made, and each is found by its address. An older state of
 * an account shows: in its nonce if it has sent since (above), otherwise it has received since, and coins are missing.
 * @throws DamageError
 */
export async function* inspectAccounts(store: ChainStore, { rules }: ChainIdentity): AsyncGenerator<void> {
  const snapshot = store.snapshot()
  try {
    const { index } = await store.headEntry(snapshot)
    let supply = 0n
    for await (const page of pages(store.allAccounts(snapshot))) {
      const addresses = page.map(([address]) => address)
      const found = await store.accounts(addresses, snapshot)
      const lost = addresses.find((address) => !found.has(address))
      if (lost) throw new DamageError(`the account ${lost} is there, but not found by its address`)
      for (const [, { balance }] of page) supply += BigInt(balance)
      yield
    }
    const due = supplyAt(index, rules)
    if (supply !== due) throw new DamageError(`the accounts hold ${supply} coins, and ${due} were made`)
  } finally {
    await snapshot.close()
  }
}

/**
 * Every block, also beside the main chain, is stored with its entry, and each is found by its hash.
 * @throws DamageError
 */
export async function* inspectTree(store: ChainStore): AsyncGenerator<void> {
  for await (const page of pages(store.allBlocks())) {
    const entries = await store.entries(page.map(({ hash }) => hash))
    for (const [i, { index, hash }] of page.entries())
      if (entries[i]?.index !== index)
        throw new DamageError(`block ${index} ${hash} is there, but not found by its hash`)
    yield
  }
  for await (const page of pages(store.allEntries())) {
    const lost = (await store.haveBlocks(page)).indexOf(false)
    if (lost >= 0) throw new DamageError(`block ${page[lost]?.index} ${page[lost]?.hash} is missing`)
    yield
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
