import { Worker } from 'node:worker_threads'

/**
 * Tests run the sources, a thread always the bundled file, and without the condition by which the tests find the sources.
 * That file is not looked for: what Node has not found once, as for want of descriptors, it never finds again.
 */
export function startThread(name: 'seal-worker' | 'signature-worker'): Worker {
  return new Worker(new URL(`../bundle/${name}.cjs`, import.meta.url), { execArgv: [] })
}
