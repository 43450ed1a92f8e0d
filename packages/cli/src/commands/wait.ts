/** Waits until something is so: a height, a transaction's confirmations, a node that answers. */
import type { DropReason, FoundTransactionAnswer, StatusAnswer } from '@bc/node'
import { connect, type NodeClient } from '../client/client.ts'
import { within } from '../client/within.ts'
import { CliError, Refusal, usage } from '../failure.ts'
import { readableStatus } from '../readable/answers.ts'
import type { Settings } from '../settings/options.ts'
import { note, printResult } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { rows } from '../terminal/text.ts'
import { type FollowOptions, follow } from '../watch/follow.ts'
import type { EventType, NodeEvent } from '../watch/node-events.ts'

export interface WaitOptions {
  readonly height?: number
  readonly tx?: string
  readonly confirmations?: number
  readonly ready?: true
}

/** What is waited for. */
interface Goal {
  /** For the sentence that says that it wasn't reached. */
  readonly name: string
  readonly types: readonly EventType[]
  /** Whether to wait for a node that isn't there yet. */
  readonly isPatient: boolean
  /**
   * Looks whether it is reached, and prints the result then.
   * @throws CliError where it can't be reached any more
   */
  look(event: NodeEvent, node: NodeClient): Promise<boolean>
}

export async function wait(options: WaitOptions, settings: Settings): Promise<void> {
  const goal = goalOf(options, settings)
  const late = (seconds: number) => new CliError('cli.watch', `${goal.name} within ${seconds} s.`)
  await within(settings, late, async (endpoint, signal) => {
    const node = connect(endpoint)
    await follow(endpoint, followOptions(goal, signal), (event) => goal.look(event, node))
  })
}

function followOptions({ types, isPatient }: Goal, signal: AbortSignal): FollowOptions {
  const lost = (reason: string) =>
    note(isPatient ? `waiting for the node: ${reason}` : `the connection is lost: ${reason}`)
  return { types, signal, isPatient, onLost: lost }
}

function goalOf({ height, tx, confirmations, ready }: WaitOptions, settings: Settings): Goal {
  const goals = [height, tx, ready].filter((goal) => goal !== undefined)
  if (goals.length !== 1) throw usage('bc wait takes one of --height, --tx and --ready.')
  if (confirmations !== undefined && tx === undefined) throw usage('--confirmations goes with --tx.')
  if (height !== undefined) return heightGoal(height, settings)
  return tx === undefined ? readyGoal(settings) : transactionGoal(tx, confirmations ?? 1, settings)
}

function heightGoal(height: number, settings: Settings): Goal {
  return {
    name: `the chain has not reached height ${height}`,
    types: ['block'],
    isPatient: false,
    look: async (_event, node) => {
      const status = await node.status()
      if (status.height < height) return false
      printStatus(status, settings)
      return true
    },
  }
}

function readyGoal(settings: Settings): Goal {
  return {
    name: `no node was ready at ${settings.node.origin}`,
    types: ['block'],
    isPatient: true,
    look: async (_event, node) => {
      printStatus(await node.status(), settings)
      return true
    },
  }
}

function printStatus(status: StatusAnswer, { json }: Settings): void {
  printResult(status, json, (width) => readableStatus(status, width))
}

function transactionGoal(id: string, confirmations: number, settings: Settings): Goal {
  let known: boolean | undefined
  return {
    name: `transaction ${id} has not had ${confirmations === 1 ? 'a confirmation' : `${confirmations} confirmations`}`,
    types: ['block', 'transaction', 'reorganisation'],
    isPatient: false,
    look: async ({ event, data }, node) => {
      // Of all that comes and goes in the pool one is ours.
      if (event === 'transaction' && data.id !== id) return false
      const found = await findTransaction(id, node)
      if (found === undefined && event === 'transaction' && data.status === 'dropped') throw dropped(id, data.reason)
      // What happened while nobody listened, as the restart of a node that keeps nothing, no later event tells.
      if (found === undefined && known && BEGINNINGS.includes(event))
        throw new CliError('cli.watch', `transaction ${id} is gone: the node does not know it any more.`)
      if (found === undefined && known === undefined) note('the node does not know this transaction yet')
      known ||= found !== undefined
      if (found?.status !== 'confirmed' || found.block.confirmations < confirmations) return false
      printResult(found, settings.json, (width) => readableConfirmed(found, width))
      return true
    },
  }
}

async function findTransaction(id: string, node: NodeClient): Promise<FoundTransactionAnswer | undefined> {
  try {
    return await node.transaction(id)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'request.not_found') return undefined
    throw error
  }
}

/** With which a stream begins that doesn't go on from the last event. */
const BEGINNINGS = ['start', 'missed']

const REASONS: Readonly<Record<DropReason, string>> = {
  replaced: 'another one of its sender, with the same nonce, has taken its place',
  evicted: 'the pool is full, and others pay more',
  expired: 'it found no block for too long',
  unpayable: "its sender's coins are spent",
  reverted: 'the node has gone back to a snapshot without it',
}

/** A newer node may have others. */
function isKnown(reason: unknown): reason is DropReason {
  return typeof reason === 'string' && Object.hasOwn(REASONS, reason)
}

function dropped(id: string, reason: unknown): CliError {
  const why = isKnown(reason) ? REASONS[reason] : printable(reason)
  return new CliError('cli.watch', `transaction ${id} has left the pool without a block: ${why}.`)
}

function readableConfirmed({ id, block }: Extract<FoundTransactionAnswer, { status: 'confirmed' }>, width: number) {
  const entries: [string, string | number][] = [
    ['Id', id],
    ['Block', block.index],
    ['Confirmations', block.confirmations],
    ['Hash', block.hash],
  ]
  return rows(
    entries.map(([name, value]) => [name, printable(value)]),
    width,
  )
}
