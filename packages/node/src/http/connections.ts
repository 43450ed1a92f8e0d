/** What happens on a connection beside its requests: what is no request, requests that never end, and the end of all. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { RuleCode } from '@bc/core'
import type { FastifyInstance } from 'fastify'
import { Counts } from '../counts.ts'
import { stoppingError } from '../errors.ts'
import { strangerAt } from '../network/hosts.ts'
import { answerOf } from './errors.ts'

/** Answers that are under way when the node stops have this long. */
const DRAIN_MS = 5_000
const LOOK_MS = 20
/**
 * A reader that takes nothing for this long is cut off, and what is held for it let go. In the midst of a write Node
 * waits once more: for one who had begun to read it is a minute.
 */
const SLOW_READER_MS = 30_000
/** How long a refused connection may stay half open. */
const LINGER_MS = 1_000

/** Connections in all: where 1,024 descriptors are the hard limit, files, threads and peers need some of them. */
const MOST = 800
/** Of one network of strangers: nobody can take all of them. */
const MOST_OF_A_NETWORK = MOST / 2

const UNREADABLE: Readonly<Record<string, [RuleCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request.timeout', 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: ['request.too_large', 'The headers are too large.'],
}

export class Connections {
  /** Every answer that is owed, as long as its connection lasts. */
  private readonly owed = new Map<Socket, Set<ServerResponse>>()
  /** To the newest request of each connection: no other can be unfinished. */
  private readonly newest = new WeakMap<Socket, ServerResponse>()
  /** How many each network has open. */
  private readonly networks = new Counts()
  private closing = false

  watch(app: Pick<FastifyInstance, 'addHook' | 'server'>): void {
    app.server.maxConnections = MOST
    app.server.on('connection', (socket) => this.share(socket))
    // Also to one that comes by no hook: what the router itself refuses.
    app.server.on('request', ({ socket }, response) => void this.newest.set(socket, response))
    app.addHook('onRequest', ({ raw: { socket } }, { raw: response }, done) => {
      if (this.closing) throw stoppingError()
      const answers = this.answersTo(socket)
      answers.add(response)
      response.once('close', () => answers.delete(response))
      done()
    })
    // Not before: an answer may be long in coming. Afterwards Node has a time of its own for idle connections.
    app.addHook('onSend', ({ raw: { socket } }, { raw }, payload, done) => {
      raw.setTimeout(SLOW_READER_MS, () => raw.destroy())
      raw.once('finish', () => this.lift(socket))
      done(null, payload)
    })
    app.addHook('preClose', () => this.drain())
    // An expectation that we don't know may be ignored (RFC 9110, 10.1.1); Node would refuse it without a body.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  }

  /** What is no HTTP request at all, or never becomes one, still gets an answer of our shape. */
  readonly refuseUnreadable = (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    // The fault is in the body of a request that is answered, or being answered: nothing may stand in that or after it.
    const newest = this.newest.get(socket)
    if (newest?.headersSent && !newest.req.complete) return void socket.destroy()
    const before = [...(this.owed.get(socket) ?? [])].filter(({ req }) => req.complete).at(-1)
    if (before) before.once('close', () => refuse(error, socket))
    else refuse(error, socket)
  }

  /** Of pipelined answers the next may be long in coming as well: Node gives its own time to an idle connection alone. */
  private lift(socket: Socket): void {
    const open = [...(this.owed.get(socket) ?? [])].filter(({ writableFinished }) => !writableFinished)
    if (open.length > 0 && !open.some(({ headersSent }) => headersSent)) socket.setTimeout(0)
  }

  /** Hangs up on who comes from a network that has its share already. */
  private share(socket: Socket): void {
    const network = strangerAt(socket.remoteAddress)
    if (network === undefined) return
    if (this.networks.of(network) >= MOST_OF_A_NETWORK) return void socket.destroy()
    this.networks.add(network)
    socket.once('close', () => this.networks.remove(network))
  }

  private answersTo(socket: Socket): Set<ServerResponse> {
    const known = this.owed.get(socket)
    if (known) return known
    const answers = new Set<ServerResponse>()
    this.owed.set(socket, answers)
    socket.once('close', () => {
      this.owed.delete(socket)
      for (const answer of answers) if (answer.socket === null) abandon(answer)
    })
    return answers
  }

  /**
   * Waits for the answers that are owed, as long as there is somebody to take them. Whatever is left is then hung up
   * on, also those who never sent anything: Node's own close would wait for them forever.
   */
  private async drain(): Promise<void> {
    this.closing = true
    const end = Date.now() + DRAIN_MS
    while (this.isOwing() && Date.now() < end) await delay(LOOK_MS)
  }

  private isOwing(): boolean {
    return [...this.owed.values()].some(({ size }) => size > 0)
  }
}

/** Of pipelined answers Node tells the first one alone that its client has gone: what the others hold would stay. */
function abandon(answer: ServerResponse): void {
  answer.destroy()
  answer.emit('close')
}

function refuse({ code }: { code?: string }, socket: Socket): void {
  const answer = answerOf(...(UNREADABLE[code ?? ''] ?? (['request.invalid', 'This is no HTTP request.'] as const)))
  const body = JSON.stringify(answer)
  socket.end(
    `HTTP/1.1 ${answer.statusCode} ${answer.error}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Who has not hung up by then would keep one of our connections for good.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
