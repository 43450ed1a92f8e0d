/** What strangers write, made harmless for a terminal. */

// Control characters drive a terminal, and format characters reorder what it shows. Of the latter only the joiner of
// composed emoji is harmless.
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A value of a stranger's: a memo may hold escape sequences, and stand where a list should. */
export function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
