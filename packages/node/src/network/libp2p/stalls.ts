/** Who withholds an answer, and who is only slow, asleep or cut off. */
import type { Connection } from '@libp2p/interface'
import { LEAST_BYTES_PER_MS, PeerError, type PeerId } from '../transport.ts'
import { withDeadline } from './deadline.ts'

const PING = '/ipfs/ping/1.0.0'

export class Stalls {
  /** Bytes of answers that have come from those who are connected. */
  private readonly arrived = new Map<PeerId, number>()

  count(peer: PeerId, bytes: number): void {
    this.arrived.set(peer, (this.arrived.get(peer) ?? 0) + bytes)
  }

  forget(peer: PeerId): void {
    this.arrived.delete(peer)
  }

  /**
   * Half of the time is for the answer. The other half is for a sign of life too, as of a ping: whoever gives none hasn't
   * refused an answer, since no question has reached him, or he sleeps, or the line between us is cut.
   */
  async unless<T>(
    connection: Connection,
    ms: number,
    signal: AbortSignal,
    run: (limit: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const peer = connection.remotePeer.toString()
    const arrived = () => this.arrived.get(peer) ?? 0
    let before = arrived()
    let lives: (() => boolean) | undefined
    const late = () =>
      lives?.()
        ? new PeerError('stalled', `the peer sent nothing for ${ms} ms`)
        : new PeerError('gone', `no sign of life for ${ms} ms`)
    const more = () => {
      const keepsUp = arrived() - before >= (ms / 2) * LEAST_BYTES_PER_MS
      if (!keepsUp && lives) return false
      lives = keepsUp ? undefined : signOfLife(connection, ms)
      before = arrived()
      return true
    }
    return withDeadline(ms / 2, signal, late, run, more)
  }
}

/** @returns whether it has come by now */
function signOfLife(connection: Connection, ms: number): () => boolean {
  let lives = false
  const limit = AbortSignal.timeout(ms)
  connection.newStream(PING, { signal: limit }).then(
    (stream) => {
      lives = true
      stream.abort(new Error('it lives'))
    },
    // That it knows no such thing is a sign as good as any.
    () => {
      lives = connection.status === 'open' && !limit.aborted
    },
  )
  return () => lives
}
