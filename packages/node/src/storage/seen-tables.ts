/**
 * Which tables have been read to their last byte since LevelDB wrote them. It never changes one again, so the next
 * start looks at their indexes alone, and the rest is read behind the node's work (scrub.ts).
 *
 * They stand in a file beside the tables, from when the database is closed until it is opened. So after a process that
 * was killed, or that a damaged table has ended, every table is read.
 *
 *     tables-seen   CRC-32 of all that follows, then for each table: name, size, time of writing, inode
 *
 * The inode, since a copy may be damaged where the original isn't. Whatever is wrong with the file, it only costs time.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** What tells a table from another one that has its name. */
type Stamp = string

export class SeenTables {
  private readonly location: string
  /** In a run before this one. */
  private readonly before: ReadonlyMap<string, Stamp>
  private readonly now = new Map<string, Stamp>()

  private constructor(location: string, before: ReadonlyMap<string, Stamp>) {
    this.location = location
    this.before = before
  }

  /** Those that the run before has left, if it came to its end. */
  static take(location: string): SeenTables {
    const file = noteIn(location)
    if (!existsSync(file)) return new SeenTables(location, new Map())
    const before = parseNote(readFileSync(file, 'latin1'))
    rmSync(file)
    return new SeenTables(location, before)
  }

  /** @returns undefined where there is no such table any more */
  stampOf(name: string): Stamp | undefined {
    const found = statSync(join(this.location, name), { bigint: true, throwIfNoEntry: false })
    return found && `${found.size} ${found.mtimeNs} ${found.ino}`
  }

  wasSeen(name: string, stamp: Stamp): boolean {
    return this.before.get(name) === stamp || this.isSeen(name, stamp)
  }

  /** In this run. */
  isSeen(name: string, stamp: Stamp): boolean {
    return this.now.get(name) === stamp
  }

  add(name: string, stamp: Stamp): void {
    this.now.set(name, stamp)
  }

  /** For the next start. Once the database is closed. */
  leave(): void {
    const seen = [...this.before, ...this.now].filter(([name, stamp]) => this.stampOf(name) === stamp)
    const lines = [...new Map(seen)].map(([name, stamp]) => `${name} ${stamp}\n`).join('')
    writeFileSync(noteIn(this.location), `${checksum(lines)}\n${lines}`, { mode: 0o600 })
  }
}

function noteIn(location: string): string {
  return join(location, 'tables-seen')
}

const CHECKSUM_LINE = 9

/** @returns nothing where it is not what was written */
function parseNote(note: string): Map<string, Stamp> {
  const lines = note.slice(CHECKSUM_LINE)
  if (note.slice(0, CHECKSUM_LINE) !== `${checksum(lines)}\n`) return new Map()
  const seen = lines.split('\n').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
  return new Map(seen as [string, Stamp][])
}

function checksum(lines: string): string {
  return crc32(lines).toString(16).padStart(8, '0')
}
