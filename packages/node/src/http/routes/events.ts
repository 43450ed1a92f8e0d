/** The stream of events: server-sent, as browsers and `curl -N` read them. */
import { strangerAt } from '../../network/hosts.ts'
import { type App, refuses } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { EVENT_TYPES, EventSchema, EventsHeaders, EventsQuery, type EventType } from '../event-schemas.ts'

export function eventRoutes(app: App, { events }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/events',
    exposeHeadRoute: false,
    config: { stays: true },
    schema: {
      summary: 'What happens from now on, as server-sent events; resumed by Last-Event-ID',
      querystring: EventsQuery,
      headers: EventsHeaders,
      response: {
        200: { description: 'A stream without an end', content: { 'text/event-stream': { schema: EventSchema } } },
        ...refuses(400, 403, 503),
      },
    },
    handler: async (request, reply) => {
      const stream = events.listen({
        types: typesOf(request.query.types),
        lastId: request.headers['last-event-id'],
        listener: strangerAt(request.socket.remoteAddress) ?? 'here',
      })
      // Who has hung up before his answer began would never be missed by it.
      reply.raw.once('close', () => stream.destroy())
      if (reply.raw.destroyed) stream.destroy()
      reply.type('text/event-stream; charset=utf-8')
      // No cache, and no proxy that waits for more before it passes anything on.
      reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no')
      return reply.send(stream)
    },
  })
}

function typesOf(text: string | undefined): readonly EventType[] {
  if (text === undefined) return EVENT_TYPES
  const wanted = new Set(text.split(','))
  return EVENT_TYPES.filter((type) => wanted.has(type))
}
