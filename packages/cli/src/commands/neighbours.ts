/** The node's neighbours: those that its operator has named. */
import { connect } from '../client.ts'
import type { Settings } from '../options.ts'
import { printResult } from '../output.ts'
import { readableNodes, readableRegistered, readableResolved } from '../readable.ts'

export async function nodes(settings: Settings): Promise<void> {
  const answer = await connect(settings).nodes()
  printResult(answer, settings.json, () => readableNodes(answer))
}

export async function register(addresses: readonly string[], settings: Settings): Promise<void> {
  const answer = await connect(settings).register(addresses)
  printResult(answer, settings.json, () => readableRegistered(answer))
}

export async function resolve(settings: Settings): Promise<void> {
  const answer = await connect(settings).resolve()
  printResult(answer, settings.json, (width) => readableResolved(answer, width))
}
