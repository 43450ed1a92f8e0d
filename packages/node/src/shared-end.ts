import { setMaxListeners } from 'node:events'

/** Ends any number of things at once, where Node takes more than ten listeners of one signal for a leak and says so. */
export function sharedEnd(): AbortController {
  const end = new AbortController()
  setMaxListeners(0, end.signal)
  return end
}
