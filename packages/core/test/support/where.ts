/** What some tests need and not every machine has. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

const VECTORS = new URL('../../../../../shared/vectors/', import.meta.url)

export function hasVectors(name: string): boolean {
  return existsSync(fileURLToPath(new URL(name, VECTORS)))
}

export function readVectors(name: string): string {
  return readFileSync(new URL(name, VECTORS), 'utf8')
}

/**
 * A group of tests that skips, with a word in its name, where what it needs is missing. In CI nothing skips: there it
 * fails instead, since a check that silently never runs is none.
 */
export function describeWith(present: boolean, missing: string, name: string, tests: () => void): void {
  const skip = !present && !process.env.CI
  const why = skip ? `skipped: ${missing}` : missing
  describe.skipIf(skip)(present ? name : `${name} (${why})`, tests)
}
