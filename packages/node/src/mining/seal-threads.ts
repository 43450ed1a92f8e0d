import { randomBytes } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import type { SealJob } from '@bc/core'
import { sharedEnd } from '../shared-end.ts'
import { startThread } from '../thread.ts'
import type { SealResult, SealTask } from './seal-worker.ts'

/**
 * Threads that share one search at a time, each from a start of its own in the nonce's 64 bits. They start with the
 * first search and live until {@link close}.
 */
export class SealThreads {
  private readonly size: number
  private readonly wanted = new SharedArrayBuffer(4)
  private readonly word = new Int32Array(this.wanted)
  private readonly tried = new SharedArrayBuffer(8)
  private readonly count = new BigUint64Array(this.tried)
  private workers: Worker[] = []
  private number = 0

  constructor(count: number) {
    this.size = count
  }

  /** Nonces that were tried so far, in all searches. It grows every millisecond or two. */
  get attempts(): number {
    return Number(Atomics.load(this.count, 0))
  }

  /**
   * @returns a nonce whose seal meets the target
   * @throws the signal's reason, once it is aborted
   */
  async search(job: SealJob, signal: AbortSignal): Promise<bigint> {
    signal.throwIfAborted()
    const number = ++this.number
    Atomics.store(this.word, 0, number)
    const workers = this.start()
    const stop = sharedEnd()
    try {
      return await new Promise<bigint>((resolve, reject) => {
        const once = { signal: stop.signal }
        signal.addEventListener('abort', () => reject(signal.reason), once)
        for (const worker of workers) {
          listen(
            worker,
            'message',
            (result: SealResult) => result.number === number && resolve(result.nonce),
            once.signal,
          )
          listen(worker, 'error', reject, once.signal)
          listen(worker, 'exit', () => reject(new Error('a mining thread has ended')), once.signal)
        }
        const share = 2n ** 64n / BigInt(workers.length)
        // Another search of the same job, as while our clock is behind the parent's time, must not try the same nonces.
        const start = randomBytes(8).readBigUInt64BE() % (share / 2n)
        for (const [i, worker] of workers.entries())
          worker.postMessage({
            number,
            job,
            from: share * BigInt(i) + start,
            wanted: this.wanted,
            tried: this.tried,
          } satisfies SealTask)
      })
    } finally {
      stop.abort()
      // No task has the number 0: the threads look at it every millisecond or two and stop.
      Atomics.store(this.word, 0, 0)
    }
  }

  async close(): Promise<void> {
    Atomics.store(this.word, 0, 0)
    const workers = this.workers
    this.workers = []
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  private start(): readonly Worker[] {
    while (this.workers.length < this.size) {
      const worker = startThread('seal-worker')
      worker.unref()
      // Its search hears of it too; but of two that fail together the second has no search any more.
      worker.on('error', () => undefined)
      worker.on('exit', () => {
        this.workers = this.workers.filter((other) => other !== worker)
      })
      this.workers.push(worker)
    }
    return this.workers
  }
}

function listen<T>(worker: Worker, event: string, listener: (value: T) => void, signal: AbortSignal): void {
  worker.on(event, listener)
  signal.addEventListener('abort', () => worker.off(event, listener))
}
