/** What a node keeps to itself: its own key, and the operator's token. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '@bc/core'
import { addressOf, parseSecret, type Secret, secretFromEntropy } from '@bc/wallet'
import envPaths from 'env-paths'
import { StartError } from './errors.ts'

const PRIVATE_FILE = 0o600
const PRIVATE_DIRECTORY = 0o700

export interface Identity {
  readonly secret: Secret
  readonly address: Address
  /** What a stranger's request must show to be the operator's. */
  readonly operatorToken: string
}

/** The platform's data folder, one directory per port: two nodes on one machine never collide. */
export function defaultDataDirectory(port: number): string {
  return join(envPaths('bc', { suffix: '' }).data, `node-${port}`)
}

/** A key for a node that leaves nothing behind. */
export function newIdentity(): Identity {
  return identityOf(newSecret(), newToken())
}

/**
 * The node's key and token from its directory, made on the first start.
 * @throws StartError where the directory can't be used or a file of secrets is open to others
 */
export function loadIdentity(directory: string): Identity {
  try {
    mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY })
    const secret = privateFile(join(directory, 'secret'), newSecret)
    const parsed = parseSecret(secret)
    if (parsed === undefined) throw new StartError(`The file ${join(directory, 'secret')} holds no secret.`)
    return identityOf(parsed, privateFile(join(directory, 'operator-token'), newToken))
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(`The data directory ${directory} can't be used: ${(error as Error).message}.`)
  }
}

function identityOf(secret: Secret, operatorToken: string): Identity {
  return { secret, address: addressOf(secret), operatorToken }
}

function newSecret(): Secret {
  return secretFromEntropy(randomBytes(48))
}

function newToken(): string {
  return randomBytes(32).toString('hex')
}

function privateFile(file: string, make: () => string): string {
  if (!existsSync(file)) {
    writeFileSync(file, `${make()}\n`, { mode: PRIVATE_FILE, flag: 'wx' })
    chmodSync(file, PRIVATE_FILE)
  }
  // Windows has no such bits.
  const others = process.platform === 'win32' ? 0 : statSync(file).mode & 0o077
  if (others !== 0) throw new StartError(`The file ${file} can be read by others: run chmod 600 on it.`)
  return readFileSync(file, 'utf8').trim()
}
