/**
 * `Promise.withResolvers` for Node 20, which libp2p's libraries take for granted. Imported for its effect, before any of
 * them is loaded.
 */
export {}

type Resolvers<T> = {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

const promises = Promise as PromiseConstructor & { withResolvers?: <T>() => Resolvers<T> }

promises.withResolvers ??= <T>() => {
  const parts = {} as Resolvers<T>
  parts.promise = new Promise<T>((resolve, reject) => {
    parts.resolve = resolve
    parts.reject = reject
  })
  return parts
}
