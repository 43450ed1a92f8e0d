/** KEY: the name of a stored key, or a secret as 64 hex digits, `-` for standard input or `@file`. */
import { isJsonObject } from '@bc/core'
import { parseSecret, type Secret } from '@bc/wallet'
import { usage } from '../failure.ts'
import { parsed } from '../json.ts'
import type { KeySource } from '../settings/key-source.ts'
import { readSmallFile, readSmallInput } from '../terminal/input.ts'
import { note } from '../terminal/output.ts'
import { askSecretly } from '../terminal/questions.ts'
import { isKeyName } from './key-name.ts'

const WARNING =
  "warning: a secret on the command line shows in ps and in the shell's history; @FILE or - (stdin) keeps it out."

export async function readKey(argument: string, source: KeySource): Promise<Secret> {
  if (argument === '-') return checkedSecret(await keyFromInput(), 'standard input holds no secret')
  if (argument.startsWith('@')) {
    const path = argument.slice(1)
    return checkedSecret(readSmallFile(path, 'KEY'), `${path} holds no secret`)
  }
  if (isKeyName(argument)) return storedSecret(argument, source)
  const secret = checkedSecret(argument, 'KEY is no secret and no name')
  note(WARNING)
  return secret
}

/** Loaded when it is needed: a bare secret needs no cipher. */
async function storedSecret(name: string, source: KeySource): Promise<Secret> {
  const [{ openKeystore, unlocked }, { passphraseOf }] = await Promise.all([
    import('./keystore.ts'),
    import('./passphrase.ts'),
  ])
  const key = openKeystore(source.folder).get(name)
  return unlocked(key, await passphraseOf(name, source))
}

function keyFromInput(): Promise<string> {
  return process.stdin.isTTY ? askSecretly('Secret (not shown): ') : readSmallInput()
}

/** @param text digits, or JSON with them: what `bc key new --json > FILE` wrote is as good as the bare digits */
export function checkedSecret(text: string, fault: string): Secret {
  const bare = text.trim()
  const secret = parseSecret(bare.startsWith('{') ? (fieldsIn(bare).secret ?? '') : bare)
  if (secret !== undefined) return secret
  throw usage(`${fault}: it is 64 lower-case hex digits, not zero and below the order of secp256k1.`)
}

/** What `bc key new` and `bc key export` write, as far as it is there. */
export function fieldsIn(text: string): { readonly secret?: string; readonly phrase?: string } {
  const key = parsed(text)
  if (!isJsonObject(key)) return {}
  const { secret, phrase } = key
  return { ...(typeof secret === 'string' && { secret }), ...(typeof phrase === 'string' && { phrase }) }
}
