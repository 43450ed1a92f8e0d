/** What a node keeps to itself: its own key, and the operator's token. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
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
