/** Runs the real launchers as processes: what a shell would see of them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { ALICE, CHAIN } from './keys.ts'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export type Launcher = 'bc' | 'bc-node' | 'mine' | 'chain' | 'sign' | 'send-tx'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Circumstances {
  readonly input?: string | Buffer
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Has no terminal to ask at, even where the tests are run from one. */
  readonly detached?: boolean
}

/** Nothing of the tester's own: no BC_NODE, NO_COLOR and the like, no config file. */
export const CLEAN: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  XDG_CONFIG_HOME: `${ROOT}/no-such-folder`,
}

export function start(
  launcher: Launcher,
  args: readonly string[],
  { env, cwd, detached = false }: Circumstances = {},
): ChildProcess {
  return spawn(`${ROOT}/bin/${launcher}`, args, { env: { ...CLEAN, ...env }, detached, ...(cwd && { cwd }) })
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (chunk) => out.push(chunk))
  child.stderr?.on('data', (chunk) => err.push(chunk))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...how) => resolve(how))
  })
  return { code, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

export function command(launcher: Launcher, args: readonly string[], how: Circumstances = {}): Promise<Ended> {
  const child = start(launcher, args, how)
  child.stdin?.on('error', () => {})
  child.stdin?.end(how.input ?? '')
  return ended(child)
}

export const bc = (...args: readonly string[]) => command('bc', args)

/** A failure has a reason on stderr, nothing on stdout, and no stack. */
export function expectFailure(run: Ended, code: number, reason: string | RegExp): void {
  expect(run.stderr).toMatch(reason)
  expect(run.stderr).not.toMatch(/^ {4}at /m)
  expect(run.stdout).toBe('')
  expect(run.code).toBe(code)
}

/** stdout of a command that must succeed. */
export async function output(...args: readonly string[]): Promise<string> {
  const run = await bc(...args)
  expect(run, run.stderr).toMatchObject({ code: 0 })
  return run.stdout
}

export interface FakeNode {
  readonly url: string
  close(): void
}

/** What a node on a new chain says of itself. */
export const STATUS = {
  address: ALICE.address,
  chain: CHAIN,
  height: 1,
  mining: false,
  pool: 0,
  rules: {},
  target: CHAIN,
  timestamp: 1700000000,
  tip: CHAIN,
  version: '0.1.0',
  work: '0',
}

export async function fakeNode(listener: RequestListener): Promise<FakeNode> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
