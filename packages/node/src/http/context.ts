import type { Chain } from '../chain/chain.ts'
import type { EventFeed } from '../events/feed.ts'
import type { Identity } from '../identity.ts'
import type { Miner } from '../mining/miner.ts'
import type { LateNetwork } from '../network/late-network.ts'
import type { Neighbours } from '../network/neighbours/neighbours.ts'
import type { Admission } from '../pool/admission.ts'
import type { Curve } from '../signatures/curve.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { App } from './app.ts'

/** What the routes work with. */
export interface RouteContext {
  readonly chain: Chain
  readonly store: ChainStore
  readonly admission: Admission
  readonly curve: Curve
  readonly miner: Miner
  readonly identity: Identity
  readonly network: LateNetwork
  readonly neighbours: Neighbours
  readonly events: EventFeed
  readonly version: string
  /** The node's own terminal. */
  readonly console: (text: string) => void
  /** Something happened after which the node can't go on. */
  readonly onFailure: (error: unknown) => void
  /** Aborted with `node.stopping` when the node begins to stop: what takes long ends early, and says so. */
  readonly stopping: AbortSignal
  /** Has to be done before whoever handed in blocks is answered, whatever became of them. */
  readonly onImported?: () => Promise<void>
  /** Adds those that not every node has. */
  readonly moreRoutes?: (app: App) => void
}
