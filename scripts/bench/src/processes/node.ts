/** A real `bc-node` of this checkout, as its users start it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { StatusAnswer } from '@bc/node'
import { endWithUs, launcher, stopProcess } from './command.ts'

const LIMIT_MS = 600_000
/** For `execArgv`: see memory-probe.ts. */
export const MEMORY_PROBE = ['--expose-gc', '--import', new URL('./memory-probe.js', import.meta.url).href]

export interface NodeWords {
  /** Its data directory. */
  readonly directory: string
  readonly config: string
  /** Multiaddresses. */
  readonly peers?: readonly string[]
  /** For Node itself: a profiler, say. */
  readonly execArgv?: readonly string[]
  /** Beside those that follow from the above. */
  readonly flags?: readonly string[]
}

export class NodeProcess {
  readonly url: string
  private readonly child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.child = child
    this.url = url
  }

  /** Settles when it listens. */
  static async start({ directory, config, peers = [], execArgv = [], flags = [] }: NodeWords): Promise<NodeProcess> {
    const ready = join(directory, 'ready.json')
    const words = [
      ...[...execArgv, launcher('bc-node'), '-p', '0', '--host', '127.0.0.1', '--p2p-port', '0', '--no-discovery'],
      ...['--data-dir', directory, '--config', config, '--ready-file', ready, '--log-level', 'warn'],
      ...[...peers.flatMap((peer) => ['--peer', peer]), ...flags],
    ]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    endWithUs(child)
    for (const deadline = performance.now() + LIMIT_MS; !existsSync(ready); await delay(10))
      if (child.exitCode !== null || performance.now() > deadline) throw new Error('a node does not start')
    // To look the name up costs more than the question.
    const url = String(JSON.parse(readFileSync(ready, 'utf8')).url).replace('//localhost:', '//127.0.0.1:')
    return new NodeProcess(child, url)
  }

  async status(): Promise<StatusAnswer> {
    const answer = await fetch(`${this.url}/status`)
    return (await answer.json()) as StatusAnswer
  }

  /** Asks again and again. */
  async until(enough: (status: StatusAnswer) => boolean, everyMs: number): Promise<StatusAnswer> {
    const deadline = performance.now() + LIMIT_MS
    for (;;) {
      const status = await this.status()
      if (enough(status)) return status
      if (performance.now() > deadline) throw new Error(`a node is still at height ${status.height}`)
      await delay(everyMs)
    }
  }

  /**
   * Resident memory, in bytes, once the garbage is collected; of a node that was started with {@link MEMORY_PROBE}.
   */
  async memory(): Promise<number> {
    const answered = once(this.child, 'message', { signal: AbortSignal.timeout(LIMIT_MS) })
    this.child.send('memory')
    const [{ rss }] = (await answered) as [{ rss: number }]
    return rss
  }

  async stop(): Promise<void> {
    await stopProcess(this.child)
  }
}
