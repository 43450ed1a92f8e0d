/** The node's neighbours: those that its operator has named. */
import { connect } from '../client/client.ts'
import { usage } from '../failure.ts'
import { readableNodes, readableRegistered, readableResolved } from '../readable/answers.ts'
import type { Settings } from '../settings/options.ts'
import { printList, printResult } from '../terminal/output.ts'
import { askOnce } from '../terminal/questions.ts'

export async function nodes(settings: Settings): Promise<void> {
  const answer = await connect(settings).nodes()
  await printList(answer, answer.nodes, settings, (width) => readableNodes(answer, width))
}

export async function register(addresses: readonly string[], settings: Settings): Promise<void> {
  const answer = await connect(settings).register(addresses.length > 0 ? addresses : [await askForNeighbour()])
  printResult(answer, settings.json, (width) => readableRegistered(answer, width))
}

/** The tutorial's client has no arguments: it asks. */
async function askForNeighbour(): Promise<string> {
  if (process.stdin.isTTY) return await askOnce('Neighbour: ')
  throw usage("missing required argument 'NODE': the neighbour's HOST:PORT.")
}

export async function resolve(settings: Settings): Promise<void> {
  const answer = await connect(settings).resolve()
  printResult(answer, settings.json, (width) => readableResolved(answer, width))
}
