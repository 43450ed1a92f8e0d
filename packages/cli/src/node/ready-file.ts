/** Tells other programs that a node listens, and where. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '@bc/core'
import { usage, writing } from '../failure.ts'

/** Some ten times what a node in dev mode writes. */
const MAX_BYTES = 32_768

export interface ReadyFile {
  write(content: JsonObject): void
  remove(): void
}

/**
 * What an earlier node left there (`kill -9`) goes at once: it would send others to nobody. That of a node which may
 * still run stays until ours is up: its data may be what we are refused.
 * @throws CliError `cli.usage` for any other file: who named it by mistake shall keep it
 */
export function readyFile(path: string | undefined): ReadyFile {
  if (path === undefined) return { write: () => {}, remove: () => {} }
  let content: string | undefined
  if (attempt(path, () => isLeftOver(path))) attempt(path, () => rmSync(path, { force: true }))
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

/** An empty file tells nobody anything: `mktemp` makes one. */
function isLeftOver(path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return false
  if (there.isFile() && there.size === 0) return true
  // A pipe would have us wait for its other end. What a folder is, reading it tells.
  const readable = there.isDirectory() || (there.isFile() && there.size <= MAX_BYTES)
  const pid = readable ? pidIn(readFileSync(path, 'utf8')) : undefined
  if (pid === undefined) throw usage(`${path} is no ready file: it is left alone.`)
  return isGone(pid)
}

/** undefined for what no node has written */
function pidIn(text: string): number | undefined {
  const content = leniently(text)
  if (!isJsonObject(content) || typeof content.url !== 'string') return undefined
  const { pid } = content
  // 0 and what is below it would be all processes of a group.
  return typeof pid === 'number' && pid > 0 && pid === (pid | 0) ? pid : undefined
}

function leniently(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** In a container each start may have the same number: then we are what it names now. */
function isGone(pid: number): boolean {
  if (pid === process.pid) return true
  try {
    return !process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is another user's, so it is there.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
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

function attempt<T>(path: string, write: () => T): T {
  return writing('cli.node', `the ready file ${path}`, write)
}
