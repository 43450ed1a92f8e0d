/** A pseudo-terminal, by way of Python: Node has none. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { CLEAN, ended, type Launcher, ROOT } from './commands.ts'

const SCRIPT = fileURLToPath(new URL('terminal.py', import.meta.url))

export interface Shown {
  readonly output: string
  readonly code: number | null
  readonly signal: number | null
}

/** What is typed once this text has appeared; null for a terminal that is closed then. */
export type Step = readonly [text: string, typed: string | null]

/** Where there is no Python its tests are skipped, and say so; in CI that is a failure. */
export function describeOnTerminal(name: string, body: () => void): void {
  const there = spawnSync('python3', ['-c', 'import pty, termios']).status === 0
  describe(name, () => {
    if (there) body()
    else if (process.env.CI) test('CI needs python3 for a pseudo-terminal', () => expect.fail('it is not there'))
    else test.skip('skipped: there is no python3 for a pseudo-terminal')
  })
}

export interface Terminal {
  readonly columns?: number
  readonly env?: NodeJS.ProcessEnv
}

export async function onTerminal(
  launcher: Launcher,
  args: readonly string[],
  steps: readonly Step[] = [],
  terminal: Terminal = {},
) {
  return await shellOnTerminal([`${ROOT}/bin/${launcher}`, ...args], steps, terminal)
}

export async function shellOnTerminal(
  argv: readonly string[],
  steps: readonly Step[] = [],
  { columns = 80, env }: Terminal = {},
): Promise<Shown> {
  const child = spawn('python3', [SCRIPT])
  child.stdin.end(JSON.stringify({ argv, env: { ...CLEAN, TERM: 'xterm', ...env }, columns, steps }))
  const run = await ended(child)
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout)
}
