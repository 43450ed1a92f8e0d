/**
 * A node's disk: it outlives the node. Every life of the node has its own door to it, which is shut when that life ends,
 * be it between two writes: a node that was killed can't write or read from beyond the grave.
 */
import { type Level, memoryLevel } from '@bc/node/parts'
import type { Life } from './life.ts'

interface Operation {
  readonly type: 'put' | 'del'
  readonly key: string
  value?: Buffer
}

export class Disk {
  private readonly level = memoryLevel()
  private readonly shared: SharedValues | undefined

  /** @param shared where many nodes keep the same values: one copy of each is kept in memory */
  constructor(shared?: SharedValues) {
    this.shared = shared
  }

  open(life: Life): Level {
    const { level, shared } = this
    const batch = level.batch.bind(level) as unknown as (operations: readonly Operation[]) => Promise<void>
    const write = (operations: readonly Operation[]) => {
      if (!life.mayWrite(operations.some(returns))) return new Promise<void>(() => undefined)
      shared?.share(operations)
      return batch(operations)
    }
    const door = {
      get: whileAlive(life, level.get.bind(level)),
      getMany: whileAlive(life, level.getMany.bind(level)),
      hasMany: whileAlive(life, level.hasMany.bind(level)),
      iterator: level.iterator.bind(level),
      keys: level.keys.bind(level),
      snapshot: level.snapshot.bind(level),
      batch: () => collected(write),
      close: async () => undefined,
    }
    return door as unknown as Level
  }
}

/** Who is dead waits for ever: the disk has moved on, and he would judge others by what his successor has written. */
function whileAlive<Asked extends readonly unknown[], Answer>(
  life: Life,
  read: (...asked: Asked) => Promise<Answer>,
): (...asked: Asked) => Promise<Answer> {
  return (...asked) => (life.isOver ? new Promise(() => undefined) : read(...asked))
}

/** A batch record by record, as LevelDB takes it. */
function collected(write: (operations: readonly Operation[]) => Promise<void>) {
  const operations: Operation[] = []
  return {
    put: (key: string, value: Buffer) => void operations.push({ type: 'put', key, value }),
    del: (key: string) => void operations.push({ type: 'del', key }),
    write: () => write(operations),
  }
}

/** A transaction on its way back from an abandoned block. */
function returns({ type, key }: Operation): boolean {
  return type === 'put' && key.startsWith('returning/')
}

/** Values that are the same on most disks: the record of a block, say. */
export class SharedValues {
  private readonly values = new Map<string, Buffer>()

  share(operations: readonly Operation[]): void {
    for (const operation of operations) {
      const { key, value } = operation
      if (value === undefined || key.startsWith('pool/')) continue
      const known = this.values.get(key)
      if (known?.equals(value)) operation.value = known
      else this.values.set(key, value)
    }
  }
}
