/** Real nodes, as processes of their own. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  const node = await nodeWithFilesIn(temporaryFolder(), args, how)
  onTestFinished(async () => void (await node.stop('SIGKILL')))
  return node
}

/**
 * A node for all tests of a file: `beforeAll` starts it, and `afterAll` has to stop it.
 * @param config fields of its configuration
 */
export async function sharedNode(args: readonly string[], config?: object): Promise<NodeProcess> {
  const folder = sharedFolder()
  if (config === undefined) return await nodeWithFilesIn(folder, args, {})
  writeFileSync(`${folder}/config.json`, JSON.stringify(config))
  return await nodeWithFilesIn(folder, [...args, '--config', `${folder}/config.json`], {})
}

/** A folder for all tests of a file. */
export function sharedFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/bc-node-`)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function nodeWithFilesIn(folder: string, args: readonly string[], how: Circumstances): Promise<NodeProcess> {
  const readyFile = `${folder}/ready.json`
  const child = start('bc-node', ['-p', '0', '--no-discovery', '--ready-file', readyFile, ...args], how)
  const end = ended(child)
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return end
  }
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
