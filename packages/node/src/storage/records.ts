/** How the records of the database are spelled and read: one kind after the other, and what a block brings with it. */
import {
  type Account,
  type AccountChanges,
  type Address,
  type Block,
  type BlockEntry,
  canonicalJson,
  type Hash,
  type ParsedBlock,
  type PoolEntry,
  parseHash,
  type RuleCode,
  readBlock,
  type Transaction,
} from '@bc/core'
import { DamageError, StartError } from '../errors.ts'
import type { Batch } from './database.ts'
import { key, place } from './layout.ts'

/** The layout's number: a database of another one is refused instead of misread. */
const FORMAT = 4

/** Whose chain a database holds, and how. */
export interface Meta {
  readonly chain: string
  readonly format: number
}

/** @returns why a node of this chain can't use the database; undefined where it can */
export function strangeness({ chain, format }: Meta, ours: Hash): StartError | undefined {
  if (format !== FORMAT)
    return new StartError(
      `The data has the format ${format}, and this version reads format ${FORMAT}: bc export the chain from the version that wrote it, and bc import it into a new directory.`,
    )
  if (chain === ours) return undefined
  return new StartError(
    `The data belongs to the chain ${chain}, and the configuration describes ${ours}: use another directory, or the configuration that the data was made with.`,
  )
}

/** A block's place in the tree, and the code of the rule by which the ledger refused it. */
export interface StoredEntry extends BlockEntry {
  readonly refused: RuleCode | undefined
}

/** An account, and where its history begins. */
export interface StoredAccount extends Account {
  /** Index of the newest block of the main chain that pays it or that it pays in; 0 where none does. */
  readonly latest: number
}

/** New values of stored accounts; undefined where a record is to be deleted. */
export type StoredChanges = AccountChanges<StoredAccount>

/** A block of the main chain as it is written: its accounts before and its transactions' ids. */
export interface ConnectedBlock {
  readonly entry: BlockEntry
  readonly parsed: ParsedBlock
  readonly undo: StoredChanges
  /** Of all transactions, the reward's first. */
  readonly ids: readonly Hash[]
}

/** Where a block stands in the database. */
export interface BlockPlace {
  readonly index: number
  readonly hash: Hash
}

/** A block of the main chain as it was read. */
export type StoredBlock = Pick<ParsedBlock, 'hash' | 'block'>

/** Where a confirmed transaction stands. */
export interface TransactionPlace {
  readonly index: number
  readonly position: number
}

/** @param at a key that {@link key.block} has made, unless it was damaged */
export function blockPlaceOf(at: string): BlockPlace {
  const [, index = '', hash = ''] = at.split('/')
  return { index: Number(index), hash: hash as Hash }
}

export function putBlock(batch: Batch, entry: BlockEntry, parsed: ParsedBlock): void {
  batch.set(key.block(entry.index, entry.hash), parsed.canonical)
  batch.set(key.entry(entry.hash), encodeEntry({ ...entry, refused: undefined }))
}

/** The records that only blocks of the main chain have. */
export function putIndexes(batch: Batch, { entry, undo, ids }: ConnectedBlock, connect: boolean): void {
  const { index, hash } = entry
  const put = (at: string, value: string) => batch.set(at, connect ? value : undefined)
  put(key.main(index), hash)
  put(key.undo(index), encodeUndo(hash, undo))
  for (const [position, id] of ids.entries()) put(key.transaction(id), `[${index},${position}]`)
}

/**
 * With the head that abandons a block, in one batch: were its transactions in the pool's next one only, a crash between
 * the two would lose them.
 */
export function putReturning(batch: Batch, { entry, parsed }: ConnectedBlock, returning: boolean): void {
  for (const [position, transaction] of parsed.block.transactions.entries())
    if (position > 0)
      batch.set(key.returning(place(entry.index, position)), returning ? canonicalJson({ transaction }) : undefined)
}

export function putWaiting(batch: Batch, { order, transaction, arrivedAt }: PoolEntry): void {
  batch.set(key.pool(order), canonicalJson({ arrivedAt, transaction }))
}

