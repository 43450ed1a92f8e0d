import { Readable } from 'node:stream'
import type { Pool } from '@bc/core'

/** Transactions that are spelled out at once. */
const PAGE = 64

/** What waits for a block, as the text of a JSON object: a full pool is far too much to spell out for every reader. */
export function poolStream(pool: Pool): Readable {
  return Readable.from(poolText(pool), { objectMode: false })
}

/**
 * The pool lives on meanwhile: whoever reads slowly misses what left it, also where that came back in a reorganisation,
 * is told of nothing twice, and doesn't go on forever.
 */
function* poolText(pool: Pool): Generator<Buffer> {
  const { arrived } = pool
  let [text, length] = ['{"transactions": [', 0]
  for (const { transaction, order } of pool.list()) {
    if (order >= arrived) break
    text += (length++ === 0 ? '' : ', ') + JSON.stringify(transaction)
    if (length % PAGE > 0) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(`${text}], "length": ${length}}`)
}
