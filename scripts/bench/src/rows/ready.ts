/** A node from its first start in an empty directory until it has answered. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { get } from '../http/get.ts'
import { endWithUs, launcher, lifetimeOfNothing, stopProcess } from '../processes/command.ts'
import { type Bench, type Row, SHORT_TURNS, sideBySide } from '../row.ts'

const ROW: Row = {
  name: 'ready',
  ours: 'bc-node in an empty directory until it has answered GET /status',
  theirs: 'node -e 0',
  unit: 'ms',
  bound: 'at most',
  mustReach: 5,
  aimFor: 3,
}

export const bench: Bench = {
  rows: [ROW],
  async measure({ runs, quick }, folder) {
    const ready = () => timeToReady(folder)
    await startAndStop(folder)
    return [{ row: ROW, outcome: await sideBySide(runs, ready, lifetimeOfNothing, quick ? 1 : SHORT_TURNS) }]
  },
}

/** What Node keeps of compiled code, from Node 22 on, it writes at the end: all starts but the first have it. */
async function startAndStop(folder: string): Promise<void> {
  const directory = mkdtempSync(join(folder, 'data-'))
  const child = spawnNode(directory)
  await once(child.stdout, 'data')
  await stopProcess(child)
  rmSync(directory, { recursive: true })
}

function spawnNode(directory: string) {
  const words = [launcher('bc-node'), '-p', '0', '--data-dir', directory, '--log-level', 'warn']
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  endWithUs(child)
  return child
}

/** As `bc-node` starts where nobody says more, with its network; its directory is one that we can remove. */
async function timeToReady(folder: string): Promise<number> {
  const directory = mkdtempSync(join(folder, 'data-'))
  const start = performance.now()
  const child = spawnNode(directory)
  const ended = once(child, 'exit')
  try {
    // The one line that a node writes where no person is at its terminal, once it listens.
    const line = await Promise.race([once(child.stdout, 'data'), ended])
    if (child.exitCode !== null) throw new Error('a node does not start')
    // To look the name up costs more than the question.
    const url = String(JSON.parse(String(line[0])).url).replace('//localhost:', '//127.0.0.1:')
    await get(new Agent(), `${url}/status`)
    return performance.now() - start
  } finally {
    // Its end is not measured, and what it has stored goes with the directory.
    child.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true })
  }
}
