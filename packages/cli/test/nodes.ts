/** Real nodes, as processes of their own. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { type Circumstances, type Ended, ended, start } from './commands.ts'

export interface Ready {
  readonly url: string
  readonly pid: number
  readonly chain: string
}

export interface NodeProcess extends Ready {
  readonly child: ChildProcess
  readonly readyFile: string
  /** Settles when the process has ended, by itself or by {@link stop}. */
  readonly ended: Promise<Ended>
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/bc-node-`)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A node that listens on a free port. It ends with the test. */
export async function startedNode(args: readonly string[], how: Circumstances = {}): Promise<NodeProcess> {
  const readyFile = `${temporaryFolder()}/ready.json`
  const child = start('bc-node', ['-p', '0', '--no-discovery', '--ready-file', readyFile, ...args], how)
  const end = ended(child)
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return end
  }
  onTestFinished(async () => void (await stop('SIGKILL')))
  await waitFor(async () => existsSync(readyFile) || (await hasEnded(end)))
  return { ...JSON.parse(readFileSync(readyFile, 'utf8')), child, readyFile, ended: end, stop }
}

async function hasEnded(end: Promise<Ended>): Promise<boolean> {
  const early = await Promise.race([end, delay(0)])
  if (early) throw new Error(`the node has ended: ${early.stderr}`)
  return false
}

export async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited too long')
    await delay(20)
  }
}
