/** Where the platform wants what belongs to a user. Beside it, in the same data folder, are the nodes' folders. */
import { join } from 'node:path'
import envPaths from 'env-paths'

export function defaultConfigFile(): string {
  return join(envPaths('bc', { suffix: '' }).config, 'config.json')
}

export function defaultKeysFolder(): string {
  return join(envPaths('bc', { suffix: '' }).data, 'keys')
}
