/** What a node does about a fault with which it can't go on, or not start. */
import { DamageError, StartError } from './errors.ts'
import type { Log } from './log.ts'
import { markDamaged } from './start/open.ts'

/** The first thing after which the node can't go on. */
export class Failure {
  readonly happened: Promise<Error>
  private readonly dataDirectory: string | undefined
  private readonly log: Log
  private settle: (error: Error) => void = () => undefined
  private reported = false

  constructor(dataDirectory: string | undefined, log: Log) {
    this.dataDirectory = dataDirectory
    this.log = log
    this.happened = new Promise((resolve) => {
      this.settle = resolve
    })
  }

  /** One failure follows from another: the first one counts. */
  report(error: unknown): void {
    if (this.reported) return
    this.reported = true
    const reason = error instanceof Error ? error : new Error(String(error))
    // First: whatever fails on the way, the node must stop.
    this.settle(reason)
    if (reason instanceof DamageError) this.leaveNote(reason)
    this.log.fatal(reason, 'The node stops.')
  }

  /** For the next start, which mends it. Where the directory takes no note any more, the node must stop all the same. */
  private leaveNote({ message }: DamageError): void {
    try {
      if (this.dataDirectory !== undefined) markDamaged(this.dataDirectory, message)
    } catch (error) {
      this.log.error(error, 'The damage can’t be noted for the next start.')
    }
  }
}

/** What openStore overlooks and the first readers find: the next start rebuilds, as after damage to a running node. */
export function damageAtStart(directory: string, { message }: DamageError): StartError {
  const damage = `The data in ${directory} is damaged: ${message}.`
  try {
    markDamaged(directory, message)
    return new StartError(`${damage} Start again, and the chain is rebuilt.`)
  } catch (error) {
    const reason = `This can't be noted for the next start, which would rebuild the chain: ${(error as Error).message}.`
    return new StartError(`${damage} ${reason} Look after the disk that it is on.`)
  }
}
