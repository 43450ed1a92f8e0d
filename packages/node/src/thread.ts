import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

/**
 * Tests run the sources, a thread always the bundled file: it is found through the package's own exports, and doesn't
 * inherit the condition by which the tests find the sources.
 */
export function startThread(name: 'seal-worker' | 'signature-worker'): Worker {
  return new Worker(createRequire(import.meta.url).resolve(`@bc/node/${name}`), { execArgv: [] })
}
