/** What a node keeps to itself: its own key, and the operator's token. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

/** For a node that leaves nothing behind. @param secret a new one unless given */
export function newIdentity(secret: Secret = newSecret()): Identity {
  return identityOf(secret, newToken())
}

/**
 * The node's key and token from its directory, made on the first start.
 * @throws StartError where the directory can't be used, or it or a file of secrets is open to others
 */
export function loadIdentity(directory: string): Identity {
  try {
    mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY })
    refuseLoose(directory, PRIVATE_DIRECTORY)
    const secret = parseSecret(privateFile(join(directory, 'secret'), newSecret))
    if (secret === undefined) throw new StartError(`The file ${join(directory, 'secret')} holds no secret.`)
    const token = privateFile(join(directory, 'operator-token'), newToken)
    if (!TOKEN.test(token)) throw new StartError(`The file ${join(directory, 'operator-token')} holds no token.`)
    return identityOf(secret, token)
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

const TOKEN = /^[0-9a-f]{64}$/

function newToken(): string {
  return randomBytes(32).toString('hex')
}

export function privateFile(file: string, make: () => string): string {
  if (!existsSync(file)) writeWhole(file, `${make()}\n`)
  refuseLoose(file, PRIVATE_FILE)
  return readFileSync(file, 'utf8').trim()
}

/** All of it or nothing: half a secret would keep every later start from working. */
function writeWhole(file: string, text: string): void {
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, text, { mode: PRIVATE_FILE, flush: true })
    chmodSync(draft, PRIVATE_FILE)
    // Not renamed: of two nodes that start at once, the second must not replace what the first one uses.
    linkSync(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

function refuseLoose(path: string, mode: number): void {
  // Windows has no such bits.
  const others = process.platform === 'win32' ? 0 : statSync(path).mode & 0o077
  if (others !== 0) throw new StartError(`${path} is open to others: run chmod ${mode.toString(8)} on it.`)
}
