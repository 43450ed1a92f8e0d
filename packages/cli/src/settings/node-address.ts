/** How a node is named and how long it is waited for, in a flag, in the environment and in the config file alike. */
import { usage } from '../failure.ts'

export const DEFAULT_NODE = 'http://localhost:5000'
/** Seconds. */
export const DEFAULT_TIMEOUT = 30
/** Seconds: a day. */
export const LONGEST_TIMEOUT = 86_400

/**
 * The tutorial's clients name a node with and without `http://`. A name or password in it would show in `ps`.
 * @param source where the text stands, for the message
 */
export function nodeUrl(text: string, source: string): URL {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  const plain = url && url.username + url.password + url.search + url.hash === ''
  if (plain && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw usage(`${source} is not the address of a node: it has the form ${DEFAULT_NODE}.`)
}

/** As people write it: {@link nodeUrl} the other way round. */
export function nameOf({ href }: URL): string {
  return href.replace(/\/$/, '')
}
