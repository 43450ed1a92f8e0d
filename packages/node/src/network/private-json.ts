/** Small files that the network keeps for itself in the data directory: whole or not at all, and nobody else's to read. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'

/** Nothing that is kept is longer. */
const MOST_BYTES = 1_000_000

/** @returns undefined where there is none, or none that can be used: what stands in it can be learnt again */
export function readPrivateJson(file: string): unknown {
  try {
    if (statSync(file).size > MOST_BYTES) return undefined
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

export function writePrivateJson(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600, flush: true })
    renameSync(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}
