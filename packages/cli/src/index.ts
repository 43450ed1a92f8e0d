export { bc } from './bc.ts'
export { connect, type NodeClient, type SecretAnswer } from './client/client.ts'
export type { Endpoint } from './client/http.ts'
export { CliError, EXIT, type ExitCode, exitCodeOf, Refusal } from './failure.ts'
