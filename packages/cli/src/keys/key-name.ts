/** The names of stored keys. Nothing else that stands for a key or an address can look like one, and no path can. */

/** Lower case alone: on some file systems `Alice` and `alice` are one file. Too short for a secret or an address. */
const NAME = /^[a-z][a-z0-9_-]{0,31}$/

export const NAME_FORM = 'a name is 1 to 32 of a-z, 0-9, _ and -, and starts with a letter'

export function isKeyName(text: string): boolean {
  return NAME.test(text)
}
