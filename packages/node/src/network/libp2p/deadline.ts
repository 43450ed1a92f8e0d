/**
 * Runs something with a signal that is aborted after so long, or with another one.
 * @param more asked when the time is up: whether it has as much again
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal,
  late: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
  more: () => boolean = () => false,
): Promise<T> {
  // By hand: on Node 20 AbortSignal.any never lets go of what it made for a signal that lives on.
  const deadline = new AbortController()
  const follow = () => deadline.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', follow)
  const timer = setTimeout(() => (more() ? timer.refresh() : deadline.abort(late())), ms)
  try {
    return await run(deadline.signal)
  } catch (error) {
    // Libraries have errors of their own for an aborted signal: the reason says more.
    throw deadline.signal.aborted ? deadline.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', follow)
  }
}
