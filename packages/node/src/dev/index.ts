export { DevMode } from './dev-mode.ts'
export type { FundedAccount } from './keys.ts'
