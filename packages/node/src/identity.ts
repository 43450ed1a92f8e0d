/** What a node keeps to itself: its own key, the operator's token, and the key that peers know it by. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '@bc/core'
import { addressOf, parseSecret, type Secret, secretFromEntropy } from '@bc/wallet'
import { StartError } from './errors.ts'
import { PRIVATE_DIRECTORY, privateFile, refuseLoose } from './private-file.ts'

export interface Identity {
  readonly secret: Secret
  readonly address: Address
  /** What a stranger's request must show to be the operator's. */
  readonly operatorToken: string
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
    if (!KEY.test(token)) throw new StartError(`The file ${join(directory, 'operator-token')} holds no token.`)
    // The network's, which joins it later: that it can't be used must be known before the node answers.
    if (existsSync(join(directory, 'peer-key'))) peerSeed(directory)
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

/**
 * 32 bytes from which the key is made that peers know the node by, kept in the directory.
 * @param directory undefined for a key that is gone with the node
 * @throws StartError where the file holds none, or is open to others
 */
export function peerSeed(directory: string | undefined): Uint8Array {
  if (directory === undefined) return randomBytes(32)
  const file = join(directory, 'peer-key')
  const key = privateFile(file, newToken)
  if (!KEY.test(key)) throw new StartError(`The file ${file} holds no peer's key: without it a new one is made.`)
  return Buffer.from(key, 'hex')
}

const KEY = /^[0-9a-f]{64}$/

function newToken(): string {
  return randomBytes(32).toString('hex')
}
