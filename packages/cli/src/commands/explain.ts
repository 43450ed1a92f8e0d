/** What a code of a refusal means: the rule, why it is there, and how to put it right. */

import { either, nearest } from '../command-line/suggestion.ts'
import { type Code, EXPLANATIONS, GROUPS, isCode, meaningOf } from '../explanations.ts'
import { exitCodeOf, usage } from '../failure.ts'
import type { Settings } from '../settings/options.ts'
import { printList, printResult } from '../terminal/output.ts'
import { wrapped } from '../terminal/text.ts'

type Form = Pick<Settings, 'json' | 'ndjson'>

const CODES = Object.keys(EXPLANATIONS) as readonly Code[]

export async function explain(word: string | undefined, form: Form): Promise<void> {
  if (word === undefined) return await explainAll(form)
  const code = word.trim().toLowerCase()
  if (!isCode(code)) throw usage(`CODE is no code of a rule.${suggestionFor(code)} bc explain lists them all.`)
  printResult(entryOf(code), form.json || form.ndjson, (width) => readableEntry(code, width))
}

async function explainAll(form: Form): Promise<void> {
  const codes = CODES.map(entryOf)
  await printList({ codes }, codes, form, readableList)
}

function entryOf(code: Code) {
  return { code, meaning: meaningOf(code), ...EXPLANATIONS[code], exit: exitCodeOf(code) }
}

/** A rule's own word is enough: `nonce` is `tx.nonce`. */
function suggestionFor(word: string): string {
  const endings = CODES.filter((code) => word !== '' && code.split('.')[1]?.startsWith(word))
  const found = endings.length > 0 ? endings : nearest(word, CODES)
  return found.length === 0 ? '' : ` Did you mean ${either(found)}?`
}

function readableEntry(code: Code, width: number): string {
  const { meaning, why, fix, exit } = entryOf(code)
  const parts = [
    ['The rule', meaning],
    ['Why it is there', why],
    ['How to put it right', fix],
  ] as const
  const texts = parts.map(([head, text]) => `${head}\n${wrapped(text, width, 2)}`)
  return [`${code}, exit code ${exit}`, ...texts].join('\n\n')
}

function readableList(width: number): string {
  const groups = Object.entries(GROUPS).map(([group, about]) => {
    const codes = CODES.filter((code) => code.startsWith(`${group}.`))
    return [wrapped(`${group}: ${about}`, width), ...codes.flatMap((code) => lineOf(code, width))].join('\n')
  })
  return `${groups.join('\n\n')}\n\n${wrapped('bc explain CODE tells why a rule is there and how to put it right.', width)}`
}

const CODE_COLUMN = Math.max(...CODES.map((code) => code.length)) + 4
/** Narrower texts beside the code would be columns of single words. */
const LEAST_TEXT = 36

function lineOf(code: Code, width: number): string {
  const meaning = meaningOf(code)
  if (width - CODE_COLUMN < LEAST_TEXT) return `  ${code}\n${wrapped(meaning, width, 4)}`
  return `  ${code}`.padEnd(CODE_COLUMN) + wrapped(meaning, width, CODE_COLUMN).trimStart()
}
