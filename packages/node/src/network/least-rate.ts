import type { Time } from './time.ts'
import { LEAST_BYTES_PER_MS, PeerError } from './transport.ts'

/**
 * What a peer sends, as long as it keeps up {@link LEAST_BYTES_PER_MS}. Of the peer's time: while the reader has something
 * else to do, the peer is made to wait.
 * @param stallMs that it may take beside
 * @throws PeerError `stalled`
 */
export async function* keepingUp(
  pieces: AsyncIterable<Uint8Array>,
  stallMs: number,
  time: Pick<Time, 'now'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [bytes, waited] = [0, 0]
  let since = time.now()
  for await (const piece of pieces) {
    bytes += piece.length
    waited += time.now() - since
    if (waited > stallMs + bytes / LEAST_BYTES_PER_MS) throw new PeerError('stalled', 'the peer sends next to nothing')
    yield piece
    since = time.now()
  }
}
