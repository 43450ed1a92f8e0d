/** How far a long command has come: one line that is written over, on a stderr that can do that, and nothing elsewhere. */
import { terminalWidth } from './output.ts'
import { counted } from './text.ts'

const INTERVAL_MS = 100
const BAR = 24

export interface Progress {
  /** @param done of the same things as the total */
  update(done: number): void
  /** Takes the line away. */
  end(): void
}

/**
 * @param noun what is counted, one of them
 * @param total how many there will be, where that is known
 */
export function progressOf(doing: string, noun: string, total?: number): Progress {
  const { stderr } = process
  if (!stderr.isTTY || process.env.TERM === 'dumb') return { update: () => {}, end: () => {} }
  let shownAt = Number.NEGATIVE_INFINITY
  const update = (done: number) => {
    const now = performance.now()
    if (now - shownAt < INTERVAL_MS) return
    shownAt = now
    stderr.write(`\r${progressLine(doing, noun, done, total, terminalWidth(stderr))}\u001b[K`)
  }
  return { update, end: () => void (shownAt > 0 && stderr.write('\r\u001b[K')) }
}

/** @param width columns; the bar gives way first, then the words */
export function progressLine(doing: string, noun: string, done: number, total: number | undefined, width: number) {
  if (total === undefined || total === 0) return `${doing} … ${counted(done, noun)}`.slice(0, width - 1)
  const part = Math.min(1, done / total)
  const text = `${doing} ${done} of ${counted(total, noun)}`
  const room = Math.min(BAR, width - text.length - 4)
  const full = Math.round(part * Math.max(0, room))
  const bar = room < 4 ? '' : `[${'#'.repeat(full)}${'.'.repeat(room - full)}] `
  return (bar + text).slice(0, width - 1)
}
