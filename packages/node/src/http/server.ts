import { type App, type AppOptions, createApp } from './app.ts'
import type { RouteContext } from './context.ts'
import { ApiDescription } from './openapi.ts'
import { batchRoutes } from './routes/batches.ts'
import { eventRoutes } from './routes/events.ts'
import { exploreRoutes } from './routes/explore.ts'
import { tutorialRoutes } from './routes/tutorial.ts'
import { NoQuery } from './schemas.ts'

/** The whole HTTP API, not yet listening. */
export async function createServer(options: AppOptions, context: RouteContext): Promise<App> {
  const app = await createApp(options)
  const description = new ApiDescription(app, context.version)
  tutorialRoutes(app, context)
  exploreRoutes(app, context)
  eventRoutes(app, context)
  context.moreRoutes?.(app)
  await batchRoutes(app, context)
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: { hide: true, querystring: NoQuery },
    handler: () => description.document(),
  })
  await app.ready()
  return app
}
