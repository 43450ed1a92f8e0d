/**
 * The one place for how a command may end. Errors carry a code, a rule's or one of ours; what follows from it is
 * decided here and nowhere else.
 */
export const EXIT = {
  ok: 0,
  /** A bug, a full disk, an answer that no node gives, a node in trouble. */
  other: 1,
  /** `bc` refused what it was given before it asked anyone. */
  usage: 2,
  /** Nothing answered, or not in time. */
  noNode: 3,
  signature: 4,
  /** Some other rule refused: the message names its code. */
  rule: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What can fail here without a rule being broken. */
export type CliCode =
  | 'cli.usage'
  | 'cli.no_node'
  | 'cli.answer'
  | 'cli.output'
  | 'cli.node'
  | 'cli.lab'
  | 'cli.keystore'
  | 'cli.watch'

/** For a person at a shell: its message alone is shown. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliCode

  constructor(code: CliCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A node said no. The code is its word: a newer node may know rules that we don't. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const EXIT_OF: Readonly<Record<string, ExitCode>> = {
  'cli.usage': EXIT.usage,
  'cli.no_node': EXIT.noNode,
  'tx.signature': EXIT.signature,
}

/** `node.*` is a node's own trouble, `cli.*` ours; every other code that isn't in the table is a rule's. */
export function exitCodeOf(code: string): ExitCode {
  return EXIT_OF[code] ?? (/^(cli|node)\./.test(code) ? EXIT.other : EXIT.rule)
}

/** Nobody there, a node that is stopping or busy, a proxy whose node is gone. */
export function mayPass(error: unknown): error is CliError | Refusal {
  if (error instanceof CliError) return error.code === 'cli.no_node' || error.code === 'cli.answer'
  return error instanceof Refusal && (error.code.startsWith('node.') || error.code === 'request.rate')
}

/** The node knows of no such thing. */
export function isNotFound(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === 'request.not_found'
}

export function usage(message: string): CliError {
  return new CliError('cli.usage', message)
}

/** A failure as a person reads it: a rule's code stands before its sentence, ours are told by the exit code. */
export function sentenceOf({ code, message }: { readonly code: string; readonly message: string }): string {
  return code.startsWith('cli.') ? message : `${code}: ${message}`
}

/**
 * What the disk says of a path is for the person at the terminal.
 * @param what the path, with a word for it where one is needed
 * @throws CliError of this code, unless `write` has thrown one by itself
 */
export function writing<T>(code: CliCode, what: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(code, `${what} can't be written: ${(error as Error).message}`)
  }
}
