/** A receipt from a node: its proof of the transaction, and its headers. */
import { type Hash, type JsonObject, type Proof, parseHash, RuleError } from '@bc/core'
import type { HeadersAnswer, TransactionProofAnswer } from '@bc/node'
import { bestVerifier } from '@bc/wallet'
import { connect, type NodeClient } from '../client/client.ts'
import type { Endpoint } from '../client/http.ts'
import { HeldItems } from '../client/pages.ts'
import { CliError, isNotFound, Refusal } from '../failure.ts'
import { checkReceipt, type Receipt } from './receipt.ts'

export interface ProveOptions {
  /** Headers from the block on, its own included; undefined: all there are. */
  readonly confirmations?: number
  /** From genesis on. */
  readonly full?: true
}

const PAGE = 1000
/** A chain may be changed over while it is asked for, and then again. */
const TRIES = 3

/**
 * Never one that wouldn't be accepted.
 * @throws Refusal `request.not_found` where the transaction isn't confirmed, or not often enough
 */
export async function fetchReceipt(id: Hash, options: ProveOptions, endpoint: Endpoint): Promise<Receipt> {
  for (let tries = TRIES; ; tries--) {
    const receipt = await assemble(id, options, endpoint)
    try {
      checkReceipt(receipt, bestVerifier())
      return receipt
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      if (tries > 1) continue
      const reason = `a receipt that breaks ${error.code}: ${error.message}`
      throw new CliError('cli.answer', `${endpoint.node.origin} gives ${reason}`)
    }
  }
}

async function assemble(id: Hash, { confirmations, full }: ProveOptions, endpoint: Endpoint): Promise<Receipt> {
  const node = connect(endpoint)
  const proof = await proofOf(id, node)
  const { index } = proof.header
  // After the proof, so that its block is among them. What is mined from here on is left out: headers have an end.
  const { chain, height } = await node.status()
  const last = confirmations === undefined ? height : index + confirmations - 1
  // With the block before the first of them, for its proof.
  const all = await headersOf(full ? 1 : index - 1, Math.min(last, height), endpoint)
  const [before, ...others] = all
  const newest = Number(all.at(-1)?.index)
  if (confirmations !== undefined && newest < last) throw tooFew(newest - index + 1, confirmations)
  return {
    receipt: 1,
    chain: parseHash(chain) as Hash,
    id,
    transaction: proof.transaction,
    branch: proof.branch as unknown as Receipt['branch'],
    index,
    ...(full ? { headers: all } : { headers: others, previous_proof: before?.proof as Proof }),
  }
}

async function proofOf(id: Hash, node: NodeClient): Promise<TransactionProofAnswer> {
  try {
    return await node.proof(id)
  } catch (error) {
    if (isNotFound(error) && (await isWaiting(id, node)))
      throw new Refusal(error.code, 'the transaction waits in the pool: there is a proof once a block holds it.')
    throw error
  }
}

async function isWaiting(id: Hash, node: NodeClient): Promise<boolean> {
  try {
    return (await node.transaction(id)).status === 'pending'
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

function tooFew(there: number, wanted: number): Refusal {
  return new Refusal('request.not_found', `there are ${there} confirmations so far, not ${wanted}.`)
}

/** @param last index of the last one, where the chain is as long */
async function headersOf(from: number, last: number, endpoint: Endpoint): Promise<JsonObject[]> {
  const more = `${endpoint.node.origin} has more headers than a receipt may hold: without --full it takes fewer.`
  const headers = new HeldItems<JsonObject>(more)
  const node = connect(endpoint)
  for (let next: number | null = from; next !== null && next <= last; ) {
    const page: HeadersAnswer = await node.headers(next, Math.min(PAGE, last - next + 1))
    // What a node says of a block's hash can't be checked by a header: the next one names it.
    headers.add(page.headers.map(({ hash: _, ...header }) => header))
    next = page.next
  }
  return headers.items
}
