/** Nodes that talk to each other, in this process or in their own. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ChainRules, Hash } from '@bc/core'
import { pino } from 'pino'
import { afterAll, expect } from 'vitest'
import type { NetworkOptions } from '../../src/network/join.ts'
import { type NodeOptions, type RunningNode, startNode } from '../../src/node.ts'
import { networkConfig, networkRules } from './network-chain.ts'

export interface Status {
  readonly height: number
  readonly tip: Hash
  readonly work: string
  readonly pool: number
  readonly peers: number
  readonly p2p: readonly string[]
  readonly sync: { readonly from: number; readonly to: number } | null
}

export interface NetworkNodeOptions extends Partial<Omit<NodeOptions, 'config' | 'network'>> {
  readonly rules?: Partial<Record<keyof ChainRules, unknown>>
  readonly network?: Partial<NetworkOptions>
  readonly level?: string
}

const stopping: (() => Promise<void>)[] = []
const folders: string[] = []
/** Of listeners, above all: what is kept for each peer that may come adds up. */
const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))

afterAll(async () => {
  expect(warnings).toEqual([])
  await Promise.all(stopping.splice(0).map((stop) => stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bc-network-'))
  folders.push(folder)
  return folder
}

export async function startNetworkNode(options: NetworkNodeOptions = {}): Promise<RunningNode> {
  const { rules, network, level = 'silent', ...rest } = options
  const node = await startNode({
    config: networkConfig(networkRules(rules)),
    host: '127.0.0.1',
    port: 0,
    dataDirectory: undefined,
    mine: false,
    network: { port: 0, discovery: false, peers: [], ...network },
    repair: false,
    log: pino({ level }, pino.destination(2)),
    console: () => undefined,
    ...rest,
  })
  stopping.push(() => node.stop())
  return node
}

export interface Measurement {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
  readonly arrayBuffers: number
  /** The most that it was since the last measurement. */
  readonly peak: number
  /** Milliseconds by which the event loop was late. */
  readonly p99: number
  readonly max: number
}

export interface Victim {
  readonly url: string
  readonly chain: Hash
  readonly failures: readonly string[]
  measure(): Promise<Measurement>
  stop(): Promise<void>
  kill(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('network-victim.ts', import.meta.url))

/** A node in a process of its own. */
export async function startVictim(options: Record<string, unknown> = {}): Promise<Victim> {
  const child = fork(SCRIPT, [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx', '--conditions=source', '--expose-gc'],
  })
  const exited = once(child, 'exit')
  const failures: string[] = []
  const said = <T>(what: string) =>
    new Promise<T>((resolve, reject) => {
      const listen = (message: Record<string, T>) => {
        if (!(what in message)) return
        child.off('message', listen as never)
        resolve(message[what] as T)
      }
      child.on('message', listen as never)
      exited.then(() => reject(new Error('the victim is gone')), reject)
    })
  child.on('message', (message: { failed?: string }) => message.failed && failures.push(message.failed))
  const { url, chain } = await said<{ url: string; chain: Hash }>('started')
  const stop = async () => {
    if (child.exitCode === null && child.connected) child.send('stop')
    await exited
  }
  stopping.push(stop)
  const measure = () => {
    const measured = said<Measurement>('measured')
    child.send('measure')
    return measured
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  return { url, chain, failures, measure, stop, kill }
}

interface Reachable {
  readonly url: string
}

export async function statusOf({ url }: Reachable): Promise<Status> {
  return (await (await fetch(`${url}/status`)).json()) as Status
}

/** Its multiaddress, once it listens. */
export async function addressOf(node: Reachable): Promise<string> {
  return until(async () => (await statusOf(node)).p2p.find((address) => address.startsWith('/ip4/127.')))
}

/** @returns the first answer that is neither undefined nor false */
export async function until<T>(ask: () => Promise<T | undefined | false>, ms = 20_000): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`not so within ${ms} ms: ${ask}`)
    await delay(50)
  }
}

/** @param from registers `to`, by its URL or its multiaddress */
export async function connect(from: Reachable, to: Reachable | string): Promise<void> {
  const name = typeof to === 'string' ? to : to.url
  await until(async () => (await statusOf(from)).p2p.length > 0)
  if (typeof to !== 'string') await addressOf(to)
  const { status, body } = await register(from, [name])
  if (status !== 201) throw new Error(`registering ${name}: ${status} ${body}`)
}

export async function register({ url }: Reachable, nodes: readonly unknown[]) {
  const answer = await fetch(`${url}/nodes/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ nodes }),
  })
  return { status: answer.status, body: await answer.text() }
}

/** Gives a node these blocks, genesis first, as a tutorial node would: by its `/chain`. */
export async function load(node: Reachable, texts: readonly string[]): Promise<void> {
  const server = createServer(({ url }, response) => {
    if (url === '/chain') response.end(`{"chain": [${texts.join(', ')}], "length": ${texts.length}}`)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { status, body } = await register(node, [`127.0.0.1:${(server.address() as AddressInfo).port}`])
  if (status !== 201) throw new Error(`registering a chain: ${status} ${body}`)
  await fetch(`${node.url}/nodes/resolve`)
  server.close()
  const { height } = await statusOf(node)
  if (height !== texts.length) throw new Error(`the chain wasn't taken: ${height} of ${texts.length} blocks`)
}

export async function mine({ url }: Reachable): Promise<Hash> {
  const answer = await fetch(`${url}/mine`)
  if (answer.status !== 200) throw new Error(`mining: ${answer.status} ${await answer.text()}`)
  return (await statusOf({ url })).tip
}

/** @returns whether its chain was replaced, in the tutorial's words */
export async function resolve({ url }: Reachable): Promise<string> {
  return ((await (await fetch(`${url}/nodes/resolve`)).json()) as { message: string }).message
}

export async function agree(nodes: readonly Reachable[], ms = 20_000): Promise<Status> {
  return until(async () => {
    const [first, ...others] = await Promise.all(nodes.map(statusOf))
    return first && others.every(({ tip }) => tip === first.tip) ? first : false
  }, ms)
}
