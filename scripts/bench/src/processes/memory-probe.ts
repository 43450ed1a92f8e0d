/**
 * Loaded into a node before its own code (`node --expose-gc --import`): it answers, over the channel of whoever has
 * started the process, how much memory the process has, as `ps` would say it, once the garbage is collected.
 */
process.on('message', async (question) => {
  if (question !== 'memory') return
  // What the first finds to be garbage may have kept memory outside of the heap, which the second takes.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  process.send?.({ rss: process.memoryUsage.rss() })
})
// The node ends when it has nothing to do, as without this.
process.channel?.unref()
