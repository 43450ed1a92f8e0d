/** How much room a text takes on a terminal, and what fits: for all that is aligned, broken or cut. */
import stringWidth from 'string-width'

/** Most of what is shown. The tables of Unicode aren't loaded for it. */
const PLAIN = /^[ -~]*$/

export function columnsOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text)
}

export function padded(text: string, width: number): string {
  return text + space(text, width)
}

/** To the right. */
export function indented(text: string, width: number): string {
  return space(text, width) + text
}

function space(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columnsOf(text)))
}

/** What is too long ends in an ellipsis. What people see as one character is one: a family stays together or goes. */
export function fitted(text: string, width: number): string {
  if (columnsOf(text) <= width) return text
  let room = width - 1
  let shown = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    room -= columnsOf(segment)
    if (room < 0) break
    shown += segment
  }
  return `${shown.trimEnd()}…`
}
