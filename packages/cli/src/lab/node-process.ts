/** One real node of the lab: the `bc-node` of this checkout as a process of its own, with a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { StatusAnswer } from '@bc/node'
import { connect, type NodeClient } from '../client/client.ts'
import { CliError, writing } from '../failure.ts'

/** The folder of bin and scripts: as far from here whether this file is a source or compiled. */
export const CHECKOUT = fileURLToPath(new URL('../../../../', import.meta.url))
const GATE = pathToFileURL(createRequire(import.meta.url).resolve('@bc/cli/gate')).href

/** How long a node may take to stop when it is asked to. */
const LEAVE_MS = 10_000
const LOOK_AGAIN_MS = 50

export interface NodeSetting {
  readonly number: number
  /** All of the lab's files. */
  readonly folder: string
  /** Where what it logs goes. */
  readonly logs: string
  readonly logLevel: string
  /** The ports that it may dial. */
  readonly wires: readonly number[]
  /** Milliseconds that each wait may take. */
  readonly limit: number
  readonly signal: AbortSignal
  /** It ended, and nobody had asked it to. */
  readonly onLost: (error: CliError) => void
}

/** What a node says of itself when it listens. */
interface Place {
  readonly pid: number
  readonly url: string
}

type Life =
  | { readonly state: 'down' }
  | { readonly state: 'starting'; readonly child: ChildProcess }
  | {
      readonly state: 'up'
      readonly child: ChildProcess
      readonly place: Place
      readonly client: NodeClient
      /** Where it listens for other nodes. */
      readonly p2p: string
    }

export class NodeProcess {
  readonly number: number
  /** What it said last; undefined while it is down. */
  status: StatusAnswer | undefined
  private readonly setting: NodeSetting
  private life: Life = { state: 'down' }

  constructor(setting: NodeSetting) {
    this.number = setting.number
    this.setting = setting
  }

  get state(): Life['state'] {
    return this.life.state
  }

  get isUp(): boolean {
    return this.life.state === 'up'
  }

  get place(): Place {
    return this.up.place
  }

  get client(): NodeClient {
    return this.up.client
  }

  /** Its multiaddress at a port of the lab's: that of a wire to it. */
  addressAt(port: number): string {
    return this.up.p2p.replace(/\/tcp\/\d+\//, `/tcp/${port}/`)
  }

  get p2pPort(): number {
    return Number(/\/tcp\/(\d+)\//.exec(this.up.p2p)?.[1])
  }

  private get up() {
    if (this.life.state === 'up') return this.life
    throw new CliError('cli.lab', `node ${this.number} is not up.`)
  }

  /** @throws CliError where it doesn't listen in time */
  async start(): Promise<void> {
    this.setting.signal.throwIfAborted()
    const ready = join(this.setting.folder, `ready-${this.number}.json`)
    // One that was killed has left it there.
    rmSync(ready, { force: true })
    const child = this.spawn(ready)
    this.life = { state: 'starting', child }
    const place = await this.placeIn(ready)
    const client = connect({ node: new URL(place.url), timeout: this.setting.limit, token: () => undefined })
    this.status = await this.withAddress(client)
    this.life = { state: 'up', child, place, client, p2p: this.status.p2p[0] as string }
  }

  /** What is not on the disk is lost. */
  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM')
  }

  /** For the end of the whole process: nothing can be waited for. */
  killNow(): void {
    if (this.life.state !== 'down') this.life.child.kill('SIGKILL')
  }

  /** Asks it how it is. One that is going down doesn't answer, and needn't. */
  async look(): Promise<void> {
    const { life } = this
    if (life.state !== 'up') return
    try {
      const status = await life.client.status()
      if (this.life === life) this.status = status
    } catch (error) {
      if (this.life === life && !this.setting.signal.aborted) throw error
    }
  }

  private spawn(ready: string): ChildProcess {
    const { folder, number, logs, logLevel, wires, onLost } = this.setting
    const logFile = join(logs, `node-${number}.log`)
    const log = writing('cli.lab', logFile, () => openSync(logFile, 'a', 0o600))
    const words = [
      ['--import', GATE, join(CHECKOUT, 'bin/bc-node'), '-p', '0', '--host', '127.0.0.1', '--p2p-port', '0'],
      ['--no-discovery', '--data-dir', join(folder, `node-${number}`), '--config', join(folder, 'config.json')],
      ['--ready-file', ready, '--log-level', logLevel],
    ]
    mkdirSync(join(folder, `node-${number}`), { recursive: true, mode: 0o700 })
    const child = spawn(process.execPath, words.flat(), {
      // Not in our process group: a Ctrl-C is ours to pass on.
      detached: true,
      stdio: ['ignore', 'ignore', log, 'ipc'],
      env: { ...process.env, BC_LAB_WIRES: wires.join(',') },
    })
    closeSync(log)
    // The channel only tells the node when we are gone.
    child.channel?.unref()
    child.on('error', (error) => onLost(this.lost(`can't be started: ${error.message}`)))
    child.on('exit', (code, signal) => {
      const asked = this.life.state === 'down' || this.life.child !== child
      if (!asked) onLost(this.lost(`has ended by itself (${signal ?? `exit code ${code}`})`))
    })
    return child
  }

  private lost(how: string): CliError {
    const said = this.lastWords()
    return new CliError('cli.lab', `node ${this.number} ${how}.${said && `\n${said}`}`)
  }

  private lastWords(): string {
    const text = readFileSync(join(this.setting.logs, `node-${this.number}.log`), 'utf8').trimEnd()
    return text.split('\n').slice(-3).join('\n')
  }

  /** The ready file is renamed into its place: who can read it reads all of it. */
  private async placeIn(file: string): Promise<Place> {
    const place = await this.waitFor('listen', async () => readIfThere(file))
    const { pid, url } = JSON.parse(place)
    // To look the name up costs more than the question.
    return { pid, url: String(url).replace('//localhost:', '//127.0.0.1:') }
  }

  /** The network starts after all the rest. */
  private withAddress(client: NodeClient): Promise<StatusAnswer> {
    return this.waitFor('open its port for other nodes', async () => {
      const status = await client.status()
      return status.p2p.length > 0 ? status : undefined
    })
  }

  private async waitFor<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
    const { limit, signal } = this.setting
    const deadline = Date.now() + limit
    for (;;) {
      signal.throwIfAborted()
      const found = await attempt()
      if (found !== undefined) return found
      if (Date.now() > deadline) throw this.lost(`did not ${what} within ${limit / 1000} s`)
      await delay(LOOK_AGAIN_MS, undefined, { signal })
    }
  }

  private async end(how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { life } = this
    if (life.state === 'down') return
    this.life = { state: 'down' }
    this.status = undefined
    const { child } = life
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const gone = once(child, 'exit')
    child.kill(how)
    const late = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS)
    await gone
    clearTimeout(late)
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
