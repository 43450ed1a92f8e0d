/** Blocks and headers, one by one and in pages. */
import { type BlockEntry, type Genesis, type Header, headerOfEntry, parseHash } from '@bc/core'
import type { Snapshot } from '../../storage/database.ts'
import { type App, answers, refuses, sendJson } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { notFound } from '../errors.ts'
import { limitOf, PAGE_BYTES } from '../paging.ts'
import { AnyBlock, BlockParams, BlocksSchema, HeadersSchema, NoQuery, type Page, PageQuery } from '../schemas.ts'

export function blockRoutes(app: App, { chain, store }: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/blocks',
    schema: {
      summary: 'A page of blocks',
      querystring: PageQuery,
      response: { ...answers(200, BlocksSchema), ...refuses(400) },
    },
    handler: async (request, reply) => {
      const { texts, next } = await pageOf(request.query)
      return sendJson(reply, `{"blocks": [${texts.join(', ')}], "next": ${next}}`)
    },
  })
  app.route({
    method: 'GET',
    url: '/headers',
    schema: {
      summary: 'A page of headers: blocks without their transactions',
      querystring: PageQuery,
      response: { ...answers(200, HeadersSchema), ...refuses(400) },
    },
    handler: (request) =>
      store.reading(async (snapshot) => {
        const { first, last, height } = await rangeOf(request.query, snapshot)
        const entries = await store.knownEntries(await store.mainHashes(first, last, snapshot), snapshot)
        const headers = entries.map((entry) => ({ ...headerOf(entry), hash: entry.hash }))
        return { headers, next: nextOf(first + headers.length, height) }
      }),
  })
  app.route({
    method: 'GET',
    url: '/blocks/:indexOrHash',
    schema: {
      summary:
        "A block by index, by hash or the latest: exactly its canonical JSON, so the answer's SHA-256 is its hash",
      params: BlockParams,
      querystring: NoQuery,
      response: { ...answers(200, AnyBlock), ...refuses(400, 404) },
    },
    handler: async (request, reply) => {
      const { indexOrHash } = request.params
      const text = await textOfNamed(indexOrHash)
      if (text === undefined) throw notFound(`There is no block ${indexOrHash}.`)
      return sendJson(reply, text)
    },
  })

  async function textOfNamed(name: string): Promise<Buffer | undefined> {
    const hash = name === 'latest' ? await store.head() : parseHash(name)
    if (hash === undefined) return store.mainBlockText(Number(name))
    // No snapshot: blocks and entries are never deleted, and one that has just come in is newer than any.
    const entry = await store.entry(hash)
    return entry && store.blockText(entry.index, hash)
  }

  function pageOf(query: Page) {
    return store.reading(async (snapshot) => {
      const { first, last, height } = await rangeOf(query, snapshot)
      const texts = await firstOf(store.mainBlockPages(first, last, snapshot))
      return { texts, next: nextOf(first + texts.length, height) }
    })
  }

  async function rangeOf(query: Page, snapshot: Snapshot) {
    const { index: height } = await store.headEntry(snapshot)
    const first = Number(query.from ?? '1')
    return { first, last: Math.min(height, first + limitOf(query) - 1), height }
  }

  function headerOf(entry: BlockEntry): Omit<Genesis, 'transactions'> | Header {
    if (entry.index > 1) return headerOfEntry(entry)
    const { transactions: _, ...header } = chain.genesis
    return header
  }
}

/** As many as a page may take. */
async function firstOf(blocks: AsyncIterable<readonly Buffer[]>): Promise<Buffer[]> {
  const texts: Buffer[] = []
  let bytes = 0
  for await (const some of blocks)
    for (const text of some) {
      texts.push(text)
      bytes += text.length
      if (bytes >= PAGE_BYTES) return texts
    }
  return texts
}

/** @param next the index after a page's last block */
function nextOf(next: number, height: number): number | null {
  return next <= height ? next : null
}
