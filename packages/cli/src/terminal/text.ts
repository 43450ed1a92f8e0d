/** Pieces of text that the results of many commands are made of, for a terminal of any width. */
import { columnsOf, fitted, padded } from './columns.ts'
import { printable } from './printable.ts'

/** A line of what is told of one thing. */
export type Entry = readonly [name: string, value: string | number]

/**
 * A name in front of each value; a value too long for that goes on a line of its own, whole, to be copied. Any of them
 * may be a stranger's: a node is anyone's.
 */
export function rows(entries: readonly Entry[], width: number): string {
  const shown = entries.map(([name, value]) => [printable(name), printable(value)] as const)
  const column = Math.max(...shown.map(([name]) => columnsOf(name))) + 2
  const row = ([name, value]: (typeof shown)[number]) =>
    column + columnsOf(value) <= width ? padded(name, column) + value : `${name}\n  ${value}`
  return shown.map(row).join('\n')
}

/** Below this many columns of the terminal, addresses and hashes are shortened further. */
const NARROW = 72

/** Enough of an address to know it again: its first digits and its checksum. */
export function shortAddress(address: unknown, width: number): string {
  const digits = width < NARROW ? 4 : 8
  const text = printable(address)
  if (text.length === 74) return `${text.slice(0, digits)}…${text.slice(-digits)}`
  return fitted(text, 2 * digits + 1)
}

/** Enough of a hash to find it in a list. */
export function shortHash(hash: unknown, width: number): string {
  return printable(hash).slice(0, width < NARROW ? 8 : 16)
}

/** @param seconds Unix time */
export function time(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().slice(0, 19).replace('T', ' ')
}

export function utc(seconds: number): string {
  return `${time(seconds)} UTC`
}

/** Breaks a text between words. A word that is longer than the line stays whole, to be copied. */
export function wrapped(text: string, width: number, indent = 0): string {
  return wrappedLines(text, width - indent)
    .map((line) => ' '.repeat(indent) + line)
    .join('\n')
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/**
 * A word that is longer than a line has one of its own.
 * @param hanging before all lines but the first
 */
export function wrappedLines(text: string, width: number, hanging = ''): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined) lines.push(word)
    else if (columnsOf(last) + 1 + columnsOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(hanging + word)
  }
  return lines
}
