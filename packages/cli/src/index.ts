export { bc } from './bc.ts'
export { connect, type NodeClient, type SecretAnswer } from './client.ts'
export { CliError, EXIT, type ExitCode, exitCodeOf, Refusal } from './failure.ts'
export type { Endpoint } from './http.ts'
