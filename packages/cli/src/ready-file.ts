/** Tells other programs that a node listens, and where. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { canonicalJson, type JsonObject } from '@bc/core'
import { CliError } from './failure.ts'

export interface ReadyFile {
  write(content: JsonObject): void
  remove(): void
}

/** What an earlier node left there (`kill -9`) goes at once: it would send others to nobody. */
export function readyFile(path: string | undefined): ReadyFile {
  if (path === undefined) return { write: () => {}, remove: () => {} }
  let content: string | undefined
  attempt(path, () => rmSync(path, { force: true }))
  const remove = () => {
    if (content !== undefined && isStill(path, content)) rmSync(path, { force: true })
    content = undefined
  }
  // The second signal ends the process without a stop.
  process.on('exit', remove)
  return {
    remove,
    write(told) {
      const text = `${canonicalJson(told)}\n`
      attempt(path, () => writeWhole(path, text))
      content = text
    },
  }
}

/** Readers see all of it or nothing. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Another node may have been given the same path since. */
function isStill(path: string, content: string): boolean {
  try {
    return readFileSync(path, 'utf8') === content
  } catch {
    return false
  }
}

function attempt(path: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw new CliError('cli.node', `the ready file ${path} can't be written: ${(error as Error).message}`)
  }
}
