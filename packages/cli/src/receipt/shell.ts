/** The same check by hand: a script that whoever doubts `bc` can read, and run where there is none. */
import { readFileSync } from 'node:fs'
import type { Hash } from '@bc/core'
import { shellWord } from '../terminal/shell-word.ts'

/**
 * @param file the receipt that the script reads unless it is given another
 * @param chain the chain that it must be of; the receipt's own word counts where it is missing
 */
export function shellCheck(file: string, chain: Hash | undefined): string {
  const script = readFileSync(new URL('../../receipt/check.sh', import.meta.url), 'utf8').trimEnd()
  // The chain first: a file may be called @CHAIN@, and no chain is called @FILE@.
  return script.replace('@CHAIN@', chain ?? '').replace('@FILE@', () => shellWord(file))
}
