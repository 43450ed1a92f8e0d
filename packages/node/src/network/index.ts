/** The parts of a node that a simulation or a benchmark puts together in its own way: all but libp2p and HTTP. */
export { Chain, type ImportOutcome } from '../chain/chain.ts'
export type { HeadChange } from '../chain/events.ts'
export { readAhead } from '../chain/read-ahead.ts'
export { createLogger, type Log } from '../log.ts'
export { Admission } from '../pool/admission.ts'
export { Serial } from '../serial.ts'
export { type Curve, localCurve } from '../signatures/curve.ts'
export { CurveWorkers } from '../signatures/curve-workers.ts'
export { openStore } from '../start/open.ts'
export { ChainStore } from '../storage/chain-store.ts'
export { Database, type Level } from '../storage/database.ts'
export { inspectAccounts, inspectBlocks, inspectTree } from '../storage/inspect.ts'
export { memoryLevel, openMemoryStore } from '../storage/memory.ts'
export { Network, type NetworkModules } from './network.ts'
export type { Time } from './time.ts'
export {
  PeerError,
  type PeerId,
  type PeerListener,
  type RequestOptions,
  type Transport,
  type Verdict,
} from './transport.ts'
