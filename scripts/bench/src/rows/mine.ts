/** The search for a nonce: attempts per second. */
import { availableParallelism } from 'node:os'
import { jobOf } from '../mine/job.ts'
import { inC, type Peer, tutorialLoop } from '../mine/peers.ts'
import { Threads } from '../mine/threads.ts'
import { type Bench, type Measured, type Row, type Size, type Skipped, sideBySide } from '../row.ts'

const ATTEMPTS = { unit: 'attempts/s', bound: 'at least' } as const

const BESIDE_PYTHON: Row = {
  name: 'mine',
  ours: 'attempts per second and core',
  theirs: "the tutorial's own loop in Python, on one core",
  ...ATTEMPTS,
  mustReach: 5.5,
  aimFor: 12,
}

const BESIDE_C: Row = {
  name: 'mine, C',
  ours: 'the same',
  theirs: 'the same search in C, four lanes, gcc -O3 -msse4.1, on one core',
  ...ATTEMPTS,
  mustReach: 1,
  aimFor: 2,
}

const TWO_WORKERS: Row = {
  name: 'mine, two',
  ours: 'attempts per second of two workers',
  theirs: 'one worker',
  ...ATTEMPTS,
  mustReach: 1.9,
  aimFor: 1.95,
}

export const bench: Bench = {
  rows: [BESIDE_PYTHON, BESIDE_C, TWO_WORKERS],
  async measure(size, folder) {
    const one = await Threads.warm(1)
    try {
      return [
        await besidePeer(BESIDE_PYTHON, tutorialLoop(), one, size),
        // One of 4096 nonces meets it.
        await besidePeer(BESIDE_C, await inC(folder, jobOf('000fffff')), one, size),
        await besideOne(one, size),
      ]
    } finally {
      await one.close()
    }
  },
}

function secondsOf({ quick }: Size): number {
  return quick ? 0.3 : 2
}

/** By processor time: who else uses the core then takes nothing from either figure. */
async function besidePeer(row: Row, peer: Peer | Skipped, one: Threads, size: Size): Promise<Measured> {
  if ('skipped' in peer) return { row, outcome: peer }
  const seconds = secondsOf(size)
  const outcome = await sideBySide(
    size.runs,
    async () => (await one.search(seconds)).byProcessor,
    () => peer(seconds),
  )
  return { row, outcome }
}

/** By the clock, as it is about the cores being there for both. */
async function besideOne(one: Threads, size: Size): Promise<Measured> {
  if (availableParallelism() < 2) return { row: TWO_WORKERS, outcome: { skipped: 'one core' } }
  const seconds = secondsOf(size)
  const two = await Threads.warm(2)
  try {
    const outcome = await sideBySide(
      size.runs,
      async () => (await two.search(seconds)).byClock,
      async () => (await one.search(seconds)).byClock,
    )
    return { row: TWO_WORKERS, outcome }
  } finally {
    await two.close()
  }
}
