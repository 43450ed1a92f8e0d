/** KEY: a secret as 64 hex digits, `-` for standard input or `@file`. */
import { isJsonObject, type JsonValue, parseJson, RuleError } from '@bc/core'
import { parseSecret, type Secret } from '@bc/wallet'
import { usage } from './failure.ts'
import { readSmallFile, readSmallInput } from './input.ts'
import { note } from './output.ts'
import { askSecretly } from './questions.ts'

const WARNING =
  "warning: a secret on the command line shows in ps and in the shell's history; @FILE or - (stdin) keeps it out."

export async function readKey(argument: string): Promise<Secret> {
  if (argument === '-') return checked(await keyFromInput(), 'standard input holds no secret')
  if (argument.startsWith('@')) {
    const path = argument.slice(1)
    return checked(readSmallFile(path, 'KEY'), `${path} holds no secret`)
  }
  const secret = checked(argument, 'KEY is no secret')
  note(WARNING)
  return secret
}

function keyFromInput(): Promise<string> {
  return process.stdin.isTTY ? askSecretly('Secret (not shown): ') : readSmallInput()
}

function checked(text: string, fault: string): Secret {
  const secret = parseSecret(secretIn(text.trim()))
  if (secret !== undefined) return secret
  throw usage(`${fault}: it is 64 lower-case hex digits, not zero and below the order of secp256k1.`)
}

/** What `bc key new --json > FILE` wrote is as good as the bare digits. */
function secretIn(text: string): string {
  if (!text.startsWith('{')) return text
  const key = parsedOrUndefined(text)
  return isJsonObject(key) && typeof key.secret === 'string' ? key.secret : ''
}

function parsedOrUndefined(text: string): JsonValue | undefined {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof RuleError) return undefined
    throw error
  }
}
