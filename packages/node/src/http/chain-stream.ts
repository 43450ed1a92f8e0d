import { Readable } from 'node:stream'
import type { ChainStore } from '../storage/chain-store.ts'
import type { RouteContext } from './context.ts'
import { reportDamage } from './errors.ts'

/**
 * The whole chain as the text of a JSON object, read from the disk as fast as the client takes it. All of it is the
 * chain of one moment, whatever is mined meanwhile.
 * @param before what the object starts with, up to the list of blocks
 * @param withLength whether the number of blocks follows
 */
export function chainStream({ store, onFailure }: RouteContext, before: string, withLength: boolean): Readable {
  const stream = Readable.from(chainText(store, before, withLength), { objectMode: false })
  // Once the answer has begun it can only be cut off, and no error handler hears of it.
  return stream.on('error', (error) => reportDamage(error, onFailure))
}

async function* chainText(store: ChainStore, before: string, withLength: boolean): AsyncGenerator<Buffer> {
  const snapshot = store.snapshot()
  try {
    const { index: height } = await store.headEntry(snapshot)
    yield Buffer.from(`${before}[`)
    let isFirst = true
    for await (const texts of store.mainBlockPages(1, height, snapshot)) {
      yield Buffer.concat(texts.flatMap((text, i) => (isFirst && i === 0 ? [text] : [SEPARATOR, text])))
      isFirst = false
    }
    yield Buffer.from(withLength ? `], "length": ${height}}` : ']}')
  } finally {
    await snapshot.close()
  }
}

const SEPARATOR = Buffer.from(', ')
