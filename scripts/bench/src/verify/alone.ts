/**
 * What the machine can do at the most: libsecp256k1 verifies signatures that lie ready as bytes, on all cores, and
 * nothing else happens. Nothing is parsed, hashed, decoded or stored.
 */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { CHECK_BYTES, type Checks } from './checks.ts'

/** @returns signatures per second */
export async function verifyAlone(checks: Checks): Promise<number> {
  // Whoever is done takes the next ones: no thread waits for a slower one.
  const next = new Int32Array(new SharedArrayBuffer(4))
  const file = new URL('./worker.js', import.meta.url)
  const workers = Array.from({ length: availableParallelism() }, () => {
    return new Worker(file, { workerData: { checks, next }, execArgv: [] })
  })
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    const start = performance.now()
    const done = Promise.all(workers.map((worker) => once(worker, 'message')))
    for (const worker of workers) worker.postMessage('start')
    const bad = (await done).reduce((sum, [count]) => sum + count, 0)
    const seconds = (performance.now() - start) / 1000
    if (bad > 0) throw new Error(`${bad} signatures of the bench are bad`)
    return checks.length / CHECK_BYTES / seconds
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}
