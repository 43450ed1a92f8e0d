import type { MadeChain } from '../chain/make.ts'
import { ask } from './ask.ts'
import type { ImportAnswer, ImportQuestion } from './import.ts'

/**
 * Imports the chain into a new data directory.
 * @returns transactions per second
 */
export async function importInto(directory: string, { genesis, blocks, tip }: MadeChain): Promise<number> {
  const question: ImportQuestion = { genesis, blocks, directory }
  const answer = await ask<ImportAnswer>('./import.js', question)
  if (answer.tip !== tip) throw new Error(`the head is ${answer.tip}, and ${tip} was made`)
  return (answer.transactions / answer.ms) * 1000
}
