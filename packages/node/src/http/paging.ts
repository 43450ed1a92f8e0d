/** Of the pages of any list: items unless asked for otherwise, and at the most. */
const USUAL = 50
export const MOST = 1000
/** A page ends early rather than grow past this; it always holds one block. */
export const PAGE_BYTES = 4_000_000

/** How many items a page may have. */
export function limitOf({ limit = String(USUAL) }: { readonly limit?: string }): number {
  return Math.min(MOST, Number(limit))
}
