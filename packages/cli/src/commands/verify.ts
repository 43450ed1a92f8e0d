/** Every rule of a whole chain: a node's, or one in a file. */
import { existsSync } from 'node:fs'
import { type AuditReport, auditChain, ChainFault } from '../chain/audit.ts'
import { openBlocks } from '../chain/blocks.ts'
import { toolCurve } from '../chain/curve.ts'
import { Refusal } from '../failure.ts'
import { nodeUrl } from '../settings/node-address.ts'
import type { Settings } from '../settings/options.ts'
import { described } from '../terminal/described.ts'
import { printResult } from '../terminal/output.ts'
import { printable } from '../terminal/printable.ts'
import { progressOf } from '../terminal/progress.ts'
import { counted, rows, wrapped } from '../terminal/text.ts'

export async function verify(named: string | undefined, settings: Settings): Promise<void> {
  const { file, node } = sourceOf(named, settings)
  const source = await openBlocks(file, { ...settings, node })
  const progress = progressOf('Verifying', 'block', source.total)
  const curve = toolCurve()
  try {
    const report = await auditChain(source, { curve, onProgress: progress.update })
    progress.end()
    printResult({ valid: true, ...report }, settings.json, (width) => readableReport(report, source.name, width))
  } catch (error) {
    progress.end()
    if (error instanceof ChainFault) throw new Refusal(error.code, `${error.place}: ${printable(error.message)}`)
    throw error
  } finally {
    await curve.close()
  }
}

const URL_FORM = /^https?:\/\//i
const HOST_FORM = /^(?:[0-9a-z.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}$/i

/** A file goes before a node of the same name: `host:port` without a scheme is how the tutorial's clients name one. */
function sourceOf(named: string | undefined, { node }: Settings): { readonly file?: string; readonly node: URL } {
  if (named === undefined) return { node }
  if (URL_FORM.test(named)) return { node: nodeUrl(named.replace(/\/chain\/?$/, ''), 'The URL') }
  if (named !== '-' && !existsSync(named) && HOST_FORM.test(named)) return { node: nodeUrl(named, 'The URL') }
  return { file: named, node }
}

function readableReport(report: AuditReport, source: string, width: number): string {
  const { blocks, transactions, accounts, supply, rules } = report
  const mined = counted(blocks - 1, 'block')
  const target = rules.blockTime === 0 ? 'constant' : `by ASERT, ${rules.blockTime} s from block to block`
  const checked: [string, string][] = [
    ['Message', 'UTF-8, whole numbers, no key twice, no lone surrogate'],
    ['Genesis', 'block 1 follows from its rules and its timestamp'],
    ['Links', `${mined}: index, timestamp and hash follow the parent's`],
    ['Targets', `${mined}: ${target}`],
    ['Merkle roots', `${mined}: each of its transactions`],
    ['Proofs', `${mined}: of its own block, seal not above the target`],
    ['Sizes', `${mined}: at most ${rules.maxBlockBytes} bytes`],
    ['Rewards', `${mined}: one each, of ${rules.miningReward} and the fees`],
    ['Signatures', `${transactions}: low-S, by the sender, of this chain`],
    ['Accounts', `${transactions}: each the next nonce, covered by the balance`],
    ['Supply', `${supply}: the sum of all balances`],
    ['Not checked', 'clocks; whether another valid chain has more work'],
  ]
  const result: [string, string][] = [
    ['Chain', report.chain],
    ['Tip', report.tip],
    ['Work', report.work],
  ]
  const counts = `${counted(blocks, 'block')}, ${counted(transactions, 'transaction')}, ${counted(accounts, 'account')}`
  const heading = wrapped(`${printable(source)}: ${counts}`, width)
  return `${heading}\n\n${described(checked, width)}\n\n${rows(result, width)}\n\nvalid`
}
