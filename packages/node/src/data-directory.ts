import { join } from 'node:path'
import envPaths from 'env-paths'

/** The platform's data folder, one directory per port: two nodes on one machine never collide. */
export function defaultDataDirectory(port: number): string {
  return join(envPaths('bc', { suffix: '' }).data, `node-${port}`)
}
