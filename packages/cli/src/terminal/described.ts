/** Names and what is said of each, for a terminal of any width. */
import { columnsOf, padded } from './columns.ts'
import { wrappedLines } from './text.ts'

/** Columns below which a sentence doesn't go beside its name. */
const LEAST_BESIDE = 30

export type Described = readonly (readonly [name: string, sentence: string])[]

/** Sentences are broken between words; values that are to be copied whole are for `rows`. */
export function described(entries: Described, width: number): string {
  const column = Math.max(...entries.map(([name]) => columnsOf(name))) + 2
  const beside = width - column >= LEAST_BESIDE
  const indent = ' '.repeat(beside ? column : 2)
  return entries
    .map(([name, sentence]) => {
      const lines = wrappedLines(sentence, width - indent.length).map((line) => indent + line)
      return beside ? padded(name, column) + lines.join('\n').trimStart() : [name, ...lines].join('\n')
    })
    .join('\n')
}
