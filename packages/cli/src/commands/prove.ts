/** A receipt for a confirmed transaction. */
import { canonicalJson, type Hash } from '@bc/core'
import { fetchReceipt, type ProveOptions } from '../receipt/fetch.ts'
import type { Settings } from '../settings/options.ts'
import { print } from '../terminal/output.ts'

/** A file for programs and other people: JSON on a terminal too. */
export async function prove(id: Hash, options: ProveOptions, settings: Settings): Promise<void> {
  print(canonicalJson(await fetchReceipt(id, options, settings)))
}
