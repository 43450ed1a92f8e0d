/** Waiting for a transaction to be confirmed. */
import type { Hash } from '@bc/core'
import type { FoundTransactionAnswer } from '@bc/node'
import { DROP_REASONS, type DropReason } from '@bc/node/pool-changes'
import { connect, type NodeClient } from '../client/client.ts'
import type { Endpoint } from '../client/http.ts'
import { CliError, isNotFound } from '../failure.ts'
import { note, noteLost } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { follow } from '../watch/follow.ts'
import type { NodeEvent } from '../watch/node-events.ts'

type ConfirmedTransaction = Extract<FoundTransactionAnswer, { status: 'confirmed' }>

export interface Awaited {
  readonly id: Hash
  /** Blocks from its own to the newest, both counted. */
  readonly confirmations: number
  /**
   * The node has said that it has it. One that is away is waited for then: to say that there is none would have a script
   * pay once more.
   */
  readonly isAccepted: boolean
}

const TYPES = ['block', 'transaction', 'reorganisation'] as const

/**
 * @param signal ends it, with its reason as the error
 * @throws CliError `cli.watch` where the node has it no more
 */
export async function confirmed(
  endpoint: Endpoint,
  wanted: Awaited,
  signal: AbortSignal,
): Promise<ConfirmedTransaction> {
  const search = new Search(connect(endpoint), wanted)
  const either = AbortSignal.any([signal, search.signal])
  const options = { types: TYPES, signal: either, isPatient: wanted.isAccepted, onLost: noteLost }
  try {
    return await follow(endpoint, options, (event) => search.look(event))
  } finally {
    search.close()
  }
}

/** What the node had told by the time of its answer is here then. */
const MOMENT_MS = 1_000

class Search {
  private readonly node: NodeClient
  private readonly wanted: Awaited
  /** Whether the node has it, or had it; undefined as long as nobody has asked. */
  private known: boolean | undefined
  private readonly over = new AbortController()
  private timer: NodeJS.Timeout | undefined

  constructor(node: NodeClient, wanted: Awaited) {
    this.node = node
    this.wanted = wanted
    this.known = wanted.isAccepted || undefined
  }

  /** Aborted when the node has it no more. */
  get signal(): AbortSignal {
    return this.over.signal
  }

  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  /** @returns undefined while it isn't confirmed */
  async look({ event, data }: NodeEvent): Promise<ConfirmedTransaction | undefined> {
    const { id, confirmations } = this.wanted
    // Of all that comes and goes in the pool one is ours.
    if (event === 'transaction' && data.id !== id) return undefined
    const found = await this.find()
    if (found === undefined && event === 'transaction' && data.status === 'dropped') throw dropped(id, data.reason)
    if (found === undefined && this.known) this.giveUp()
    else this.close()
    if (found === undefined && this.known === undefined) note('the node does not know this transaction yet')
    this.known ||= found !== undefined
    return found?.status === 'confirmed' && found.block.confirmations >= confirmations ? found : undefined
  }

  /**
   * No event may come any more: none tells of a reward that a reorganisation took away, nor of what happened while nobody
   * listened. But where there is a reason, it is told right after the blocks, and it is the better word.
   */
  private giveUp(): void {
    this.timer ??= setTimeout(() => void this.lookAgain(), MOMENT_MS)
  }

  /** A block may have brought it back meanwhile, and a node that is away says nothing of it: events go on then. */
  private async lookAgain(): Promise<void> {
    this.close()
    const isGone = await this.find().then(
      (found) => found === undefined,
      () => false,
    )
    if (isGone) this.over.abort(gone(this.wanted.id))
  }

  private async find(): Promise<FoundTransactionAnswer | undefined> {
    try {
      return await this.node.transaction(this.wanted.id)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}

function gone(id: string): CliError {
  return new CliError('cli.watch', `transaction ${id} is gone: the node does not know it any more.`)
}

function dropped(id: string, reason: unknown): CliError {
  // A newer node may have others.
  const why = isReason(reason) ? DROP_REASONS[reason] : printable(reason)
  return new CliError('cli.watch', `transaction ${id} has left the pool without a block: ${why}.`)
}

function isReason(reason: unknown): reason is DropReason {
  return typeof reason === 'string' && Object.hasOwn(DROP_REASONS, reason)
}
