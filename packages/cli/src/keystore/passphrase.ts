/**
 * The passphrase of a stored key: from a descriptor, from a file, or asked for at the terminal, in this order. Never
 * from an argument or the environment itself: both show in /proc and in ps.
 */
import { statSync } from 'node:fs'
import { usage } from '../failure.ts'
import { readSmallBytes, readSmallDescriptor } from '../input.ts'
import type { KeySource } from '../key-source.ts'
import { note } from '../output.ts'
import { openSecretQuestions, openTerminal, type SecretQuestions } from '../questions.ts'

/** @param name of a key that is there */
export async function passphraseOf(name: string, source: KeySource): Promise<string> {
  return given(source) ?? (await asking(async (questions) => checked(await questions.ask(`Passphrase of ${name}: `))))
}

/** @param name of a key that is to be. At the terminal it is asked for twice: a slip would be a lost key. */
export async function newPassphrase(name: string, source: KeySource): Promise<string> {
  return (
    given(source) ??
    (await asking(async (questions) => {
      const passphrase = checked(await questions.ask(`New passphrase for ${name}: `))
      if ((await questions.ask('Once more: ')) === passphrase) return passphrase
      throw usage('the two passphrases differ: nothing was stored.')
    }))
  )
}

function given({ passphraseFd }: KeySource): string | undefined {
  if (passphraseFd !== undefined) return lineIn(readSmallDescriptor(passphraseFd, '--passphrase-fd'))
  // A shell has no handy way to unset a variable for one command: empty is unset.
  const file = process.env.BC_PASSPHRASE_FILE
  if (!file) return undefined
  const passphrase = lineIn(readSmallBytes(file, 'BC_PASSPHRASE_FILE'))
  if (isOpenToOthers(file)) note(`warning: others can read ${file}, which holds a passphrase: run chmod 600 on it.`)
  return passphrase
}

/** A pipe (`<(pass show bc)`) has no mode that says anything; what is mounted into a container is for its mounter. */
function isOpenToOthers(path: string): boolean {
  const found = statSync(path)
  return process.platform !== 'win32' && found.isFile() && (found.mode & 0o077) !== 0
}

async function asking(work: (questions: SecretQuestions) => Promise<string>): Promise<string> {
  const terminal = openTerminal()
  if (terminal === undefined)
    throw usage(
      'a passphrase is needed, and there is no terminal to ask at: BC_PASSPHRASE_FILE names a file that holds it, --passphrase-fd a descriptor.',
    )
  const questions = openSecretQuestions(terminal)
  try {
    return await work(questions)
  } finally {
    questions.close()
  }
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
