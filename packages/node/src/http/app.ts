/** Fastify as it is set up here: nothing is coerced, every input has a limit, every error has our shape. */
import { STATUS_CODES } from 'node:http'
import type { Readable } from 'node:stream'
import { parseJson, quoted, RuleError } from '@bc/core'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import type { TSchema } from 'typebox'
import type { Log } from '../log.ts'
import { isLoopback } from '../network/hosts.ts'
import { Connections } from './connections.ts'
import { answerOf, explain, reportDamage } from './errors.ts'
import { invalidRequest } from './form-faults.ts'
import { type GuardOptions, guard, isThisMachine, type RouteAccess } from './guard.ts'
import { buildLateValidators } from './late-validators.ts'
import { ErrorSchema } from './schemas.ts'

declare module 'fastify' {
  interface FastifyContextConfig extends RouteAccess {}
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

const JSON_TYPE = 'application/json; charset=utf-8'

/** For text that is JSON already: it goes out byte for byte. */
export function sendJson(reply: FastifyReply, text: string | Buffer | Readable): FastifyReply {
  return reply.type(JSON_TYPE).send(text)
}

/** No request of the API is longer: a transaction has at most 2 KB, a list of neighbours is the longest. */
const BODY_BYTES = 100_000
const BODY_DEPTH = 8
/** A request has this long to arrive, which is looked at now and then. Its answer may take longer: mining does. */
const REQUEST_MS = 15_000
const REQUEST_LOOK_MS = 3_000
/** Requests a second of one stranger. This machine's own are its user's business. */
const REQUESTS_A_SECOND = 50

export interface AppOptions extends GuardOptions {
  readonly log: Log
  /** Where it is to listen. */
  readonly host: string
  /** Something happened after which the node can't go on. */
  readonly onFailure: (error: unknown) => void
}

/** The schemas of answers describe and test; serialising by them would drop what they don't know. */
export const COMPILERS = {
  buildValidator: buildLateValidators,
  buildSerializer: () => () => (data: unknown) => JSON.stringify(data),
}

export async function createApp(options: AppOptions): Promise<App> {
  const connections = new Connections()
  const app = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    http: {
      // Node swaps the two where this one, 60 s by default, is longer than the other.
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: REQUEST_LOOK_MS,
      // A request without a Host is the guard's to refuse: Node would do it without a body.
      requireHostHeader: false,
    },
    // Once what is under way has been answered (see connections.ts); what comes meanwhile is refused in our own shape.
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    // What somebody signed is taken as it is or refused, never rewritten (threats.md, trap 2).
    // All errors are listed, so that whoever left out three fields need not ask three times: bodies are small.
    ajv: {
      // Our own schemas: that they are schemas is for tests to find, and to check it takes longer than all the rest.
      customOptions: {
        ...{ coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true },
        validateSchema: false,
      },
    },
    schemaController: { compilersFactory: COMPILERS },
    schemaErrorFormatter: invalidRequest,
    frameworkErrors: (error, _, reply) => {
      const answer = explain(error) ?? answerOf('request.invalid', error.message)
      sendJson((reply as FastifyReply).code(answer.statusCode), JSON.stringify(answer))
    },
    clientErrorHandler: connections.refuseUnreadable,
  }).withTypeProvider<TypeBoxTypeProvider>()
  parseBodiesStrictly(app)
  answerErrors(app, options)
  // All that follows is done for every request before a byte of its body is read, but for those whose path is none: the
  // router answers them at once.
  connections.watch(app)
  // Nobody else reaches a node that listens here alone, and it starts the sooner.
  if (!isThisMachine(options.host)) await limitRate(app)
  app.addHook('onRequest', (request, _, done) => {
    guard(request, request.routeOptions.config, options)
    done()
  })
  refuseUnknown(app)
  forgetEmptyTypes(app)
  return app as unknown as App
}

/** An answer's schema, for the OpenAPI document and the tests. */
export function answers<Status extends number, Schema extends TSchema>(status: Status, schema: Schema) {
  return { [status]: schema } as Record<Status, Schema>
}

