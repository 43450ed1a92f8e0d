/**
 * The parts of a node that a simulation or a benchmark puts together in its own way: all but libp2p, HTTP and the curve
 * (see signatures/index.ts).
 */
export { Chain, type ImportOutcome } from './chain/chain.ts'
export type { HeadChange } from './chain/head-change.ts'
export { readAhead } from './chain/read-ahead.ts'
export { createLogger, type Log } from './log.ts'
export { Network, type NetworkModules } from './network/network.ts'
export type { Time } from './network/time.ts'
export {
  PeerError,
  type PeerId,
  type PeerListener,
  type RequestOptions,
  type Transport,
  type Verdict,
} from './network/transport.ts'
export { Admission } from './pool/admission.ts'
export { Serial } from './serial.ts'
export { openStore } from './start/open.ts'
export { ChainStore } from './storage/chain-store.ts'
export { Database, type Level } from './storage/database.ts'
export { inspectAccounts, inspectBlocks, inspectTree } from './storage/inspect.ts'
export { memoryLevel, openMemoryStore } from './storage/memory.ts'
