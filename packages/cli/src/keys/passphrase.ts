/**
 * The passphrase of a stored key: from a descriptor, from a file, or asked for at the terminal, in this order. Never
 * from an argument or the environment itself: both show in /proc and in ps.
 */
import { statSync } from 'node:fs'
import { usage } from '../failure.ts'
import type { KeySource } from '../settings/key-source.ts'
import { readSmallBytes, readSmallDescriptor } from '../terminal/input.ts'
import { note } from '../terminal/output.ts'
import { openSecretQuestions, openTerminal, type SecretQuestions } from '../terminal/questions.ts'

/** Where a passphrase may stand, other than in somebody's head. */
interface Place {
  /** What it is to whom it is missing. */
  readonly noun: string
  readonly flag: string
  readonly variable: string
}

const PLACE: Place = { noun: 'a passphrase', flag: '--passphrase-fd', variable: 'BC_PASSPHRASE_FILE' }
/** Of a key that has another one. */
const NEW_PLACE: Place = {
  noun: 'a new passphrase',
  flag: '--new-passphrase-fd',
  variable: 'BC_NEW_PASSPHRASE_FILE',
}

/** @param name of a key that is there */
export async function passphraseOf(name: string, { passphraseFd }: KeySource): Promise<string> {
  return given(PLACE, passphraseFd) ?? (await asking((ask) => askedOf(name, ask)))
}

/** @param name of a key that is to be */
export async function newPassphrase(name: string, { passphraseFd }: KeySource): Promise<string> {
  return given(PLACE, passphraseFd) ?? (await asking((ask) => askedFor(name, ask)))
}

/**
 * The old passphrase of a key and a new one. Whoever doesn't know the old one isn't asked for the new one.
 * @param newFd a descriptor that the new one is read from
 * @param unlock throws where the old one is wrong
 */
export async function changedPassphrase<T>(
  name: string,
  { passphraseFd }: KeySource,
  newFd: number | undefined,
  unlock: (old: string) => Promise<T>,
): Promise<{ readonly unlocked: T; readonly passphrase: string }> {
  const [old, fresh] = [given(PLACE, passphraseFd), given(NEW_PLACE, newFd)]
  // In one conversation: the lines may have been pasted together.
  return await asking(async (ask) => ({
    unlocked: await unlock(old ?? (await askedOf(name, ask))),
    passphrase: fresh ?? (await askedFor(name, (question) => ask(question, NEW_PLACE))),
  }))
}

type Ask = (question: string, place?: Place) => Promise<string>

async function askedOf(name: string, ask: Ask): Promise<string> {
  return checked(await ask(`Passphrase of ${name}: `))
}

/** Twice: a slip would be a lost key. */
async function askedFor(name: string, ask: Ask): Promise<string> {
  const passphrase = checked(await ask(`New passphrase for ${name}: `))
  if ((await ask('Once more: ')) === passphrase) return passphrase
  throw usage('the two passphrases differ: nothing was stored.')
}

function given({ flag, variable }: Place, descriptor: number | undefined): string | undefined {
  if (descriptor !== undefined) return lineIn(readSmallDescriptor(descriptor, flag))
  // A shell has no handy way to unset a variable for one command: empty is unset.
  const file = process.env[variable]
  if (!file) return undefined
  const passphrase = lineIn(readSmallBytes(file, variable))
  if (isOpenToOthers(file)) note(`warning: others can read ${file}, which holds a passphrase: run chmod 600 on it.`)
  return passphrase
}

/** A pipe (`<(pass show bc)`) has no mode that says anything; what is mounted into a container is for its mounter. */
function isOpenToOthers(path: string): boolean {
  const found = statSync(path)
  return process.platform !== 'win32' && found.isFile() && (found.mode & 0o077) !== 0
}

/** Takes the terminal with the first question. */
async function asking<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
  let questions: SecretQuestions | undefined
  try {
    return await work((question, place = PLACE) => {
      questions ??= openedQuestions(place)
      return questions.ask(question)
    })
  } finally {
    questions?.close()
  }
}

function openedQuestions({ noun, flag, variable }: Place): SecretQuestions {
  const terminal = openTerminal()
  if (terminal !== undefined) return openSecretQuestions(terminal)
  throw usage(
    `${noun} is needed, and there is no terminal to ask at: ${variable} names a file that holds it, ${flag} a descriptor.`,
  )
}

/** Strictly UTF-8: bytes that are put right in silence are a weaker passphrase than the one that was meant. */
function lineIn(bytes: Uint8Array): string {
  return checked(decoded(bytes).replace(/\r?\n$/, ''))
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw usage('the passphrase is not UTF-8.')
  }
}

function checked(passphrase: string): string {
  if (passphrase === '') throw usage('the passphrase is empty: that would protect nothing.')
  if (/[\r\n]/.test(passphrase)) throw usage('the passphrase is not one line.')
  return passphrase
}
