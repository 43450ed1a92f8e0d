/** A secret that is to be stored: as hex digits or as a phrase, from standard input, a file or the terminal. */
import type { Secret } from '@bc/wallet'
import { PhraseError, secretOfPhrase } from '@bc/wallet/phrase'
import { usage } from '../failure.ts'
import { readSmallFile, readSmallInput } from '../terminal/input.ts'
import { openSecretQuestions } from '../terminal/questions.ts'
import { checkedSecret, fieldsIn } from './key.ts'

/**
 * @param from `-` or `@FILE`. A bare secret is not taken here: whoever moves a key into a safe place wants it nowhere
 *   else
 * @param name for the question
 */
export async function readImport(from: string, name: string): Promise<Secret> {
  if (from.startsWith('@')) return readSecret(readSmallFile(from.slice(1), 'SOURCE'))
  if (from !== '-') throw usage('SOURCE is - for standard input or @FILE: elsewhere a secret would show in ps.')
  return readSecret(process.stdin.isTTY ? await askForSecret(name) : await readSmallInput())
}

/** Hex digits, a phrase, or the JSON of `bc key export` with either. */
function readSecret(text: string): Secret {
  const phrase = phraseIn(text.trim())
  return phrase === undefined ? checkedSecret(text, 'that is no secret and no phrase of 24 words') : fromPhrase(phrase)
}

function phraseIn(text: string): string | undefined {
  if (text.startsWith('{')) return fieldsIn(text).phrase
  return /\s/.test(text) ? text : undefined
}

function fromPhrase(phrase: string): Secret {
  try {
    return secretOfPhrase(phrase)
  } catch (error) {
    if (error instanceof PhraseError) throw usage(error.message)
    throw error
  }
}

/** A phrase may come in several lines, as it was written down. An empty one ends it. */
async function askForSecret(name: string): Promise<string> {
  const questions = openSecretQuestions()
  try {
    let text = await questions.ask(`Secret or 24 words of ${name} (not shown): `)
    for (let more = text; more !== '' && isBegunPhrase(text); text += ` ${more}`)
      more = (await questions.ask('The words after these: ')).trim()
    return text
  } finally {
    questions.close()
  }
}

function isBegunPhrase(text: string): boolean {
  return /^\s*[a-z]+(\s+[a-z]+){0,22}\s*$/i.test(text)
}
