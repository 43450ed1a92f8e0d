import { isAbsolute, join } from 'node:path'
import { ConfigError } from './config.ts'
import { userFolder } from './user-folders.ts'

/**
 * The platform's data folder, one directory per port: two nodes on one machine never collide.
 * @throws ConfigError where the environment has no place for it: in a folder relative to the current one a node that is
 * started elsewhere wouldn't find its chain and key again
 */
export function defaultDataDirectory(port: number): string {
  const directory = join(userFolder('data'), `node-${port}`)
  if (isAbsolute(directory)) return directory
  const { XDG_DATA_HOME } = process.env
  const wrong = XDG_DATA_HOME && !isAbsolute(XDG_DATA_HOME) ? 'XDG_DATA_HOME' : 'HOME'
  throw new ConfigError(`There is no place for the data, since ${wrong} is no absolute path: set it, or --data-dir.`)
}
