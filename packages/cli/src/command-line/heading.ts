/** What the tutorial's clients show above every answer: which node it is from, and what is done. For people only. */
import type { Command } from 'commander'
import { nameOf } from '../settings/node-address.ts'
import { settingsOf } from '../settings/options.ts'
import { columnsOf, padded } from '../terminal/columns.ts'
import { terminalWidth } from '../terminal/output.ts'

/** The tutorial's own commands, each with what it says it does. */
const ACTIONS: Readonly<Record<string, string>> = {
  mine: 'Mining',
  chain: 'Current chain',
  transactions: 'Transaction pool',
  secret: 'Secret',
  'send-tx': 'Sending a transaction',
  nodes: 'Neighbours',
  register: 'Registering a neighbour',
  resolve: 'Resolving conflicts',
}

/** Before the command's own work, on stderr: a heading is no result. */
export function withHeadings(program: Command): Command {
  return program.hook('preAction', (_, command) => {
    const action = command.parent === program ? ACTIONS[command.name()] : undefined
    const { json, ndjson } = command.optsWithGlobals<{ json?: boolean; ndjson?: boolean }>()
    if (action === undefined || json || ndjson || !process.stdout.isTTY) return
    const lines = [`From      ${nameOf(settingsOf(command).node)}`, `Action    ${action}`]
    process.stderr.write(`\n${boxed(lines, terminalWidth())}\n\n`)
  })
}

/** A box as bin/rc draws it, where there is room for one. */
export function boxed(lines: readonly string[], width: number): string {
  const inner = Math.max(...lines.map(columnsOf))
  if (inner + 4 > width) return lines.join('\n')
  const edge = '─'.repeat(inner + 2)
  return [`┌${edge}┐`, ...lines.map((line) => `│ ${padded(line, inner)} │`), `└${edge}┘`].join('\n')
}
