/** Whether mining delays answers: the slowest of a hundred, while a node mines and while it rests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { get } from '../http/get.ts'
import { NodeProcess } from '../processes/node.ts'
import { type Bench, type Row, sideBySide } from '../row.ts'

const ROW: Row = {
  name: 'status',
  ours: 'GET /status while the node mines with all its threads, the 99th of 100 answers',
  theirs: 'the same while it rests',
  unit: 'ms',
  bound: 'at most',
  mustReach: 3,
  aimFor: 1.5,
}

/** A block takes a second or so: there is always one to search for, and now and then one is found. */
const DIFFICULTY = 6
const WARM_UP = 500

export const bench: Bench = {
  rows: [ROW],
  async measure({ runs, quick }, folder) {
    const config = join(folder, 'config.json')
    writeFileSync(config, JSON.stringify({ difficulty: DIFFICULTY }))
    const questions = quick ? 500 : 5_000
    const outcome = await sideBySide(
      runs,
      () => slowest(folder, config, ['--mine'], questions),
      () => slowest(folder, config, [], questions),
    )
    return [{ row: ROW, outcome }]
  },
}

/** @returns milliseconds within which 99 of 100 answers came, asked for one after the other */
async function slowest(folder: string, config: string, flags: readonly string[], questions: number): Promise<number> {
  const directory = mkdtempSync(join(folder, 'data-'))
  const node = await NodeProcess.start({ directory, config, flags, execArgv: process.execArgv })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const times: number[] = []
    for (let i = 0; i < WARM_UP + questions; i++) {
      const start = performance.now()
      await get(agent, `${node.url}/status`)
      times.push(performance.now() - start)
    }
    const sorted = times.slice(WARM_UP).toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length * 0.99)] as number
  } finally {
    agent.destroy()
    await node.stop()
    rmSync(directory, { recursive: true })
  }
}
