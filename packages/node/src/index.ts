export { ConfigError, checkHost, loadConfig, type NodeConfig } from './config.ts'
export { defaultDataDirectory } from './data-directory.ts'
export type { DevTimeAnswer, FundedAnswer, MoveTime, SnapshotAnswer } from './dev/schemas.ts'
export { DamageError, StartError, StorageError } from './errors.ts'
export type {
  BlockEvent,
  EventType,
  HeadEvent,
  MiningEvent,
  PeerEvent,
  ReorganisationEvent,
  TransactionEvent,
} from './http/event-schemas.ts'
export { freePort } from './http/listen.ts'
export type {
  AcceptedAnswer,
  AccountAnswer,
  AnyBlockAnswer,
  BlocksAnswer,
  ChainAnswer,
  ErrorAnswer,
  FoundTransactionAnswer,
  HeadersAnswer,
  HistoryAnswer,
  ImportedAnswer,
  MinedAnswer,
  NewTransaction,
  NodesAnswer,
  OutcomeAnswer,
  RegisteredAnswer,
  ResolvedAnswer,
  SecretAnswer,
  StatusAnswer,
  TransactionProofAnswer,
  WaitingAnswer,
} from './http/schemas.ts'
export { createLogger, type Log } from './log.ts'
export type { NetworkOptions } from './network/join.ts'
export { type NodeOptions, type RunningNode, startNode } from './node.ts'
