/**
 * A node in a process of its own, so that what it costs to be attacked is measured apart from the attack. Started by
 * {@link startVictim}; answers to messages.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pino } from 'pino'
import { type RunningNode, startNode } from '../../src/node.ts'
import { networkConfig, networkRules } from './network-chain.ts'

const { dataDirectory, rules, level = 'silent', port = 0, peers = [] } = JSON.parse(process.argv[2] ?? '{}')
let peak = 0
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, 25).unref()
const delays = monitorEventLoopDelay({ resolution: 5 })

const node: RunningNode = await startNode({
  config: networkConfig(networkRules(rules)),
  host: '127.0.0.1',
  port: 0,
  dataDirectory,
  mine: false,
  network: { port, discovery: false, peers },
  repair: false,
  log: pino({ level }, pino.destination(2)),
  console: () => undefined,
})
node.failed.then((error) => process.send?.({ failed: String(error.stack) }))

function measure() {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const answer = {
    rss,
    heapUsed,
    external,
    arrayBuffers,
    peak,
    p99: delays.percentile(99) / 1e6,
    max: delays.max / 1e6,
  }
  peak = rss
  delays.reset()
  delays.enable()
  return answer
}

// Of listeners, above all: what is kept for each peer that may come adds up.
process.on('warning', (warning) => process.send?.({ failed: String(warning.stack) }))
process.on('message', async (message) => {
  if (message === 'measure') process.send?.({ measured: measure() })
  if (message === 'stop') {
    await node.stop()
    process.exit(0)
  }
})
process.on('disconnect', () => process.exit(1))
process.send?.({ started: { url: node.url, chain: node.chain } })
