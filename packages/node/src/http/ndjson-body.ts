/** Bodies that are read line by line: their routes stand apart, since Fastify would hold such a body whole. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { RuleError } from '@bc/core'
import type { FastifyReply } from 'fastify'
import { LineSplitter, NDJSON_TYPE } from '../ndjson.ts'
import { type App, refuseOtherTypes } from './app.ts'

/** Routes whose bodies are `application/x-ndjson` and nothing else. Their `request.body` is the stream. */
export async function withLines(app: App, routes: (app: App) => void): Promise<void> {
  await app.register(async (scoped) => {
    scoped.removeAllContentTypeParsers()
    scoped.addContentTypeParser(NDJSON_TYPE, async (_: unknown, body: IncomingMessage) => body)
    refuseOtherTypes(scoped, NDJSON_TYPE)
    routes(scoped as unknown as App)
  })
}

export function sendLines(reply: FastifyReply, lines: Readable): FastifyReply {
  return reply.type(NDJSON_TYPE).send(lines)
}

export interface LineLimits {
  /** Of one line. */
  readonly maxLineBytes: number
  /** Of the body. */
  readonly maxBytes: number
}

/**
 * The lines of a body, as they come: also the blank ones, which count where a line is named by its number.
 * @throws RuleError `request.invalid` for a body of another type or none, `request.too_large` for one that is too long;
 *   a line that is too long is cut off, which is for whoever reads it to find
 */
export function linesOf(body: unknown, limits: LineLimits): AsyncGenerator<Uint8Array[]> {
  // Now, and not when the first line is asked for: then an answer may have begun.
  if (!isStream(body)) throw new RuleError('request.invalid', `A body of the type ${NDJSON_TYPE} was expected.`)
  return linesIn(body, limits)
}

async function* linesIn(body: Readable, { maxLineBytes, maxBytes }: LineLimits): AsyncGenerator<Uint8Array[]> {
  const splitter = new LineSplitter(maxLineBytes, { cutsLong: true })
  let length = 0
  // Leaving early must not destroy the request: with it would go the connection that the answer takes.
  for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > maxBytes)
      throw new RuleError('request.too_large', `The body has over ${maxBytes} bytes: send it in parts.`)
    yield splitter.feedCounted(piece)
  }
  const last = splitter.end()
  if (last) yield [last]
}

function isStream(body: unknown): body is Readable {
  return body instanceof Readable
}
