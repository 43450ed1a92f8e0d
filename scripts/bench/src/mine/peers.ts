/** Who searches beside us, each in a process of its own, for as much processor time as it is told. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Skipped } from '../row.ts'
import { plainSearch, type SealJob } from './job.ts'

const run = promisify(execFile)
const PEERS = fileURLToPath(new URL('../../peers/', import.meta.url))

/** Attempts per second of processor time. */
export type Peer = (seconds: number) => Promise<number>

/** The tutorial's own loop. */
export function tutorialLoop(): Peer | Skipped {
  if (!has('python3')) return { skipped: 'no python3' }
  return async (seconds) => Number((await run('python3', [join(PEERS, 'proof_of_work.py'), String(seconds)])).stdout)
}

/**
 * The same search in C, compiled into a folder.
 * @throws Error where it doesn't find what we find: then its speed would say nothing
 */
export async function inC(folder: string, job: SealJob): Promise<Peer | Skipped> {
  if (process.arch !== 'x64') return { skipped: `SSE is for x64, this is ${process.arch}` }
  if (!has('gcc')) return { skipped: 'no gcc' }
  const program = join(folder, 'search')
  await run('gcc', ['-O3', '-msse4.1', '-o', program, join(PEERS, 'search.c')])
  const { text, limit, nonce } = plainSearch(job)
  const [found] = await lines(program, [text, limit, '0'])
  if (found !== nonce) throw new Error(`the search in C has found ${found}, and the right one is ${nonce}`)
  return async (seconds) => Number((await lines(program, [text, limit, String(seconds)]))[1])
}

async function lines(program: string, values: string[]): Promise<string[]> {
  return (await run(program, values)).stdout.trim().split('\n')
}

function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
