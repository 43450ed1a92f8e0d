/**
 * Tables as people read them on a terminal of any width. Where there is no room, whole columns go, the least needed
 * first: a line that the terminal breaks is read by nobody. Each is named under the table, so that a reader knows.
 */

import { columnsOf, fitted, indented, padded } from './columns.ts'
import { wrapped } from './text.ts'

export interface Column {
  readonly name: string
  readonly align?: 'right'
  /** The highest goes first. A column without one stays. */
  readonly expendable?: number
  /** Gives way to the others and is cut at the edge, and isn't there where it would be empty. It stands last. */
  readonly cut?: true
}

export interface Table {
  /** The head, then these rows as the rows of the table so far. */
  readonly text: string
  /** Names of the columns that had no room. */
  readonly omitted: readonly string[]
}

const GAP = 2
/** A column that is cut has to show this much, or it is no use. */
const LEAST_CUT = 8

/** @param width columns of the terminal */
export function table(columns: readonly Column[], lines: readonly (readonly string[])[], width: number): Table {
  const { head, rows, omitted } = openTable(columns, lines, width)
  return { text: [head, ...rows(lines)].join('\n'), omitted }
}

export interface OpenTable {
  readonly head: string
  readonly omitted: readonly string[]
  /** Columns grow where later lines need it, and never shrink. */
  rows(lines: readonly (readonly string[])[]): string[]
}

/**
 * A table whose lines come bit by bit.
 * @param sample the first lines: they decide which columns have room
 */
export function openTable(
  columns: readonly Column[],
  sample: readonly (readonly string[])[],
  width: number,
): OpenTable {
  const widths = columns.map(({ name }) => columnsOf(name))
  grow(widths, sample)
  // Nobody misses a column that would be empty.
  const used = columns.map((_, i) => i).filter((i) => !columns[i]?.cut || sample.some((line) => line[i]))
  const kept = keptOf(columns, used, widths, width)
  const line = (cells: readonly string[]) => {
    const shown = kept.map((i) => (columns[i]?.align ? indented : padded)(cells[i] ?? '', widths[i] ?? 0))
    return fitted(shown.join(' '.repeat(GAP)).trimEnd(), width)
  }
  return {
    head: line(columns.map(({ name }) => name)),
    omitted: used.filter((i) => !kept.includes(i)).map((i) => columns[i]?.name ?? ''),
    rows: (lines) => {
      grow(widths, lines)
      return lines.map(line)
    },
  }
}

function grow(widths: number[], lines: readonly (readonly string[])[]): void {
  for (const line of lines)
    for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, columnsOf(cell))
}

/** The numbers of the columns that there is room for. */
function keptOf(
  columns: readonly Column[],
  used: readonly number[],
  widths: readonly number[],
  width: number,
): readonly number[] {
  const kept = [...used]
  const needs = (i: number) => (columns[i]?.cut ? Math.min(LEAST_CUT, widths[i] ?? 0) : (widths[i] ?? 0)) + GAP
  const rank = (i: number) => columns[i]?.expendable ?? 0
  while (kept.reduce((sum, i) => sum + needs(i), -GAP) > width) {
    const next = kept.reduce((most, i) => (rank(i) > rank(most) ? i : most))
    if (rank(next) === 0) break
    kept.splice(kept.indexOf(next), 1)
  }
  return kept
}

/** What follows a table: how many there are, and what a wider terminal would show of them. */
export function footnote(counted: string, omitted: readonly string[], width: number): string {
  return omitted.length === 0 ? counted : `${counted}\n${wrapped(`(no room for: ${omitted.join(', ')})`, width)}`
}
