/** The whole chain: for programs the tutorial's one document, otherwise page by page. */
import { chainPages, type HashedBlock } from '../client/chain-pages.ts'
import { connect, type NodeClient } from '../client/client.ts'
import { CHAIN_COLUMNS, chainLine } from '../readable/ledger.ts'
import type { Settings } from '../settings/options.ts'
import { listForm, printLines, printResult, printSlowly, terminalWidth } from '../terminal/output.ts'
import { footnote, type OpenTable, openTable } from '../terminal/table.ts'
import { counted } from '../terminal/text.ts'

export async function chain(settings: Settings): Promise<void> {
  const node = connect(settings)
  const form = listForm(settings)
  if (form === 'table') return await printTable(node, terminalWidth())
  if (form === 'lines') return await printBlocks(node)
  printResult(await node.chain(), true, () => '')
}

async function printBlocks(node: NodeClient): Promise<void> {
  for await (const page of chainPages(node)) await printLines(page.map(({ block }) => block))
}

async function printTable(node: NodeClient, width: number): Promise<void> {
  let opened: OpenTable | undefined
  let count = 0
  for await (const page of chainPages(node)) {
    const lines = page.map(({ block, hash }: HashedBlock) => chainLine(block, hash, width))
    if (lines.length === 0) continue
    if (opened === undefined) {
      opened = openTable(CHAIN_COLUMNS, lines, width)
      await printSlowly(opened.head)
    }
    await printSlowly(opened.rows(lines).join('\n'))
    count += lines.length
  }
  await printSlowly(`\n${footnote(counted(count, 'block'), opened?.omitted ?? [], width)}`)
}
