/** The main chain, page by page: as long as it may be, a page of it is all that is held. */
import { type Block, hashOf } from '@bc/core'
import type { AnyBlockAnswer } from '@bc/node'
import { CliError } from '../failure.ts'
import type { NodeClient } from './client.ts'

const PAGE = 500

export interface HashedBlock {
  readonly block: AnyBlockAnswer
  readonly hash: string
}

/**
 * Yields one page after the other, from genesis to what is the newest block at the beginning: a list without an end is
 * no chain. Hashes are what the next block names, so only the newest one's is worked out.
 * @throws CliError `cli.answer` where the node has gone over to another chain meanwhile
 */
export async function* chainPages(node: Pick<NodeClient, 'blocks' | 'status'>): AsyncGenerator<readonly HashedBlock[]> {
  const { height } = await node.status()
  let held: AnyBlockAnswer | undefined
  let from: number | null = 1
  while (from !== null && from <= height) {
    const limit = Math.min(PAGE, height - from + 1)
    const { blocks, next }: Awaited<ReturnType<NodeClient['blocks']>> = await node.blocks(from, limit)
    const known = held === undefined ? blocks : [held, ...blocks]
    checkOrder(known, from, blocks.length, next)
    // The last one waits for the next page, which names its hash.
    yield known.slice(0, -1).map((block, i) => ({ block, hash: known[i + 1]?.previous_hash ?? '' }))
    held = known.at(-1)
    from = next
  }
  if (held === undefined) return
  const hash = hashOf(held as unknown as Block)
  yield [{ block: held, hash }]
}

function checkOrder(known: readonly AnyBlockAnswer[], from: number, count: number, next: number | null): void {
  const first = from + count - known.length
  const inOrder = known.every(({ index }, i) => index === first + i) && (next === null || next === from + count)
  // A page starts with the block that follows the last one of the page before, or the chain is another one.
  const [held, after] = known.length > count ? known : []
  const joined = !held || !after || after.previous_hash === hashOf(held as unknown as Block)
  if (inOrder && joined && (count > 0 || next === null)) return
  throw new CliError('cli.answer', 'the chain changed while it was read: ask again.')
}
