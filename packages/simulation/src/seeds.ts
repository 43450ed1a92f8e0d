/** Many seeds, on all cores: each in a process of its own, since every run keeps one thread busy. */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Outcome, SimulationOptions } from './simulation.ts'

export type Question = Pick<SimulationOptions, 'seed' | 'nodes' | 'depth'>

/** What came of a seed: undefined where the process has died of it, and has said why on the terminal. */
export interface Answer {
  readonly seed: number
  readonly outcome: Outcome | undefined
  /** Of the processor's time. */
  readonly seconds: number
}

/** @param onAnswer hears of each seed when it has ended */
export async function runSeeds(
  questions: readonly Question[],
  jobs: number,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const waiting = [...questions]
  const worker = async () => {
    let child = startChild()
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const answer = await ask(child, next)
      if (answer.outcome === undefined) child = startChild()
      onAnswer(answer)
    }
    child.kill()
  }
  await Promise.all(Array.from({ length: Math.min(jobs, questions.length) }, worker))
}

function startChild(): ChildProcess {
  // The sources run as sources, and what was compiled as that.
  const body = new URL(`./seed-worker${extname(import.meta.url)}`, import.meta.url)
  return fork(fileURLToPath(body), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

function ask(child: ChildProcess, question: Question): Promise<Answer> {
  return new Promise((resolve) => {
    const die = () => resolve({ seed: question.seed, outcome: undefined, seconds: 0 })
    child.once('exit', die)
    child.once('message', (answer) => {
      child.off('exit', die)
      resolve(answer as Answer)
    })
    child.send(question)
  })
}
