/** What others have sent, in a sentence of ours: of whatever it is made, and however long it is. */
import { canonicalJson } from './json.ts'

const MOST = 40

/** @returns its beginning, in quotes and in printable ASCII */
export function quoted(text: string): string {
  return canonicalJson(text.slice(0, MOST).toWellFormed()) + (text.length > MOST ? '…' : '')
}
