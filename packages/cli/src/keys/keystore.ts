/**
 * The stored keys: a folder (0700) with one file (0600) for each, NAME.json, in the format of `@bc/wallet/key-file`.
 * Names and addresses stand in clear; a secret needs its passphrase.
 */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Secret } from '@bc/wallet'
import { type KeyFile, KeyFileError, openKeyFile, parseKeyFile } from '@bc/wallet/key-file'
import { CliError, usage } from '../failure.ts'
import { defaultKeysFolder } from '../settings/folders.ts'
import { isKeyName, NAME_FORM } from './key-name.ts'
import {
  isPrivateFolder,
  makePrivateFolder,
  readPrivateFile,
  removePrivateFile,
  replacePrivateFile,
  writeNewPrivateFile,
} from './private-files.ts'

const ENDING = '.json'
/** Some nine times what a key file has. */
const MAX_BYTES = 4096

export interface StoredKey extends KeyFile {
  readonly name: string
  readonly file: string
}

export interface Keystore {
  readonly folder: string
  names(): readonly string[]
  /** @throws CliError `cli.keystore` for a file that is open to others or no key file */
  find(name: string): StoredKey | undefined
  /** @throws CliError `cli.usage` where there is none of this name, and as {@link find} */
  get(name: string): StoredKey
  /** @param text a key file @returns false where the name is taken */
  add(name: string, text: string): boolean
  /** @param text a key file that takes the place of this one */
  replace(key: StoredKey, text: string): void
  remove(key: StoredKey): void
}

/**
 * @param given by the user; otherwise it is beside the nodes' folders
 * @throws CliError `cli.keystore` for a folder that is open to others
 */
export function openKeystore(given: string | undefined): Keystore {
  const folder = given === undefined ? defaultKeysFolder() : resolve(given)
  const exists = isPrivateFolder(folder)
  const fileOf = (name: string) => {
    if (isKeyName(name)) return join(folder, name + ENDING)
    throw usage(`that is no name for a key: ${NAME_FORM}.`)
  }
  const find = (name: string) => {
    const file = fileOf(name)
    const text = readPrivateFile(file, MAX_BYTES)
    return text === undefined ? undefined : { ...parsed(file, text), name, file }
  }
  return {
    folder,
    names: () => (exists ? namesIn(folder) : []),
    find,
    get(name) {
      const key = find(name)
      if (key !== undefined) return key
      throw usage(`there is no key of that name in ${folder}: bc key list shows those that are there.`)
    },
    add(name, text) {
      const file = fileOf(name)
      makePrivateFolder(folder)
      return writeNewPrivateFile(file, `${text}\n`)
    },
    replace: ({ file }, text) => replacePrivateFile(file, `${text}\n`),
    remove: ({ file }) => removePrivateFile(file),
  }
}

/** The secret of a stored key. */
export async function unlocked({ name, file, ...keyFile }: StoredKey, passphrase: string): Promise<Secret> {
  try {
    return await openKeyFile(keyFile, passphrase)
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error
    if (error.code === 'wallet.form') throw unusable(file, error)
    throw usage(`the passphrase is not that of ${name}, or ${file} was changed since it was written.`)
  }
}

/** What else lies there, as a draft of somebody who was killed, is no key. */
function namesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).map((file) => (file.endsWith(ENDING) ? file.slice(0, -ENDING.length) : ''))
  return names.filter(isKeyName).sort()
}

function parsed(file: string, text: string): KeyFile {
  try {
    return parseKeyFile(text)
  } catch (error) {
    if (error instanceof KeyFileError) throw unusable(file, error)
    throw error
  }
}

function unusable(file: string, { message }: KeyFileError): CliError {
  return new CliError('cli.keystore', `${file} can't be used. ${message}`)
}
