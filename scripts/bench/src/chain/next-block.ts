/** Blocks of the chains that are measured: at the difficulty 0 every nonce will do. */
import {
  type Address,
  type BlockEntry,
  blockTemplate,
  type ChainRules,
  entryAfter,
  type Hash,
  type JsonValue,
  type ParsedBlock,
  type PoolEntry,
  parseBlock,
  sealBlock,
} from '@bc/core'
import { type Holder, type Payment, pay } from './holders.ts'

/** A second after its parent. */
export function nextBlock(
  parent: BlockEntry,
  rules: ChainRules,
  miner: Address,
  payments: readonly Pick<Payment, 'transaction'>[] = [],
): { readonly parsed: ParsedBlock; readonly entry: BlockEntry } {
  // Of what waits in a pool a template asks for the transaction alone.
  const select = () => payments as unknown as PoolEntry[]
  const template = blockTemplate({ parent, rules, miner, now: parent.timestamp + 1, select })
  const parsed = parseBlock(sealBlock(template, 0n) as unknown as JsonValue)
  return { parsed, entry: entryAfter(parent, parsed.block, parsed.hash) }
}

/**
 * What is paid in one block: senders and recipients take turns, and meet again late.
 * @param block how many came before it, of as many payments each
 */
export function paymentsOf(holders: readonly Holder[], block: number, perBlock: number, chain: Hash): Payment[] {
  const turn = (i: number) => holders[i % holders.length] as Holder
  return Array.from({ length: perBlock }, (_, i) => {
    const count = block * perBlock + i
    return pay(turn(count * 7), turn(count * 11 + 5).address, chain)
  })
}
