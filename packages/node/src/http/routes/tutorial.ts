/** The tutorial's HTTP contract, kept to the letter (protocol.md). */
import type { Socket } from 'node:net'
import { RuleError } from '@bc/core'
import { readSubmission, SUBMISSION_BYTES } from '../../pool/submission.ts'
import { sharedEnd } from '../../shared-end.ts'
import { type App, answers, refuses, sendJson } from '../app.ts'
import { chainStream } from '../chain-stream.ts'
import type { RouteContext } from '../context.ts'
import { clientGone } from '../errors.ts'
import { invalidRequest } from '../form-faults.ts'
import { poolStream } from '../pool-stream.ts'
import {
  AcceptedSchema,
  type BlockAnswer,
  ChainSchema,
  MinedSchema,
  NewTransactionSchema,
  NodesSchema,
  NoQuery,
  RegisteredSchema,
  RegisterSchema,
  ResolvedSchema,
  SecretSchema,
  WaitingSchema,
} from '../schemas.ts'
import { formFault } from '../transaction-form.ts'

export function tutorialRoutes(app: App, context: RouteContext): void {
  mine(app, context)
  chain(app, context)
  transactions(app, context)
  secret(app, context)
  neighbourhood(app, context)
}

function mine(app: App, { miner }: RouteContext): void {
  const gone = goneSignals()
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
    handler: async (request) => {
      const { block, hash } = await miner.mine(gone(request.socket))
      return { message: 'New Block Created' as const, hash, ...(block as unknown as BlockAnswer) }
    },
  })
}

/**
 * Signals that abort once the client has gone away, one for each connection: it alone tells. Of several pipelined
 * requests only the first would hear of it, and a connection takes but a few listeners.
 */
function goneSignals(): (socket: Socket) => AbortSignal {
  const signals = new WeakMap<Socket, AbortSignal>()
  return (socket) => {
    const known = signals.get(socket)
    if (known) return known
    const gone = sharedEnd()
    const abort = () => gone.abort(clientGone())
    if (socket.destroyed) abort()
    else socket.once('close', abort)
    signals.set(socket, gone.signal)
    return gone.signal
  }
}

function chain(app: App, context: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/chain',
    exposeHeadRoute: false,
    schema: { summary: 'The whole chain', querystring: NoQuery, response: answers(200, ChainSchema) },
    handler: async (_, reply) => sendJson(reply, chainStream(context, '{"chain": ', true)),
  })
}

function transactions(app: App, { admission, chain, network }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/transactions',
    schema: { summary: 'What waits for a block', querystring: NoQuery, response: answers(200, WaitingSchema) },
    handler: async (_, reply) => sendJson(reply, poolStream(admission.pool)),
  })
  app.route({
    method: 'POST',
    url: '/transactions/new',
    bodyLimit: SUBMISSION_BYTES,
    config: { changes: true },
    schema: {
      summary: 'Hand in a signed transaction',
      querystring: NoQuery,
      body: NewTransactionSchema,
      response: { ...answers(201, AcceptedSchema), ...refuses(400, 401, 409, 422, 429, 503) },
    },
    schemaErrorFormatter: (errors, part) => (part === 'body' ? formFault(errors) : invalidRequest(errors, part)),
    handler: async (request, reply) => {
      // Of the time before: by the time of the answer it may have been mined.
      const index = chain.head.index + 1
      const { id, transaction } = await admission.submit(readSubmission(request.body))
      network.announceTransaction(transaction)
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

function neighbourhood(app: App, context: RouteContext): void {
  const { neighbours } = context
  app.route({
    method: 'GET',
    url: '/nodes',
    schema: { summary: 'The neighbours', querystring: NoQuery, response: answers(200, NodesSchema) },
    handler: async () => {
      const nodes = neighbours.names()
      return { nodes, length: nodes.length }
    },
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
    schemaErrorFormatter: (errors, part) => {
      const isOfNodes = part === 'body' && errors.some(({ keyword }) => keyword !== 'additionalProperties')
      if (!isOfNodes) return invalidRequest(errors, part)
      const long = errors.find(({ keyword }) => keyword === 'maxItems')
      const fault = long ? `: at most ${long.params.limit} are registered at once` : ''
      return new RuleError('request.invalid', `Error: Please supply a valid list of nodes${fault}`)
    },
    handler: async (request, reply) => {
      await neighbours.register(request.body.nodes)
      reply.code(201)
      return { message: 'New nodes have been added', total_nodes: neighbours.names() }
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
    handler: async (_, reply) => {
      const start = (await neighbours.resolve())
        ? '{"message": "Our chain was replaced", "new_chain": '
        : '{"message": "Our chain is authoritative", "chain": '
      return sendJson(reply, chainStream(context, start, false))
    },
  })
}
