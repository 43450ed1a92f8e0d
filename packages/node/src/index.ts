export type {
  AcceptedAnswer,
  AccountAnswer,
  ChainAnswer,
  ErrorAnswer,
  MinedBlock,
  NewTransaction,
  StatusAnswer,
  WaitingAnswer,
} from './http/schemas.ts'
