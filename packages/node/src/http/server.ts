import { type App, type AppOptions, answers, createApp } from './app.ts'
import type { RouteContext } from './context.ts'
import { ApiDescription } from './openapi.ts'
import { accountRoutes } from './routes/accounts.ts'
import { batchRoutes } from './routes/batches.ts'
import { blockRoutes } from './routes/blocks.ts'
import { eventRoutes } from './routes/events.ts'
import { statusRoutes } from './routes/status.ts'
import { transactionRoutes } from './routes/transactions.ts'
import { tutorialRoutes } from './routes/tutorial.ts'
import { DocumentSchema, NoQuery } from './schemas.ts'

/** The whole HTTP API, not yet listening. */
export async function createServer(options: AppOptions, context: RouteContext): Promise<App> {
  const app = await createApp(options)
  const description = new ApiDescription(app, context.version)
  tutorialRoutes(app, context)
  statusRoutes(app, context)
  blockRoutes(app, context)
  transactionRoutes(app, context)
  accountRoutes(app, context)
  eventRoutes(app, context)
  context.moreRoutes?.(app)
  await batchRoutes(app, context)
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: { summary: 'This document', querystring: NoQuery, response: answers(200, DocumentSchema) },
    handler: () => description.document(),
  })
  await app.ready()
  return app
}
