/** One node from start to stop, as a process that a person or a script looks after. */
import { once } from 'node:events'
import { canonicalJson, type JsonObject } from '@bc/core'
import {
  ConfigError,
  checkHost,
  createLogger,
  defaultDataDirectory,
  freePort,
  loadConfig,
  type NetworkOptions,
  type RunningNode,
  StartError,
  startNode,
} from '@bc/node'
import type { DevMode } from '@bc/node/dev'
import { CliError, usage } from '../failure.ts'
import { type DevFlags, devFields, devMode, readableAccounts } from '../node/dev-node.ts'
import { readyFile } from '../node/ready-file.ts'
import { print, terminalWidth } from '../terminal/output.ts'
import { type Entry, rows } from '../terminal/text.ts'

export interface NodeFlags extends DevFlags {
  readonly port?: number
  readonly host?: string
  readonly dataDir?: string
  readonly ephemeral?: true
  readonly config?: string
  readonly mine?: true
  readonly peer?: readonly string[]
  readonly p2pPort?: number
  /** false for --no-discovery */
  readonly discovery: boolean
  readonly repair?: true
  readonly readyFile?: string
  readonly logLevel: string
}

export async function runNode(flags: NodeFlags, shippedConfig: string): Promise<void> {
  const signal = signalled()
  const ready = await readyFile(flags.readyFile)
  const dev = await devMode(flags)
  const node = await started(flags, shippedConfig, dev, signal)
  if (node === undefined) return
  try {
    ready.write(told(node, dev))
    announce(node, flags, dev)
    const failure = await Promise.race([aborted(signal), node.failed])
    if (failure) throw new CliError('cli.node', `the node has failed: ${failure.message}`)
  } catch (error) {
    ready.remove()
    // What a broken node says when it is stopped is not the reason.
    await node.stop().catch(() => undefined)
    throw error
  }
  // Before the node closes, so that nobody is sent to it any more.
  ready.remove()
  await node.stop()
}

/** @returns undefined where a signal came in a start that takes long, and cut it short */
async function started(
  flags: NodeFlags,
  shippedConfig: string,
  dev: DevMode | undefined,
  signal: AbortSignal,
): Promise<RunningNode | undefined> {
  try {
    const config = await loadConfig(shippedConfig, flags.config)
    const host = hostOf(flags) ?? config.host
    const place = await placeOf(flags, host, flags.port ?? config.port)
    return await startNode({
      config,
      host,
      ...place,
      ...(dev ? { dev } : { network: networkOf(flags) }),
      mine: flags.mine === true,
      repair: flags.repair === true,
      signal,
      log: await createLogger({ terminal: process.stderr.isTTY === true, level: flags.logLevel }),
      // The node's secret, when its owner asks for it: here and nowhere else.
      console: print,
    })
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined
    if (error instanceof ConfigError) throw usage(error.message)
    if (error instanceof StartError) throw new CliError('cli.node', error.message)
    throw error
  }
}

/** An unset variable of a shell would make it "", which is every interface to Node. */
function hostOf({ host }: NodeFlags): string | undefined {
  const fault = host === undefined ? undefined : checkHost(host)
  if (fault) throw usage(`--host ${fault}, not ${JSON.stringify(host)}.`)
  return host
}

function networkOf({ p2pPort = 0, discovery, peer = [] }: NodeFlags): NetworkOptions {
  return { port: p2pPort, discovery, peers: peer }
}

interface Place {
  readonly port: number
  readonly dataDirectory: string | undefined
}

/** A port that is to be any free one is the node's to pick, unless its data's place depends on it. */
async function placeOf({ ephemeral, dev, dataDir }: NodeFlags, host: string, wanted: number): Promise<Place> {
  if (ephemeral || dev) return { port: wanted, dataDirectory: undefined }
  if (dataDir !== undefined) return { port: wanted, dataDirectory: dataDir }
  const port = wanted || (await anyPort(host))
  return { port, dataDirectory: defaultDataDirectory(port) }
}

async function anyPort(host: string): Promise<number> {
  try {
    return await freePort(host)
  } catch (error) {
    throw new StartError(`No port of ${host} can be had: ${(error as Error).message}.`)
  }
}

/**
 * Aborted by the first SIGINT, SIGTERM or SIGHUP, also one that comes while the node still starts; the second one ends
 * the process at once, which a node's data survives.
 */
function signalled(): AbortSignal {
  const asked = new AbortController()
  const onSignal = (signal: NodeJS.Signals, number: number) => {
    // Of a terminal that is closed both the shell and the system tell.
    if (asked.signal.aborted && signal === 'SIGHUP') return
    if (asked.signal.aborted) process.exit(128 + number)
    asked.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  return asked.signal
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort')
  return undefined
}

/** What programs are told of the node: in the ready file, and in one line on stdout. */
function told({ url, chain }: RunningNode, dev: DevMode | undefined): JsonObject {
  return { url, chain, pid: process.pid, ...(dev && devFields(dev)) }
}

function announce(node: RunningNode, flags: NodeFlags, dev: DevMode | undefined): void {
  print(process.stdout.isTTY ? banner(node, flags, dev, terminalWidth()) : canonicalJson(told(node, dev)))
}

function banner(node: RunningNode, { mine }: NodeFlags, dev: DevMode | undefined, width: number): string {
  const mining = mine ? 'on and on' : 'when asked: bc mine'
  const entries: Entry[] = [
    ['Listening', node.url],
    ['Chain', node.chain],
    ['Height', node.height],
    ['Data', node.dataDirectory ?? 'in memory only, gone when it stops'],
    ['Mining', dev ? 'a block per transaction' : mining],
    ['Address', node.address],
  ]
  if (dev) entries.push(['Seed', dev.seed])
  const parts = ['This is a bc node. Ctrl-C stops it.', rows(entries, width), ...(dev ? [readableAccounts(dev)] : [])]
  return `\n${parts.join('\n\n')}\n\n  export BC_NODE=${node.url}\n`
}
