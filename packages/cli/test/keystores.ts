/** A folder of stored keys, and how its commands are run. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Secret } from '@bc/wallet'
import { SEAL_ENTROPY_BYTES, sealSecret } from '@bc/wallet/key-file'
import { expect } from 'vitest'
import { type Circumstances, command, type Ended } from './commands.ts'
import { temporaryFolder } from './nodes.ts'

export const PASSPHRASE = 'Öffne dich, Sesam 🗝'

export interface TestKeystore {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** With the passphrase at hand, and no terminal. */
  bc(args: readonly string[], how?: Circumstances): Promise<Ended>
  /** stdout of a command that must succeed. */
  output(args: readonly string[], how?: Circumstances): Promise<string>
}

/** An empty one. It ends with the test. */
export function emptyKeystore(): TestKeystore {
  const around = temporaryFolder()
  const folder = `${around}/keys`
  const passphraseFile = `${around}/passphrase`
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 })
  const env = { BC_KEYS: folder, BC_PASSPHRASE_FILE: passphraseFile }
  const bc = (args: readonly string[], how: Circumstances = {}) =>
    command('bc', args, { detached: true, ...how, env: { ...env, ...how.env } })
  const output = async (args: readonly string[], how: Circumstances = {}) => {
    const run = await bc(args, how)
    expect(run, run.stderr).toMatchObject({ code: 0 })
    return run.stdout
  }
  return { folder, env, bc, output }
}

/** Keys with known secrets, by name. Their passphrase costs an eighth of the usual, as a key file may say. */
export async function keystoreOf(secrets: Readonly<Record<string, string>>): Promise<TestKeystore> {
  const keystore = emptyKeystore()
  mkdirSync(keystore.folder, { mode: 0o700 })
  for (const [name, secret] of Object.entries(secrets)) {
    const entropy = randomBytes(SEAL_ENTROPY_BYTES)
    const text = await sealSecret(secret as Secret, PASSPHRASE, entropy, { n: 2 ** 14, r: 8, p: 1 })
    writeFileSync(`${keystore.folder}/${name}.json`, text, { mode: 0o600 })
  }
  return keystore
}
