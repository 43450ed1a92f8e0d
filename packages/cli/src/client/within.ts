/** The flag's limit for a command that asks again and again. */
import type { Endpoint } from './http.ts'

/**
 * The whole of the work has this limit, a question on the way the usual one.
 * @param late what is thrown when the time is up, whatever is under way then
 */
export async function within<T>(
  { timeout, ...endpoint }: Endpoint,
  late: (seconds: number) => Error,
  work: (endpoint: Endpoint, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController()
  const timer = timeout === undefined ? undefined : setTimeout(() => end.abort(late(timeout / 1000)), timeout)
  try {
    return await work({ ...endpoint, timeout: undefined, signal: end.signal }, end.signal)
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}
