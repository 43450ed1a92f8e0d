/** A node's mining threads, as a node uses them: how many nonces they try. */
import { setTimeout as delay } from 'node:timers/promises'
import { SealThreads } from '@bc/node/seal-threads'
import { jobOf } from './job.ts'

/** No nonce meets it. */
const NEVER = jobOf('0')
/** Until the threads have settled on a kernel, and V8 has optimised it. */
const WARM_UP_SECONDS = 3

export interface Searching {
  /** Attempts per second, by the clock. */
  readonly byClock: number
  /** Attempts per second of processor time: per second and core. */
  readonly byProcessor: number
}

export class Threads {
  private readonly threads: SealThreads

  private constructor(count: number) {
    this.threads = new SealThreads(count)
  }

  static async warm(count: number): Promise<Threads> {
    const threads = new Threads(count)
    await threads.search(WARM_UP_SECONDS)
    return threads
  }

  async search(seconds: number): Promise<Searching> {
    const stop = new AbortController()
    const search = this.threads.search(NEVER, stop.signal).catch((error: unknown) => error)
    const [attempts, start, processor] = [this.threads.attempts, performance.now(), process.cpuUsage()]
    await delay(seconds * 1_000)
    const { user, system } = process.cpuUsage(processor)
    const [tried, milliseconds] = [this.threads.attempts - attempts, performance.now() - start]
    stop.abort()
    const reason = await search
    if (reason !== stop.signal.reason) throw new Error('the search has ended by itself', { cause: reason })
    return { byClock: (tried * 1_000) / milliseconds, byProcessor: (tried * 1e6) / (user + system) }
  }

  async close(): Promise<void> {
    await this.threads.close()
  }
}
