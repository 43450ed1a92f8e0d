import { type Measured, median, ratioOf, reaches, shorten } from './row.ts'

const HEADINGS = ['', 'ours', 'beside', 'ratio', 'must reach', 'aim for', ''] as const

/** A line for each row, and what was compared with what below. */
export function table(measured: readonly Measured[]): string {
  const lines = [HEADINGS, ...measured.map(cells)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const drawn = lines.map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '))
  const notes = measured.map(({ row }) => `${row.name}: ${row.ours}, beside ${row.theirs}`)
  return `${drawn.map((line) => line.trimEnd()).join('\n')}\n\n${notes.join('\n')}\n`
}

function cells({ row, outcome }: Measured): string[] {
  if ('skipped' in outcome) return [row.name, `skipped: ${outcome.skipped}`]
  const ratio = ratioOf(outcome)
  const sign = row.bound === 'at least' ? '≥' : '≤'
  const verdict = reaches(row, ratio, row.aimFor) ? 'aim' : reaches(row, ratio, row.mustReach) ? 'reached' : 'missed'
  return [
    row.name,
    `${shorten(median(outcome.ours))} ${row.unit}`,
    `${shorten(median(outcome.theirs))} ${row.unit}`,
    `${ratio.toFixed(2)}×`,
    `${sign} ${row.mustReach}×`,
    `${sign} ${row.aimFor}×`,
    verdict,
  ]
}

/** Names to the left, figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 || column === HEADINGS.length - 1 || cell.startsWith('skipped')
    ? cell.padEnd(width)
    : cell.padStart(width)
}
