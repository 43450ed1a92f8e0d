/** What anybody writes who serves ready JSON with Fastify: `bare-fastify.js PORT FILE`, the file a JSON object of paths and texts. */
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const [, , port = '', file = ''] = process.argv
const texts = new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>))

const app = Fastify()
app.get<{ Params: { index: string } }>('/blocks/:index', (request, reply) => {
  reply.type('application/json; charset=utf-8').send(texts.get(request.params.index))
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
