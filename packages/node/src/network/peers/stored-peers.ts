/** The peer table in the data directory, so that a node finds the others again after a restart. */
import type { Log } from '../../log.ts'
import { readPrivateJson, writePrivateJson } from '../../private-file.ts'
import type { PeerId } from '../transport.ts'
import type { Dialer } from './connector.ts'
import { withPeer } from './peer-address.ts'
import type { PeerTable, Source } from './peer-table.ts'

/** How often what has changed is written. What is lost by a crash can be learnt again. */
const KEEP_MS = 30_000

type Connections = Pick<Dialer, 'directionOf' | 'addressOf'>

interface StoredPeer {
  readonly address: string
  readonly source: Source
  readonly metAt: number
}

/**
 * Those with whom we were connected at the last stop have been met latest, so they are dialled first: whoever has
 * filled the table with inventions meanwhile hasn't got rid of them.
 */
export function readPeers(file: string | undefined, table: PeerTable): void {
  const stored = file === undefined ? undefined : (storedIn(file) as { peers?: unknown } | undefined)
  const peers = Array.isArray(stored?.peers) ? stored.peers.filter(isStoredPeer) : []
  peers.sort((a, b) => b.metAt - a.metAt)
  // That an operator named it holds for that start: from then on it is one that we have met, like others.
  for (const { address, source, metAt } of peers)
    table.add(address, source === 'operator' ? 'discovery' : source, { metAt })
}

/** Whatever has become of it: those who stand in it can be found again. */
function storedIn(file: string): unknown {
  try {
    return readPrivateJson(file)
  } catch {
    return undefined
  }
}

/** @returns what writes them for the last time */
export function keepPeers(file: string | undefined, table: PeerTable, dialer: Connections, log: Log): () => void {
  if (file === undefined) return () => undefined
  let written = ''
  const keep = () => {
    for (const { address, peer } of table.list()) if (isReachedAt(dialer, peer, address)) table.met(address)
    const peers = [...table.list()].map(({ address, source, metAt }) => ({ address, source, metAt }))
    const text = JSON.stringify(peers)
    if (text === written) return
    try {
      writePrivateJson(file, { peers })
      written = text
    } catch (error) {
      log.warn({ file, reason: (error as Error).message }, 'The known peers can’t be kept.')
    }
  }
  const timer = setInterval(keep, KEEP_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    keep()
  }
}

/** Of a peer that has dialled us we don't know whether it can be reached where it says. */
function isReachedAt(dialer: Connections, peer: PeerId, address: string): boolean {
  if (dialer.directionOf(peer) !== 'outbound') return false
  const here = dialer.addressOf(peer)
  return here !== undefined && withPeer(here, peer) === address
}

function isStoredPeer(value: unknown): value is StoredPeer {
  const { address, source, metAt } = (value ?? {}) as Partial<StoredPeer>
  const told = typeof source === 'string' && /^(?:operator|discovery|peer .{0,300})$/.test(source)
  return typeof address === 'string' && told && Number.isSafeInteger(metAt) && (metAt as number) >= 0
}
