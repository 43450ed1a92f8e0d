import { type Logger, pino } from 'pino'

export type Log = Logger

/** Fields that never reach a log, wherever they stand. */
const SECRETS = [
  'secret',
  '*.secret',
  'key',
  '*.key',
  'token',
  '*.token',
  'req.headers.authorization',
  'headers.authorization',
]

/** Bytes of lines that a full disk or a reader who has fallen asleep doesn't take. What comes then is dropped. */
const MOST_WAITING = 1 << 20

/** @param terminal readable lines for people instead of JSON lines; both go to stderr */
export async function createLogger(options: { readonly terminal: boolean; readonly level: string }): Promise<Log> {
  const settings = { level: options.level, redact: { paths: SECRETS, censor: '[hidden]' } }
  if (!options.terminal) return pino(settings, quietStderr())
  // Loaded only where somebody reads it.
  const { default: pretty } = await import('pino-pretty')
  return pino(settings, pretty({ destination: 2, ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }))
}

/** Off this thread: a reader who has fallen asleep holds up no node, and neither does a disk that is full. */
function quietStderr() {
  const stderr = pino.destination({ dest: 2, sync: false, maxLength: MOST_WAITING })
  // What wasn't taken goes before the next line, as long as it isn't too much.
  stderr.on('error', () => undefined)
  // Pino calls it where the process ends or is about to: on a full disk its own tries again for ever.
  stderr.flushSync = () => undefined
  return stderr
}
