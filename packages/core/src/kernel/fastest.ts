/**
 * Which kernel is the fastest depends on the processor and on the engine's version; whether it is right, on the engine
 * as well. So both are tried where the search runs.
 */
import { sha256Hex } from '../hash.ts'
import type { Proof, Target } from '../primitives.ts'
import { plainKernel, type SealJob, type SealKernel } from '../proof-of-work.ts'

export interface FastestModules {
  /** Milliseconds since whenever, with a fraction. */
  readonly now: () => number
  /** A text that nobody can know beforehand: the jobs of the check are made of it. */
  readonly salt: string
}

/** Searches by which each kernel is measured, beside the others and at the work that is to be done anyway. */
const TURNS = 64
/** A shorter search says little about speed: it is mostly preparation. */
const LEAST_ATTEMPTS = 1_000

interface Runner {
  readonly kernel: SealKernel
  turns: number
  /** Attempts per millisecond in the best turn. The first turns run code that isn't optimised yet. */
  best: number
}

/**
 * A kernel that searches with those that are right in turns, until it knows which one is the fastest. Before that one is
 * kept it is checked again, as its code may be another by then: engines optimise what runs often.
 * @param kernels are checked now, for some milliseconds each; where none is right the plain one is used
 */
export function fastestKernel(kernels: readonly SealKernel[], modules: FastestModules): SealKernel {
  const checks = checksOf(`${modules.salt} before`)
  const runners: Runner[] = kernels
    .filter((kernel) => passes(kernel, checks))
    .map((kernel) => ({ kernel, turns: 0, best: 0 }))
  let settled: SealKernel | undefined = runners.length > 0 ? undefined : plainKernel

  function searchInTurns(...search: Parameters<SealKernel['searchNonce']>): bigint | undefined {
    const runner = runners.reduce((least, other) => (other.turns < least.turns ? other : least))
    const nonce = measured(runner, modules.now, ...search)
    if (runners.every(({ turns }) => turns >= TURNS)) settled = bestOf(runners, `${modules.salt} after`)
    return nonce
  }

  return {
    get name() {
      return settled?.name ?? 'several in turns'
    },
    searchNonce: (...search) => (settled ? settled.searchNonce(...search) : searchInTurns(...search)),
  }
}

function measured(
  runner: Runner,
  now: () => number,
  ...[job, from, attempts]: Parameters<SealKernel['searchNonce']>
): bigint | undefined {
  const start = now()
  const nonce = runner.kernel.searchNonce(job, from, attempts)
  const milliseconds = now() - start
  const tried = nonce === undefined ? attempts : Number(nonce - from) + 1
  if (tried >= LEAST_ATTEMPTS && milliseconds > 0) {
    runner.turns++
    runner.best = Math.max(runner.best, tried / milliseconds)
  }
  return nonce
}

function bestOf(runners: readonly Runner[], salt: string): SealKernel {
  const checks = checksOf(salt)
  const fastestFirst = runners.toSorted((one, other) => other.best - one.best)
  return fastestFirst.map(({ kernel }) => kernel).find((kernel) => passes(kernel, checks)) ?? plainKernel
}

/** Whether a kernel finds, in some random jobs, all that the plain search finds and nothing else. */
export function isRight(kernel: SealKernel, salt: string): boolean {
  return passes(kernel, checksOf(salt))
}

/** A job, some nonces to be tried, and those of them whose seals meet the target, in order. */
interface Check {
  readonly job: SealJob
  readonly from: bigint
  readonly end: bigint
  readonly nonces: readonly bigint[]
}

/** Leading digits of targets: 1 of 2, of 16 and of 256 nonces meets them, so every lane has its turn. */
const TARGETS = [
  { leading: '7', attempts: 40 },
  { leading: '8', attempts: 40 },
  { leading: '0f', attempts: 300 },
  { leading: '0e', attempts: 300 },
  { leading: '00f', attempts: 1_000 },
] as const

function checksOf(salt: string): readonly Check[] {
  return TARGETS.map(({ leading, attempts }) => {
    const job = jobOf(`${salt} ${leading}`, leading)
    // Half of them before a change of the nonce's upper digits, half after it.
    const from = (BigInt(`0x${job.commitment.slice(0, 12)}`) + 1n) * 0x10000n - BigInt(attempts / 2)
    const end = from + BigInt(attempts)
    return { job, from, end, nonces: [...noncesIn(job, from, end)] }
  })
}

function* noncesIn(job: SealJob, from: bigint, end: bigint): Generator<bigint> {
  for (let next = from; ; ) {
    const nonce = plainKernel.searchNonce(job, next, Number(end - next))
    if (nonce === undefined) return
    yield nonce
    next = nonce + 1n
  }
}

/** From each nonce to the next one, and no further than it was told. */
function passes(kernel: SealKernel, checks: readonly Check[]): boolean {
  return checks.every(({ job, from, end, nonces }) => {
    const starts = [from, ...nonces.map((nonce) => nonce + 1n)]
    return starts.every((start, i) => {
      const nonce = nonces[i]
      const before = kernel.searchNonce(job, start, Number((nonce ?? end) - start))
      return (
        before === undefined && (nonce === undefined || kernel.searchNonce(job, start, Number(end - start)) === nonce)
      )
    })
  })
}

function jobOf(salt: string, leading: string): SealJob {
  const text = (name: string) => sha256Hex(`${salt} ${name}`)
  return {
    previousProof: (text('previous commitment') + text('previous nonce').slice(0, 16)) as Proof,
    previousHash: text('previous hash'),
    commitment: text('commitment'),
    target: (leading + text('target').slice(leading.length)) as Target,
  }
}
