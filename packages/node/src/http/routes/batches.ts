/** Many at once, a value on each line: blocks from a file. */

import { ImportRefused, importLines, longestLine } from '../../chain/import-lines.ts'
import { NDJSON_TYPE } from '../../ndjson.ts'
import { type App, answers, refuses, sendJson } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { answerOf } from '../errors.ts'
import { linesOf, withLines } from '../ndjson-body.ts'
import { ImportedSchema, ImportRefusedSchema, NdjsonBody, NoQuery } from '../schemas.ts'

/**
 * Read whole before the first is imported: a request has 15 seconds to arrive, and to connect so many blocks may take
 * longer. What is longer is sent in parts.
 */
const IMPORT_BYTES = 16 << 20

export async function batchRoutes(app: App, context: RouteContext): Promise<void> {
  await withLines(app, (scoped) => {
    importBlocks(scoped, context)
  })
}

function importBlocks(app: App, { chain, store, network }: RouteContext): void {
  app.route({
    method: 'POST',
    url: '/blocks',
    config: { operator: true },
    schema: {
      summary:
        'Hand in blocks, one on each line, in their order: each is checked as any other, the first bad one ends it',
      querystring: NoQuery,
      body: { content: { [NDJSON_TYPE]: { schema: NdjsonBody } } },
      response: {
        ...answers(200, ImportedSchema),
        ...refuses(403, 413, 415),
        ...Object.fromEntries([400, 401, 409, 422].map((status) => [status, ImportRefusedSchema])),
      },
    },
    handler: async (request, reply) => {
      const lines: Uint8Array[] = []
      const limits = { maxLineBytes: longestLine(chain), maxBytes: IMPORT_BYTES }
      for await (const more of linesOf(request.body, limits)) lines.push(...more)
      const before = chain.head.hash
      try {
        const count = await importLines({ chain, store }, lines, () => !request.socket.destroyed)
        return { ...count, height: chain.head.index, tip: chain.head.hash }
      } catch (error) {
        if (!(error instanceof ImportRefused)) throw error
        const { rule, count, line } = error
        const refusal = answerOf(rule.code, `Line ${line}: ${rule.message}`)
        reply.code(refusal.statusCode as 200)
        return sendJson(reply, JSON.stringify({ ...refusal, ...count, line }))
      } finally {
        const { index, hash } = chain.head
        // The newest alone: whoever hasn't the blocks before it will ask for them.
        if (hash !== before) network.announceBlock({ canonical: (await store.blockText(index, hash)).toString() })
      }
    },
  })
}
