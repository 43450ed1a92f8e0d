import { Readable } from 'node:stream'
import type { ChainStore } from '../storage/chain-store.ts'
import { heightOf, type RouteContext } from './context.ts'
import { explain } from './errors.ts'

/** Blocks that are read at once, as long as they are small: full ones are read one by one. */
const MOST_BLOCKS = 16
const PAGE_BYTES = 500_000

/**
 * The whole chain as the text of a JSON object, read from the disk as fast as the client takes it. All of it is the
 * chain of one moment, whatever is mined meanwhile.
 * @param before what the object starts with, up to the list of blocks
 * @param withLength whether the number of blocks follows
 */
export function chainStream({ store, onFailure }: RouteContext, before: string, withLength: boolean): Readable {
  const stream = Readable.from(chainText(store, before, withLength), { objectMode: false })
  // Once the answer has begun it can only be cut off, and no error handler hears of it.
  return stream.on('error', (error) => {
    if (explain(error)?.code === 'node.damaged') onFailure(error)
  })
}

async function* chainText(store: ChainStore, before: string, withLength: boolean): AsyncGenerator<Buffer> {
  const snapshot = store.snapshot()
  try {
    const height = await heightOf(store, snapshot)
    yield Buffer.from(`${before}[`)
    let count = 1
    for (let from = 1; from <= height; ) {
      const texts = await store.mainBlockTexts(from, Math.min(height, from + count - 1), snapshot)
      const page = Buffer.concat(texts.flatMap((text, i) => (from + i === 1 ? [text] : [SEPARATOR, text])))
      yield page
      from += texts.length
      count = page.length < PAGE_BYTES ? Math.min(MOST_BLOCKS, count * 2) : 1
    }
    yield Buffer.from(withLength ? `], "length": ${height}}` : ']}')
  } finally {
    await snapshot.close()
  }
}

const SEPARATOR = Buffer.from(', ')
