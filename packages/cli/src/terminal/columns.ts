/** How many columns of a terminal a text takes. */

/** Characters of Chinese and of Korean, and what is an emoji unless told otherwise: ✅ stands far below the others. */
const WIDE = /[\u1100-\u115f\u2329\u232a\u2e80-\u{10ffff}]|\p{Emoji_Presentation}/u

export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += WIDE.test(character) ? 2 : 1
  return columns
}
