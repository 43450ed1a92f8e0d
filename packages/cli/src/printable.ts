/** What strangers write, made harmless for a terminal. */

// Control characters drive a terminal, and format characters reorder what it shows. Of the latter only the joiner of
// composed emoji is harmless.
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text of a stranger's: a memo may hold escape sequences. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
