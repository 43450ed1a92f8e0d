/** A thread that searches nonces: a job in, the nonce out, unless the job is called off before. */
import { randomUUID } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { SealJob } from '@bc/core'
import { fastestKernel, simdKernels } from '@bc/core/kernel'

export interface SealTask {
  readonly number: number
  readonly job: SealJob
  /** Where this thread starts; the others start elsewhere. */
  readonly from: bigint
  /** One 32-bit word: the number of the task that is wanted now. */
  readonly wanted: SharedArrayBuffer
  /** One 64-bit word: nonces that all threads have tried so far. */
  readonly tried: SharedArrayBuffer
}

export interface SealResult {
  readonly number: number
  readonly nonce: bigint
}

/** Attempts between two looks at `wanted`: a millisecond or two, and a dozen where only the plain kernel can run. */
const ATTEMPTS = 16_384

if (parentPort === null) throw new TypeError('this module is the body of a worker thread')
const port = parentPort
const kernel = fastestKernel(simdKernels(), { now: () => performance.now(), salt: randomUUID() })

port.on('message', ({ number, job, from, wanted, tried }: SealTask) => {
  const word = new Int32Array(wanted)
  const count = new BigUint64Array(tried)
  for (let nonce = from; Atomics.load(word, 0) === number; nonce += BigInt(ATTEMPTS)) {
    const found = kernel.searchNonce(job, nonce, ATTEMPTS)
    Atomics.add(count, 0, found === undefined ? BigInt(ATTEMPTS) : found - nonce + 1n)
    if (found === undefined) continue
    port.postMessage({ number, nonce: found } satisfies SealResult)
    return
  }
})