/** Whose history a transaction of a block belongs to; twice where somebody has paid himself. */
export function partiesOf({ transactions }: Pick<Block, 'transactions'>, position: number): Address[] {
  const { sender, recipient } = transactions[position] as unknown as Transaction
  return position === 0 ? [recipient] : [sender, recipient]
}

/** Every account that a block of the main chain has to do with, in the order of its transactions. */
function holdersOf(block: Block): Address[] {
  const holders = new Set<Address>()
  for (const position of block.transactions.keys())
    for (const address of partiesOf(block, position)) holders.add(address)
  return [...holders]
}

export function putAccounts(batch: Batch, accounts: StoredChanges): void {
  for (const [address, account] of accounts) batch.set(key.account(address), account && encodeAccount(account))
}

type AccountParts = readonly [balance: Account['balance'], nonce: number, latest: number]

/** By hand, as there are several in each transaction: JSON.stringify takes five times as long for three numbers. */
function encodeAccount({ balance, nonce, latest }: StoredAccount): string {
  return `[${balance},${nonce},${latest}]`
}

function accountOf([balance, nonce, latest]: AccountParts): StoredAccount {
  return { balance, nonce, latest }
}

export function encodeMeta(chain: Hash): string {
  return JSON.stringify({ chain, format: FORMAT })
}

export function decodeMeta(value: Buffer): Meta {
  return JSON.parse(value.toString())
}

export function decodeAccount(value: Buffer): StoredAccount {
  return accountOf(JSON.parse(value.toString()))
}

export function decodePlace(value: Buffer): TransactionPlace {
  const [index, position] = JSON.parse(value.toString()) as [number, number]
  return { index, position }
}

/** @throws DamageError where the text is not that block's */
export function blockOf({ index, hash }: BlockPlace, text: Buffer): ParsedBlock {
  const parsed = readBlock(text.toString('latin1'))
  if (parsed.hash !== hash) throw new DamageError(`block ${index} has the hash ${parsed.hash}, not ${hash}`)
  return parsed
}

/** @throws DamageError where the record is missing or isn't that block's */
export function undoOf({ hash, block }: StoredBlock, value: Buffer | undefined): StoredChanges {
  const { index } = block
  const { block: of, before } = decodeUndo(present(value, `the undo record of block ${index}`))
  // Each branch that passes this index writes its own: one that LevelDB has dug up again would undo to anything.
  if (of !== hash) throw new DamageError(`the undo record of block ${index} is that of ${of}, not of ${hash}`)
  const addresses = holdersOf(block)
  if (addresses.length !== before.length)
    throw new DamageError(`the undo record of block ${index} is of other accounts`)
  return new Map(addresses.map((address, i) => [address, before[i]]))
}

/** @param undo in the order of {@link holdersOf}, which is the ledger's: the block says whose the accounts are */
function encodeUndo(block: Hash, undo: StoredChanges): string {
  const before: string[] = []
  for (const account of undo.values()) before.push(account ? encodeAccount(account) : 'null')
  return `{"block":"${block}","before":[${before.join()}]}`
}

function decodeUndo(value: Buffer): { block: string; before: (StoredAccount | undefined)[] } {
  const { block, before } = JSON.parse(value.toString()) as { block: string; before: (AccountParts | null)[] }
  return { block, before: before.map((parts) => (parts ? accountOf(parts) : undefined)) }
}

export function encodeEntry({ totalWork, hash: _, ...rest }: StoredEntry): string {
  return JSON.stringify({ ...rest, totalWork: totalWork.toString(16) })
}

export function decodeEntry(hash: Hash, value: Buffer): StoredEntry {
  const { totalWork, ...rest } = JSON.parse(value.toString())
  return { refused: undefined, solveTime: undefined, ...rest, hash, totalWork: BigInt(`0x${totalWork}`) }
}

export function known(hash: Hash, entry: StoredEntry | undefined): StoredEntry {
  return present(entry, `the entry of block ${hash}`)
}

export function readHash(value: Buffer): Hash {
  return present(parseHash(value.toString()), 'a hash')
}

/** @throws DamageError where something is missing that was certainly written */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new DamageError(`${what} is missing`)
  return value
}
