/** One of the threads of {@link verifyAlone}: tells that it is ready, and then how many signatures were bad. */
import { parentPort, workerData } from 'node:worker_threads'
import { nativeVerifier } from '@bc/wallet'
import { CHECK_BYTES, type Checks, checkAt } from './checks.ts'

/** Signatures that are taken at once. */
const SHARE = 64

const { checks, next } = workerData as { checks: Checks; next: Int32Array }
const verifier = nativeVerifier()
if (parentPort === null || verifier === undefined) throw new TypeError('this thread needs a parent and libsecp256k1')
const port = parentPort
const count = checks.length / CHECK_BYTES

// Compiled and warm before anybody counts.
for (let i = 0; i < Math.min(count, 2_000); i++) verifier.verify(...checkAt(checks, i))
port.once('message', () => {
  let bad = 0
  for (let from = Atomics.add(next, 0, SHARE); from < count; from = Atomics.add(next, 0, SHARE))
    for (let i = from; i < Math.min(from + SHARE, count); i++) if (!verifier.verify(...checkAt(checks, i))) bad++
  port.postMessage(bad)
})
port.postMessage('ready')
