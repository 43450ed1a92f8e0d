/** Of the pages of any list: items unless asked for otherwise, and at the most. */
export const DEFAULT_LIMIT = 50
export const MOST = 1000
/** A page ends early rather than grow past this; it always holds one block. */
export const PAGE_BYTES = 4_000_000
