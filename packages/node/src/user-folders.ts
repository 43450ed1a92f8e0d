/** Where the platform wants what belongs to a user. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** No absolute path where the environment has no place for it. */
export function userFolder(kind: 'config' | 'data'): string {
  const { platform, env } = process
  const isData = kind === 'data'
  if (platform === 'darwin') return join(home(), 'Library', isData ? 'Application Support' : 'Preferences', 'bc')
  if (platform !== 'win32')
    // https://specifications.freedesktop.org/basedir/latest/
    return isData
      ? join(env.XDG_DATA_HOME || join(home(), '.local', 'share'), 'bc')
      : join(env.XDG_CONFIG_HOME || join(home(), '.config'), 'bc')
  return isData
    ? join(env.LOCALAPPDATA || join(home(), 'AppData', 'Local'), 'bc', 'Data')
    : join(env.APPDATA || join(home(), 'AppData', 'Roaming'), 'bc', 'Config')
}

/** Empty where neither the environment nor the system knows of one, as for the user that a container was given. */
export function home(): string {
  try {
    return homedir()
  } catch {
    return ''
  }
}
