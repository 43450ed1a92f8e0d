/** A process that runs seeds: a question in, its answer out. */
import type { Answer, Question } from './seeds.ts'
import { simulate } from './simulation.ts'

process.on('message', async (question: Question) => {
  const before = process.cpuUsage()
  const outcome = await simulate(question)
  const { user, system } = process.cpuUsage(before)
  const answer: Answer = { seed: question.seed, outcome, seconds: (user + system) / 1e6 }
  process.send?.(answer)
})
