/** Runs something with a signal that is aborted after so long, or with another one. */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal,
  late: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // By hand: on Node 20 AbortSignal.any never lets go of what it made for a signal that lives on.
  const deadline = new AbortController()
  const follow = () => deadline.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', follow)
  const timer = setTimeout(() => deadline.abort(late()), ms)
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
