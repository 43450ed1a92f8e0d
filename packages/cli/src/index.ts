export { bc } from './bc.ts'
export { connect, type NodeClient } from './client/client.ts'
export type { Endpoint } from './client/http.ts'
export { CliError, EXIT, type ExitCode, exitCodeOf, Refusal } from './failure.ts'
