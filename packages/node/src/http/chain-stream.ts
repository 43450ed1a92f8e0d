import { Readable } from 'node:stream'
import type { ChainStore } from '../storage/chain-store.ts'
import { heightOf } from './context.ts'

/** Blocks that are read at once: at most this many megabytes are in memory for one reader. */
const PAGE = 16

/**
 * The whole chain as the text of a JSON object, read from the disk as fast as the client takes it. All of it is the
 * chain of one moment, whatever is mined meanwhile.
 * @param before what the object starts with, up to the list of blocks
 * @param withLength whether the number of blocks follows
 */
export function chainStream(store: ChainStore, before: string, withLength: boolean): Readable {
  return Readable.from(chainText(store, before, withLength), { objectMode: false })
}

async function* chainText(store: ChainStore, before: string, withLength: boolean): AsyncGenerator<Buffer> {
  const snapshot = store.snapshot()
  try {
    const height = await heightOf(store, snapshot)
    yield Buffer.from(`${before}[`)
    for (let from = 1; from <= height; from += PAGE) {
      const texts = await store.mainBlockTexts(from, Math.min(height, from + PAGE - 1), snapshot)
      yield Buffer.concat(texts.flatMap((text, i) => (from + i === 1 ? [text] : [SEPARATOR, text])))
    }
    yield Buffer.from(withLength ? `], "length": ${height}}` : ']}')
  } finally {
    await snapshot.close()
  }
}

const SEPARATOR = Buffer.from(', ')
