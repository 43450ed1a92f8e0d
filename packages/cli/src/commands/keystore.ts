/** The stored keys: made, listed, shown, written out, taken in and removed. No node is asked. */
import { randomBytes } from 'node:crypto'
import { addressOf, type Secret } from '@bc/wallet'
import { SEAL_ENTROPY_BYTES, sealSecret } from '@bc/wallet/key-file'
import { usage } from '../failure.ts'
import { type Keystore, openKeystore, unlocked } from '../keys/keystore.ts'
import { changedPassphrase, newPassphrase, passphraseOf } from '../keys/passphrase.ts'
import { readImport } from '../keys/read-import.ts'
import type { KeySource } from '../settings/key-source.ts'
import type { Settings } from '../settings/options.ts'
import { note, printList, printResult } from '../terminal/output.ts'
import { askOnce } from '../terminal/questions.ts'
import { counted, rows, wrapped } from '../terminal/text.ts'
import { freshSecret, type NewKeyFlags, phraseOf, withPhrase } from './key.ts'

/** A new key's phrase is shown once: on a terminal always, to a program where it asks for it. */
export async function storeNewKey(name: string, { json, phrase }: NewKeyFlags, source: KeySource): Promise<void> {
  const keystore = openKeystore(source.folder)
  checkFree(name, keystore)
  const secret = freshSecret()
  const address = await store(name, secret, keystore, source)
  const words = await phraseOf(secret)
  printResult(phrase ? { address, name, phrase: words } : { address, name }, json, (width) =>
    withPhrase(rows(rowsOf(name, address), width), words, width),
  )
  if (process.stdout.isTTY && !json)
    note('write the 24 words down: who has them has the coins, and without the passphrase they alone bring them back.')
}

export async function importKey(
  name: string,
  from: string,
  { json }: { readonly json: boolean },
  source: KeySource,
): Promise<void> {
  const keystore = openKeystore(source.folder)
  checkFree(name, keystore)
  const address = await store(name, await readImport(from, name), keystore, source)
  printResult({ address, name }, json, (width) => rows(rowsOf(name, address), width))
}

export async function listKeys(form: Pick<Settings, 'json' | 'ndjson'>, source: KeySource): Promise<void> {
  const keystore = openKeystore(source.folder)
  const keys = keystore.names().map((name) => ({ address: keystore.get(name).address, name }))
  await printList({ keys, length: keys.length }, keys, form, (width) => {
    if (keys.length === 0) return wrapped(`No keys yet in ${keystore.folder}: bc key new NAME makes one.`, width)
    return `${rows(
      keys.map(({ name, address }) => [name, address]),
      width,
    )}\n\n${counted(keys.length, 'key')}`
  })
}

export function showKey(name: string, json: boolean, source: KeySource): void {
  const { address, file } = openKeystore(source.folder).get(name)
  printResult({ address, file, name }, json, (width) => rows([...rowsOf(name, address), ['File', file]], width))
}

/** @param flags with `phrase` the words stand for the digits */
export async function exportKey(name: string, flags: NewKeyFlags, source: KeySource): Promise<void> {
  const key = openKeystore(source.folder).get(name)
  const { address } = key
  const secret = await unlocked(key, await passphraseOf(name, source))
  if (!flags.phrase) {
    const all = [...rowsOf(name, address), ['Secret', secret]] as const
    return printResult({ address, secret }, flags.json, (width) => rows(all, width))
  }
  const words = await phraseOf(secret)
  printResult({ address, phrase: words }, flags.json, (width) =>
    withPhrase(rows(rowsOf(name, address), width), words, width),
  )
}

export interface PassphraseFlags {
  readonly json: boolean
  /** A descriptor that the new passphrase is read from. */
  readonly newFd?: number
}

/** The same secret in a new file. Whatever goes wrong before that is whole, the old one stays. */
export async function changePassphrase(name: string, { json, newFd }: PassphraseFlags, source: KeySource) {
  const keystore = openKeystore(source.folder)
  const key = keystore.get(name)
  const { address, ciphertext } = key
  const changed = await changedPassphrase(name, source, newFd, (old) => unlocked(key, old))
  const text = await sealSecret(changed.unlocked, changed.passphrase, randomBytes(SEAL_ENTROPY_BYTES))
  // While the questions stood there another process may have made another file of that name.
  if (keystore.get(name).ciphertext !== ciphertext)
    throw usage(`the file of ${name} is another one by now: nothing was changed.`)
  keystore.replace(key, text)
  printResult({ address, name }, json, () => `${name} has its new passphrase.`)
  if (process.stdout.isTTY && !json) note('copies of the old file still open with the old passphrase.')
}

/** @param yes whether the user has said so already */
export async function removeKey(name: string, { json, yes }: RemoveFlags, source: KeySource): Promise<void> {
  const keystore = openKeystore(source.folder)
  const key = keystore.get(name)
  const { address } = key
  if (!yes) await askBeforeRemoving(name, address)
  // While the question stood there another process may have made another key of that name.
  if (keystore.get(name).address !== address) throw usage(`${name} is another key by now: nothing was removed.`)
  keystore.remove(key)
  printResult({ address, name }, json, () => `${name} is removed.`)
}

export interface RemoveFlags {
  readonly json: boolean
  readonly yes: boolean
}

async function askBeforeRemoving(name: string, address: string): Promise<void> {
  if (!process.stdin.isTTY) throw usage('there is no terminal to ask at whether that is meant: --yes says so.')
  process.stderr.write(`${name} is ${address}.\nWithout its secret or phrase elsewhere its coins are lost.\n`)
  if ((await askOnce(`Type ${name} to remove it: `)) !== name) throw usage('nothing was removed.')
}

/** Seals a secret and keeps it. @returns its address */
async function store(name: string, secret: Secret, keystore: Keystore, source: KeySource): Promise<string> {
  const passphrase = await newPassphrase(name, source)
  const text = await sealSecret(secret, passphrase, randomBytes(SEAL_ENTROPY_BYTES))
  // Another process may have taken the name while the passphrase was asked for.
  if (!keystore.add(name, text)) throw taken(name, keystore)
  return addressOf(secret)
}

/** Before anything is asked. */
function checkFree(name: string, keystore: Keystore): void {
  if (keystore.find(name) !== undefined) throw taken(name, keystore)
}

function taken(name: string, { folder }: Keystore) {
  return usage(`${folder} has a key ${name} already, and nothing is written over it.`)
}

function rowsOf(name: string, address: string): readonly (readonly [string, string])[] {
  return [
    ['Name', name],
    ['Address', address],
  ]
}
