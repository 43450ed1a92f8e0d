/** What must hold when all is over: one tip, one state, every coin accounted for, and nothing lost that was promised. */
import { type Account, type Address, NO_ACCOUNT, type PoolEntry } from '@bc/core'
import { inspectAccounts, inspectBlocks, inspectTree } from '@bc/node/parts'
import { type Session, type SimulatedNode, short } from './node.ts'
import type { Accepted } from './payments.ts'
import type { World } from './world.ts'

/** Nodes whose whole store is inspected, record by record; of the others the newest blocks. */
const INSPECTED_WHOLE = 2
const NEWEST = 20

/**
 * @param rich who can pay for whatever they send, on every branch: none of theirs may be dropped
 * @returns what doesn't hold; nothing where all is well
 */
export async function findFaults(world: World, rich: readonly Address[]): Promise<string[]> {
  const faults: string[] = []
  const check = async (who: string, look: () => Promise<void> | void) => {
    try {
      await look()
    } catch (error) {
      faults.push(`${who}: ${(error as Error).message}`)
    }
  }
  const [first, ...others] = world.nodes
  if (first === undefined) return faults
  for (const node of others) await check(node.name, () => compareWith(node, first))
  for (const [i, node] of world.nodes.entries()) {
    await check(node.name, () => inspect(node, i < INSPECTED_WHOLE))
    await check(node.name, () => checkPool(sessionOf(node)))
  }
  for (const promise of world.payments.accepted)
    if (rich.includes(promise.transaction.sender)) await check(promise.node.name, () => checkKept(promise))
  return faults
}

class Broken extends Error {}

function sessionOf({ running }: SimulatedNode): Session {
  if (running === undefined) throw new Broken('it is down')
  return running
}

/** One tip, and the accounts byte for byte. */
async function compareWith(node: SimulatedNode, other: SimulatedNode): Promise<void> {
  const [ours, theirs] = [sessionOf(node), sessionOf(other)]
  const tip = ({ chain: { head } }: Session) => `${head.index} ${short(head.hash)}`
  if (ours.chain.head.hash !== theirs.chain.head.hash)
    throw new Broken(`its tip is ${tip(ours)}, and that of ${other.name} ${tip(theirs)}`)
  if ((await accountsOf(ours)) !== (await accountsOf(theirs)))
    throw new Broken(`its accounts aren't those of ${other.name}, on one tip`)
}

async function accountsOf({ store }: Session): Promise<string> {
  const lines: string[] = []
  for await (const [address, { balance, nonce }] of store.allAccounts()) lines.push(`${address} ${balance} ${nonce}\n`)
  return lines.join('')
}

/** The node's own inspection: the supply, and all that must follow from the chain. */
async function inspect(node: SimulatedNode, whole: boolean): Promise<void> {
  const { store, chain } = sessionOf(node)
  if ((await store.head()) !== chain.head.hash) throw new Broken('its disk has another head than it says')
  const first = whole ? 1 : Math.max(1, chain.head.index - NEWEST)
  for await (const _ of inspectAccounts(store, chain));
  for await (const _ of inspectBlocks(store, chain, first));
  if (whole) for await (const _ of inspectTree(store));
}

/** It rests on the ledger, could be mined in its order, and is on the disk as it is in memory. */
async function checkPool({ store, admission: { pool } }: Session): Promise<void> {
  const entries = [...pool.list()]
  const senders = new Set(entries.map(({ transaction }) => transaction.sender))
  const accounts = await store.accounts([...senders])
  for (const { id } of entries)
    if (await store.transactionPlace(id)) throw new Broken(`transaction ${short(id)} waits, and is confirmed`)
  for (const sender of senders)
    checkQueue(
      entries.filter(({ transaction }) => transaction.sender === sender),
      accounts.get(sender) ?? NO_ACCOUNT,
    )
  checkOrder(pool.select(Number.MAX_SAFE_INTEGER), accounts)
  const stored: string[] = []
  for await (const { transaction } of store.pool()) stored.push(signatureOf(transaction))
  const held = entries.map(({ transaction }) => signatureOf(transaction))
  if (stored.sort().join() !== held.sort().join())
    throw new Broken(`${entries.length} transactions wait, and ${stored.length} on its disk`)
}

function signatureOf(transaction: unknown): string {
  return String((transaction as { signature: unknown }).signature)
}

function checkQueue(entries: readonly PoolEntry[], { balance, nonce }: Account): void {
  const cost = entries.reduce((sum, { transaction }) => sum + transaction.amount + transaction.fee, 0)
  if (cost > balance) throw new Broken(`transactions for ${cost} wait on a balance of ${balance}`)
  const nonces = entries.map(({ transaction }) => transaction.nonce)
  if (nonces.some((one) => one < nonce)) throw new Broken(`a transaction waits whose nonce is below ${nonce}`)
  if (new Set(nonces).size < nonces.length) throw new Broken('two transactions of one nonce wait')
}

/** What a miner would take: each sender's nonces without a gap. */
function checkOrder(chosen: readonly PoolEntry[], accounts: ReadonlyMap<Address, Account>): void {
  const next = new Map<Address, number>()
  for (const { transaction } of chosen) {
    const { sender, nonce } = transaction
    const due = next.get(sender) ?? (accounts.get(sender) ?? NO_ACCOUNT).nonce
    if (nonce !== due) throw new Broken(`nonce ${nonce} would be mined where ${due} is due`)
    next.set(sender, due + 1)
  }
}

/** Whatever a node has taken is confirmed, or waits, or another one of that nonce has taken its place. */
async function checkKept({ node, id, transaction }: Accepted): Promise<void> {
  const { store, admission } = sessionOf(node)
  const { sender, nonce } = transaction
  if (nonce < (await store.account(sender)).nonce) return
  for (const entry of admission.pool.list())
    if (entry.transaction.sender === sender && entry.transaction.nonce === nonce) return
  throw new Broken(`it has taken the transaction ${short(id)} (${short(sender)}, nonce ${nonce}), and lost it`)
}
