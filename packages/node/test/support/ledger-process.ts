/** A node as a process of its own, the compiled one: to be killed, or to fail as a person would see it fail. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ChainRules } from '@bc/core'
import { GENESIS_TIME } from './ledger-blocks.ts'

const COMMAND = fileURLToPath(new URL('../../../../bin/bc-node', import.meta.url))

export interface ProcessOptions {
  readonly directory: string
  readonly rules: ChainRules
  readonly flags?: readonly string[]
  /** A command that runs it. */
  readonly under?: readonly string[]
}

export interface NodeProcess {
  readonly url: string
  readonly output: () => string
  /** As a power failure would end it, but for the disk's own memory. */
  kill(): Promise<void>
  /** @returns the exit code, once it has stopped by itself or as it was asked to */
  stop(): Promise<number | null>
  readonly ended: Promise<number | null>
}

/** All that were started and have not ended: tests end what they have left over. */
const running = new Set<ChildProcess>()

export async function endProcesses(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'exit'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(ends)
}

/** @throws Error with its output, where it ends instead of listening */
export async function startProcess(options: ProcessOptions): Promise<NodeProcess> {
  const ready = join(options.directory, 'ready.json')
  rmSync(ready, { force: true })
  const { child, output, ended } = spawnNode(options, ready)
  for (;;) {
    const url = urlIn(ready)
    if (url !== undefined) return { url, output, ended, ...endsOf(child, ended) }
    if (child.exitCode !== null || child.signalCode !== null) {
      await ended
      throw new Error(output())
    }
    await delay(10)
  }
}

/** Runs a node that is not meant to listen. @returns its exit code and what it has printed */
export async function runProcess(options: ProcessOptions): Promise<{ code: number | null; output: string }> {
  const { output, ended } = spawnNode(options, join(options.directory, 'ready.json'))
  return { code: await ended, output: output() }
}

/** Starts a node and kills it after a while, wherever it is then. */
export async function killEarly(options: ProcessOptions, afterMs: number): Promise<void> {
  const { child, ended } = spawnNode(options, join(options.directory, 'ready.json'))
  await delay(afterMs)
  child.kill('SIGKILL')
  await ended
}

function spawnNode({ directory, rules, flags = [], under = [] }: ProcessOptions, ready: string) {
  const config = join(directory, 'config.json')
  writeFileSync(config, JSON.stringify({ ...rules, genesisTimestamp: GENESIS_TIME }))
  const args = [
    '-p',
    '0',
    '--no-discovery',
    '--data-dir',
    join(directory, 'data'),
    '--config',
    config,
    '--ready-file',
    ready,
    ...flags,
  ]
  // Not the tests' conditions: the process runs the compiled files.
  const [program, ...words] = [...under, process.execPath, COMMAND, ...args] as [string, ...string[]]
  const child = spawn(program, words, { env: { ...process.env, NODE_OPTIONS: '' } })
  running.add(child)
  const printed: string[] = []
  child.stdout.on('data', (chunk) => printed.push(String(chunk)))
  child.stderr.on('data', (chunk) => printed.push(String(chunk)))
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  return { child, output: () => printed.join(''), ended }
}

function endsOf(child: ChildProcess, ended: Promise<number | null>) {
  return {
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    stop: async () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

function urlIn(ready: string): string | undefined {
  try {
    return JSON.parse(readFileSync(ready, 'utf8')).url
  } catch {
    return undefined
  }
}
