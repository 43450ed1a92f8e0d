/** Waits until something is so: a height, a transaction's confirmations, a node that answers. */
import type { Hash } from '@bc/core'
import type { StatusAnswer } from '@bc/node'
import { connect } from '../client/client.ts'
import type { Endpoint } from '../client/http.ts'
import { within } from '../client/within.ts'
import { CliError, usage } from '../failure.ts'
import { confirmed } from '../payment/confirmation.ts'
import { readableStatus } from '../readable/answers.ts'
import { readableTransaction } from '../readable/ledger.ts'
import type { Settings } from '../settings/options.ts'
import { note, noteLost, printResult } from '../terminal/output.ts'
import { type FollowOptions, follow } from '../watch/follow.ts'

export interface WaitOptions {
  readonly height?: number
  readonly tx?: Hash
  readonly confirmations?: number
  readonly ready?: true
}

/** What is waited for. */
interface Goal {
  /** For the sentence that says that it wasn't reached. */
  readonly name: string
  /** Prints the result once it is. */
  reach(endpoint: Endpoint, signal: AbortSignal): Promise<void>
}

export async function wait(options: WaitOptions, settings: Settings): Promise<void> {
  const { name, reach } = goalOf(options, settings)
  const late = (seconds: number) => new CliError('cli.watch', `${name} within ${seconds} s.`)
  await within(settings, late, reach)
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
    reach: async (endpoint, signal) => {
      const status = await statusOnce(endpoint, { signal, onLost: noteLost }, (now) => now.height >= height)
      printStatus(status, settings)
    },
  }
}

function readyGoal(settings: Settings): Goal {
  const onLost = (reason: string) => note(`waiting for the node: ${reason}`)
  return {
    name: `no node was ready at ${settings.node.origin}`,
    reach: async (endpoint, signal) => {
      const status = await statusOnce(endpoint, { signal, onLost, isPatient: true }, () => true)
      printStatus(status, settings)
    },
  }
}

/** The status, once it is as it should be: asked for with every block. */
function statusOnce(
  endpoint: Endpoint,
  options: Omit<FollowOptions, 'types'>,
  isReached: (status: StatusAnswer) => boolean,
): Promise<StatusAnswer> {
  return follow(endpoint, { ...options, types: ['block'] }, async (_event, tried) => {
    const status = await connect(tried).status()
    return isReached(status) ? status : undefined
  })
}

function printStatus(status: StatusAnswer, { json }: Settings): void {
  printResult(status, json, (width) => readableStatus(status, width))
}

function transactionGoal(id: Hash, confirmations: number, settings: Settings): Goal {
  return {
    name: `transaction ${id} has not had ${confirmations === 1 ? 'a confirmation' : `${confirmations} confirmations`}`,
    reach: async (endpoint, signal) => {
      const found = await confirmed(endpoint, { id, confirmations, isAccepted: false }, signal)
      printResult(found, settings.json, (width) => readableTransaction(found, width))
    },
  }
}
