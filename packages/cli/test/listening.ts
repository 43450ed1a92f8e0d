/** A command that runs on while its output is read. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { type Ended, start } from './commands.ts'
import { waitFor } from './nodes.ts'

export interface Running {
  readonly child: ChildProcess
  /** What it has printed so far, as JSON. */
  readonly lines: readonly Record<string, unknown>[]
  readonly stderr: () => string
  /** Resolves once that many lines are there. */
  count(lines: number): Promise<void>
  stop(signal: NodeJS.Signals): Promise<Pick<Ended, 'code' | 'signal'>>
}

export function running(...args: readonly string[]): Running {
  const child = start('bc', args)
  const lines: Record<string, unknown>[] = []
  let stderr = ''
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const closed = new Promise<Pick<Ended, 'code' | 'signal'>>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  )
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return closed
  }
  onTestFinished(async () => void (await stop('SIGKILL')))
  const count = (wanted: number) =>
    waitFor(() => {
      if (child.exitCode !== null) throw new Error(`it has ended: ${stderr}`)
      return lines.length >= wanted
    })
  return { child, lines, stderr: () => stderr, count, stop }
}