export function refuses(...statuses: number[]) {
  return Object.fromEntries(statuses.map((status) => [status, { ...ErrorSchema, description: STATUS_CODES[status] }]))
}

function parseBodiesStrictly(app: Pick<FastifyInstance, 'removeAllContentTypeParsers' | 'addContentTypeParser'>): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) =>
    parseJson(body, { maxBytes: BODY_BYTES, maxDepth: BODY_DEPTH }),
  )
  refuseOtherTypes(app, 'application/json')
}

/** Fastify's own refusal doesn't say what is taken. */
export function refuseOtherTypes(app: Pick<FastifyInstance, 'addContentTypeParser'>, type: string): void {
  app.addContentTypeParser('*', async () => {
    throw new RuleError('request.media_type', `A body of the type ${type} was expected.`)
  })
}

/**
 * What isn't there has no type, whatever `curl -d ''` says, unless the route takes a body, which may be of no lines. And
 * what is no type at all is none: Fastify would refuse it in words of its own before any parser.
 */
function forgetEmptyTypes(app: Pick<FastifyInstance, 'addHook'>): void {
  app.addHook('onRequest', ({ headers, mediaType, routeOptions }, _, done) => {
    const isEmpty = (headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined
    if (mediaType === undefined || (isEmpty && !routeOptions.schema?.body)) delete headers['content-type']
    done()
  })
}

function answerErrors(app: Pick<FastifyInstance, 'setErrorHandler'>, options: AppOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = explain(error)
    reportDamage(error, options.onFailure)
    if (answer) return reply.code(answer.statusCode).send(answer)
    request.log.error(error, 'A bug: the request was not answered.')
    return reply.code(500).send(answerOf('node.internal', 'The node has met a bug of its own: its log says more.'))
  })
}

/** A path that doesn't know the method is another mistake than a path that isn't there. */
function refuseUnknown(app: Pick<FastifyInstance, 'addHook'>): void {
  const routes: { readonly pattern: string; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: url, methods: [method].flat() })
  })
  // Not by Fastify's handler of what isn't found: what is wrong with the body would come first.
  app.addHook('onRequest', ({ is404, method, url }, reply, done) => {
    if (!is404) return done()
    const path = pathOf(url)
    const known = routes.filter(({ pattern }) => matches(pattern, path)).flatMap(({ methods }) => methods)
    const hasDev = routes.some(({ pattern }) => pattern.startsWith(DEV))
    if (known.length === 0) throw unknownPath(path, hasDev)
    reply.header('allow', known.join(', '))
    throw new RuleError('request.method', `${quoted(path)} knows ${known.join(', ')} and not ${method}.`)
  })
}

/** As the router reads it: also of a whole URL, and with what percent signs stand for; where that is nothing it has refused. */
function pathOf(url: string): string {
  const [path] = url.replace(/^https?:\/\/[^/?]*/i, '').split(/[?#]/)
  return decodeURI(path || '/')
}

const DEV = '/dev/'

function unknownPath(path: string, hasDev: boolean): RuleError {
  if (hasDev || !path.startsWith(DEV)) return new RuleError('request.not_found', `There is no ${quoted(path)}.`)
  return new RuleError('request.dev_only', 'This node is not in dev mode: bc-node --dev starts one that is.')
}

function matches(pattern: string, path: string): boolean {
  const given = path.split('/')
  const wanted = pattern.split('/')
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
}

async function limitRate(app: Pick<FastifyInstance, 'register' | 'rateLimit' | 'addHook'>): Promise<void> {
  const { default: rateLimit } = await import('@fastify/rate-limit')
  await app.register(rateLimit, {
    // By itself it would count the requests of routes alone.
    global: false,
    max: REQUESTS_A_SECOND,
    timeWindow: 1000,
    allowList: (request) => isLoopback(request.socket.remoteAddress),
    errorResponseBuilder: (_, { max, after }) =>
      new RuleError('request.rate', `More than ${max} requests a second: try again in ${after}.`),
  })
  app.addHook('onRequest', app.rateLimit())
}
