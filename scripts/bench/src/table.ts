import { type Measured, median, type Row, ratioOf, reaches, shorten } from './row.ts'

const HEADINGS = ['', 'ours', 'beside', 'ratio', 'must reach', 'aim for', ''] as const

/**
 * A line for each row, and what was compared with what below.
 * @param quick no figure is a measurement, so none is judged
 */
export function table(measured: readonly Measured[], quick: boolean): string {
  if (quick) return `With --quick: a look at whether it works, no measurement.\n\n${drawn(measured, () => '')}`
  return drawn(measured, verdictOf)
}

type Judge = (row: Row, ratio: number) => string

function verdictOf(row: Row, ratio: number): string {
  return reaches(row, ratio, row.aimFor) ? 'aim' : reaches(row, ratio, row.mustReach) ? 'reached' : 'missed'
}

function drawn(measured: readonly Measured[], judge: Judge): string {
  const lines = [HEADINGS, ...measured.map((one) => cells(one, judge))]
  // A reason for skipping is as long as it is, and nothing stands beside it.
  const figures = lines.filter(({ length }) => length > 2)
  const widths = HEADINGS.map((_, column) =>
    Math.max(...(column === 0 ? lines : figures).map((line) => (line[column] ?? '').length)),
  )
  const rows = lines.map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '))
  const notes = measured.map(({ row }) => `${row.name}: ${row.ours}, beside ${row.theirs}`)
  return `${rows.map((line) => line.trimEnd()).join('\n')}\n\n${notes.join('\n')}\n`
}

function cells({ row, outcome }: Measured, judge: Judge): string[] {
  if ('skipped' in outcome) return [row.name, `skipped: ${outcome.skipped}`]
  const ratio = ratioOf(outcome)
  const sign = row.bound === 'at least' ? '≥' : '≤'
  return [
    row.name,
    `${shorten(median(outcome.ours))} ${row.unit}`,
    `${shorten(median(outcome.theirs))} ${row.unit}`,
    `${ratio.toFixed(2)}×`,
    `${sign} ${row.mustReach}×`,
    `${sign} ${row.aimFor}×`,
    judge(row, ratio),
  ]
}

/** Names to the left, figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 || column === HEADINGS.length - 1 || cell.startsWith('skipped')
    ? cell.padEnd(width)
    : cell.padStart(width)
}
