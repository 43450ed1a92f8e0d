import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { MadeChain } from '../chain/make.ts'
import type { ImportAnswer, ImportQuestion } from './import.ts'

const PROCESS = fileURLToPath(new URL('./import.js', import.meta.url))

/**
 * Imports the chain into a new data directory, in a process of its own: nobody else's memory or compiled code counts.
 * @returns transactions per second
 */
export async function importInto(directory: string, { genesis, blocks, tip }: MadeChain): Promise<number> {
  const child = fork(PROCESS, [], { serialization: 'advanced', execArgv: process.execArgv })
  const question: ImportQuestion = { genesis, blocks, directory }
  child.send(question)
  const answered = once(child, 'message') as Promise<[ImportAnswer]>
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the importing process has ended with ${code}`)
  })
  // It ends after its answer as well: nobody waits for that any more.
  ended.catch(() => undefined)
  const [answer] = await Promise.race([answered, ended])
  if (answer.tip !== tip) throw new Error(`the head is ${answer.tip}, and ${tip} was made`)
  return (answer.transactions / answer.ms) * 1000
}
