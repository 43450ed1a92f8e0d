/** The KEY of a command that was given none. */
import { usage } from '../failure.ts'
import type { KeySource } from '../settings/key-source.ts'
import { isKeyName } from './key-name.ts'

/**
 * `BC_KEY`, or the only key that is stored.
 * @param option what would have named one
 */
export async function defaultKey(option: string, source: KeySource): Promise<string> {
  const { BC_KEY } = process.env
  if (BC_KEY) {
    if (isKeyName(BC_KEY) || BC_KEY.startsWith('@')) return BC_KEY
    throw usage('BC_KEY is the name of a stored key or @FILE: a secret in the environment shows in /proc.')
  }
  const { openKeystore } = await import('./keystore.ts')
  const keystore = openKeystore(source.folder)
  const [only, ...others] = keystore.names()
  if (only === undefined)
    throw usage(`no key is stored in ${keystore.folder}: bc key new NAME makes one, and ${option} takes another.`)
  if (others.length > 0) throw usage(`${others.length + 1} keys are stored: say which with ${option} or BC_KEY.`)
  return only
}
