export { bc } from './bc.ts'
export { connect, type Endpoint, type NodeClient, type SecretAnswer } from './client.ts'
export { CliError, EXIT, type ExitCode, exitCodeOf, Refusal } from './failure.ts'
