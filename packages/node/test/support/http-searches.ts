/** Stand-ins for the search of nonces: some jobs are made so hard that they end only when they are called off. */
import type { Hash, SealJob, Target } from '@bc/core'
import type { SealThreads } from '../../src/mining/seal-threads.ts'
import type { Search } from './http-parts.ts'

const UNREACHABLE = '0'.repeat(64) as Target

export interface Searches {
  /** What was searched for, in order. */
  readonly jobs: SealJob[]
  /** How many of the next jobs never end by themselves. */
  endless: number
  /** Resolves once so many jobs have been started. */
  started(count: number): Promise<void>
}

/** Real threads; the jobs are noted, and made endless where the test says so. */
export function watchedThreads(): { searches: Searches; threads: (real: SealThreads) => Search } {
  const jobs: SealJob[] = []
  const waiting: (() => void)[] = []
  const searches: Searches = {
    jobs,
    endless: 0,
    async started(count) {
      while (jobs.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
  const threads = (real: SealThreads): Search => ({
    search(job, signal) {
      jobs.push(job)
      for (const wake of waiting.splice(0)) wake()
      return real.search(searches.endless-- > 0 ? { ...job, target: UNREACHABLE } : job, signal)
    },
    close: () => real.close(),
    get attempts() {
      return real.attempts
    },
  })
  return { searches, threads }
}

export const parentsOf = ({ jobs }: Searches): Hash[] => jobs.map(({ previousHash }) => previousHash)
