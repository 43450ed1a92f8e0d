import { ChainStore } from '../storage/chain-store.ts'
import { type Batch, Database, type Level, type Range, type Snapshot } from '../storage/database.ts'
import { within } from '../storage/layout.ts'

/**
 * What is only ever added, in the order of the keys. The journal counts a revert as one more batch. Blocks and their
 * entries stay, as those of a reorganisation do: readers rely on that.
 */
const KEPT = ['block/', 'entry/', 'journal/'] as const

/** A chain's store in memory that can be put back to what it was. */
export class RewindStore {
  readonly store: ChainStore
  private readonly database: Database

  private constructor(database: Database) {
    this.database = database
    this.store = new ChainStore(database)
  }

  /** @param level in memory: its snapshots last as long as they are wanted */
  static async open(level: Level): Promise<RewindStore> {
    return new RewindStore(await Database.open(level, undefined))
  }

  /** It costs nothing but what is written afterwards: the database in memory is a persistent tree. */
  snapshot(): Snapshot {
    return this.database.snapshot()
  }

  /** In one atomic batch: whoever reads meanwhile sees the one state or the other. Within the door. */
  async rewind(to: Snapshot): Promise<void> {
    const batch: Batch = new Map()
    for await (const [at, value] of this.changing(to)) batch.set(at, value.toString())
    for await (const [at, value] of this.changing()) {
      if (!batch.has(at)) batch.set(at, undefined)
      else if (batch.get(at) === value.toString()) batch.delete(at)
    }
    await this.database.write(batch, { sync: true })
    this.store.forgetRecent()
  }

  private async *changing(snapshot?: Snapshot): AsyncGenerator<[string, Buffer]> {
    for (const range of CHANGING) yield* this.database.entries({ ...range, ...(snapshot && { snapshot }) })
  }
}

const CHANGING = between(KEPT.map(within))

/** The ranges that some others leave. @param ranges in the order of the keys */
function between(ranges: readonly { gt: string; lt: string }[]): Range[] {
  return [...ranges, undefined].map((next, i) => {
    const before = ranges[i - 1]
    return { ...(before && { gte: before.lt }), ...(next && { lte: next.gt }) }
  })
}
