/** The tutorial's HTTP contract, kept to the letter (protocol.md). */
import { RuleError } from '@bc/core'
import type { FastifyReply } from 'fastify'
import { readSubmission } from '../../pool/submission.ts'
import { type App, answers, refuses, sendJson } from '../app.ts'
import { chainStream } from '../chain-stream.ts'
import type { RouteContext } from '../context.ts'
import {
  AcceptedSchema,
  ChainSchema,
  MinedSchema,
  NewTransactionSchema,
  NodesSchema,
  NoQuery,
  RegisteredSchema,
  RegisterSchema,
  ResolvedSchema,
  SecretSchema,
  type StoredBlock,
  WaitingSchema,
} from '../schemas.ts'

/** A reader that takes nothing for this long is cut off, and the snapshot it holds let go. */
const SLOW_READER_MS = 30_000

export function tutorialRoutes(app: App, context: RouteContext): void {
  mine(app, context)
  chain(app, context)
  transactions(app, context)
  secret(app, context)
  neighbours(app, context)
}

function mine(app: App, { miner }: RouteContext): void {
  app.route({
    // The tutorial asks with GET; POST is what a request that changes something should be.
    method: ['GET', 'POST'],
    url: '/mine',
    exposeHeadRoute: false,
    config: { operator: true },
    schema: {
      summary: 'Mine a block',
      querystring: NoQuery,
      response: { ...answers(200, MinedSchema), ...refuses(403, 422, 503) },
    },
    handler: async (_, reply) => {
      const { block, hash } = await miner.mine(goneSignal(reply))
      return { message: 'New Block Created' as const, hash, ...(block as unknown as StoredBlock) }
    },
  })
}

/** Aborts once the client has gone away without waiting for the answer. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort(new RuleError('request.timeout', 'The client has gone away.'))
  })
  return gone.signal
}

function chain(app: App, { store }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/chain',
    exposeHeadRoute: false,
    schema: { summary: 'The whole chain', querystring: NoQuery, response: answers(200, ChainSchema) },
    handler: async (_, reply) => streamed(reply, chainStream(store, '{"chain": ', true)),
  })
}

function streamed(reply: FastifyReply, stream: ReturnType<typeof chainStream>): FastifyReply {
  reply.raw.setTimeout(SLOW_READER_MS, () => reply.raw.destroy())
  return sendJson(reply, stream)
}

function transactions(app: App, { admission, chain }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/transactions',
    schema: { summary: 'What waits for a block', querystring: NoQuery, response: answers(200, WaitingSchema) },
    handler: async () => {
      const waiting = [...admission.pool.list()].map(({ transaction }) => transaction)
      return { transactions: waiting, length: waiting.length }
    },
  })
  app.route({
    method: 'POST',
    url: '/transactions/new',
    config: { changes: true },
    schema: {
      summary: 'Hand in a signed transaction',
      querystring: NoQuery,
      body: NewTransactionSchema,
      response: { ...answers(201, AcceptedSchema), ...refuses(400, 401, 409, 422, 429, 503) },
    },
    schemaErrorFormatter: (errors) => {
      const missing = errors.flatMap(({ keyword, params }) => (keyword === 'required' ? [params.missingProperty] : []))
      if (missing.length > 0) return new RuleError('tx.shape', `Missing values: ${missing.join(', ')}.`)
      const [{ instancePath, message } = { instancePath: '', message: '' }] = errors
      return new RuleError('tx.shape', `This is no transaction: body${instancePath} ${message}.`)
    },
    handler: async (request, reply) => {
      const { id, transaction } = await admission.submit(readSubmission(request.body))
      const index = chain.head.index + 1
      reply.code(201)
      return { message: `Transaction will be added to Block ${index}`, index, id, transaction }
    },
  })
}

function secret(app: App, { identity, console }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/secret',
    exposeHeadRoute: false,
    config: { operator: true },
    schema: {
      summary: "Show the node's secret on the node's own terminal",
      querystring: NoQuery,
      response: { ...answers(200, SecretSchema), ...refuses(403) },
    },
    handler: async () => {
      console(
        `\n  ── secret of this node ──\n\n  address  ${identity.address}\n  secret   ${identity.secret}\n\n  ── whoever has it has the coins ──\n\n`,
      )
      return { message: 'secret sent in console...' }
    },
  })
}

function neighbours(app: App, { store }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/nodes',
    schema: { summary: 'The neighbours', querystring: NoQuery, response: answers(200, NodesSchema) },
    handler: async () => ({ nodes: [], length: 0 }),
  })
  app.route({
    method: 'POST',
    url: '/nodes/register',
    config: { operator: true },
    schema: {
      summary: 'Add neighbours',
      querystring: NoQuery,
      body: RegisterSchema,
      response: { ...answers(201, RegisteredSchema), ...refuses(400, 403, 422) },
    },
    schemaErrorFormatter: () => new RuleError('request.invalid', 'Error: Please supply a valid list of nodes'),
    // Until nodes talk to each other the neighbourhood is empty, whoever is named.
    handler: async (_, reply) => {
      reply.code(201)
      return { message: 'New nodes have been added', total_nodes: [] }
    },
  })
  app.route({
    method: 'GET',
    url: '/nodes/resolve',
    exposeHeadRoute: false,
    config: { operator: true },
    schema: {
      summary: 'Adopt the chain with the most work among the neighbours',
      querystring: NoQuery,
      response: { ...answers(200, ResolvedSchema), ...refuses(403) },
    },
    handler: async (_, reply) =>
      streamed(reply, chainStream(store, '{"message": "Our chain is authoritative", "chain": ', false)),
  })
}
