/** The commands that are one question to the node. */
import { connect } from '../client/client.ts'
import { readableMined, readableStatus } from '../readable/answers.ts'
import { readablePool } from '../readable/ledger.ts'
import type { Settings } from '../settings/options.ts'
import { note, printList, printResult } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { openMiningView } from '../watch/mining-view.ts'

/** A block of the usual difficulty is found at once. Where it isn't, say that this is work and not a hang. */
const PATIENCE = 2_000

export async function mine(settings: Settings): Promise<void> {
  const view = openMiningView(settings)
  const hint = setTimeout(() => !view?.isShown && note('mining … Ctrl-C ends it'), PATIENCE)
  try {
    const block = await connect(settings).mine()
    view?.close()
    printResult(block, settings.json, (width) => readableMined(block, width))
  } finally {
    clearTimeout(hint)
    view?.close()
  }
}

export async function transactions(settings: Settings): Promise<void> {
  const answer = await connect(settings).waiting()
  await printList(answer, answer.transactions, settings, (width) => readablePool(answer, width))
}

export async function status(settings: Settings): Promise<void> {
  const answer = await connect(settings).status()
  printResult(answer, settings.json, (width) => readableStatus(answer, width))
}

export async function secret(settings: Settings): Promise<void> {
  const answer = await connect(settings).secret()
  printResult(answer, settings.json, () => printable(answer.message))
}
