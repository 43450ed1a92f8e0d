/** Where the platform wants what belongs to a user. Beside it, in the same data folder, are the nodes' folders. */
import { isAbsolute, join } from 'node:path'
import { userFolder } from '@bc/node/user-folders'
import { usage } from '../failure.ts'

/**
 * undefined where the environment has no place for it. A relative path is none: the file would be another one in every
 * folder that a command is called from, so whoever can write there could say which node is asked.
 */
export function findConfigFile(): string | undefined {
  return absolute(join(userFolder('config'), 'config.json'))
}

/** undefined as with {@link findConfigFile}: what is stored in such a folder is not found again. */
export function findKeysFolder(): string | undefined {
  return absolute(join(userFolder('data'), 'keys'))
}

/** @throws CliError `cli.usage` where the environment has no place for it */
export function defaultConfigFile(): string {
  return findConfigFile() ?? nowhere('the config file', 'XDG_CONFIG_HOME', 'BC_CONFIG')
}

/** @throws CliError `cli.usage` where the environment has no place for it */
export function defaultKeysFolder(): string {
  return findKeysFolder() ?? nowhere('keys', 'XDG_DATA_HOME', 'BC_KEYS')
}

function absolute(path: string): string | undefined {
  return isAbsolute(path) ? path : undefined
}

/** @param instead what names a place by itself */
function nowhere(what: string, folder: string, instead: string): never {
  const given = process.env[folder]
  const wrong = given && !isAbsolute(given) ? folder : 'HOME'
  throw usage(`there is no place for ${what}, since ${wrong} is no absolute path: set it, or ${instead}.`)
}
