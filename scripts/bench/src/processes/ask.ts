/** One question to a process of its own, and its answer: nobody else's memory or compiled code counts there. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * @param file of this folder, compiled: it calls {@link answer}
 * @throws Error where the process ends without an answer
 */
export async function ask<Answer>(file: `./${string}.js`, question: object): Promise<Answer> {
  const words = { serialization: 'advanced', execArgv: process.execArgv } as const
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], words)
  // Whoever asks may be interrupted: what was made for it is removed, and nobody should go on in there.
  const end = () => child.kill()
  process.once('exit', end)
  const ended = once(child, 'exit').then(([code]) => {
    process.off('exit', end)
    throw new Error(`the process ${file} has ended with ${code}`)
  })
  // It ends after its answer as well: nobody waits for that any more.
  ended.catch(() => undefined)
  child.send(question)
  const [answer] = await Promise.race([once(child, 'message') as Promise<[Answer]>, ended])
  return answer
}

/** In that process: it is asked once, answers, and ends. */
export function answer<Question>(work: (question: Question) => Promise<object>): void {
  process.once('message', async (question: Question) => {
    process.send?.(await work(question))
    process.disconnect()
  })
}
