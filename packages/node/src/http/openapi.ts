/** The OpenAPI document: made of the schemas that validate, for the first who asks. */
import Fastify, { type FastifySchema, type RouteOptions } from 'fastify'
import { type App, COMPILERS } from './app.ts'
import { ErrorSchema } from './schemas.ts'

const REFUSAL = { ...ErrorSchema, description: 'Any other refusal' }

/** From this machine the operator needs no token (guard.ts). */
const OPERATOR = [{}, { operator: [] }]
const OPERATOR_TOKEN = {
  type: 'http',
  scheme: 'bearer',
  description:
    "What is the operator's: from another machine it takes what stands in the data directory's operator-token",
} as const

type Route = Pick<RouteOptions, 'method' | 'url'> & { readonly schema: FastifySchema }

/** Sees each route that is added after it. */
export class ApiDescription {
  private readonly version: string
  private readonly routes: Route[] = []
  private made: Promise<object> | undefined

  constructor(app: Pick<App, 'addHook'>, version: string) {
    this.version = version
    app.addHook('onRoute', ({ method, url, schema = {}, config = {} }) => {
      this.routes.push({ method, url, schema: config.operator ? { ...schema, security: OPERATOR } : schema })
    })
  }

  document(): Promise<object> {
    this.made ??= this.make()
    return this.made
  }

  /**
   * @fastify/swagger describes the routes of the app that it is in. That is another one here, which never listens: a
   * node that nobody asks need not load it.
   */
  private async make(): Promise<object> {
    const { default: swagger } = await import('@fastify/swagger')
    // The HEAD of each GET is among the routes already.
    const app = Fastify({ exposeHeadRoutes: false, schemaController: { compilersFactory: COMPILERS } })
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'bc',
          version: this.version,
          description: 'A small proof-of-work ledger with signed transactions.',
        },
        components: { securitySchemes: { operator: OPERATOR_TOKEN } },
      },
      // Any route may refuse for reasons that aren't its own: the guard's, the rate limit's, a parameter of a wrong form.
      transform: ({ schema, url }) => ({
        schema: { ...schema, response: { ...(schema.response as object), default: REFUSAL } },
        url,
      }),
    })
    for (const route of this.routes) app.route({ ...route, handler: () => undefined })
    await app.ready()
    return app.swagger()
  }
}
