/** The node at a glance, and whether it works. */
import { nextTarget } from '@bc/core'
import { type App, answers } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { HealthSchema, NoQuery, StatusSchema } from '../schemas.ts'

export function statusRoutes(app: App, { chain, admission, miner, identity, network, version }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/status',
    schema: {
      summary: 'The node and its chain at a glance',
      querystring: NoQuery,
      response: answers(200, StatusSchema),
    },
    handler: async () => {
      const { head, waiting } = await chain.atRest(async () => ({ head: chain.head, waiting: admission.pool.size }))
      const { id, rules } = chain
      return {
        chain: id,
        rules,
        height: head.index,
        tip: head.hash,
        timestamp: head.timestamp,
        work: String(head.totalWork),
        target: nextTarget(head, rules),
        pool: waiting,
        address: identity.address,
        peers: network.peers,
        p2p: network.addresses(),
        sync: network.progress ?? null,
        mining: miner.busy,
        version,
      }
    },
  })
  app.route({
    method: 'GET',
    url: '/health',
    schema: { summary: 'Whether the node works', querystring: NoQuery, response: answers(200, HealthSchema) },
    handler: async () => ({ status: 'ok' as const, height: chain.head.index }),
  })
}
