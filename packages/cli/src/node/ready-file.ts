/** Tells other programs that a node listens, and where. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { canonicalJson, isJsonObject, type JsonObject } from '@bc/core'
import { responseTo } from '../client/http.ts'
import { type CliError, usage, writing } from '../failure.ts'
import { parsed } from '../json.ts'

/** Some ten times what a node in dev mode writes. */
const MAX_BYTES = 32_768
const ANSWER_MS = 1_000

export interface ReadyFile {
  write(content: JsonObject): void
  remove(): void
}

/**
 * What an earlier node left there (`kill -9`) goes at once: it would send others to nobody. That of a node which may
 * still run stays until ours is up: its data may be what we are refused.
 * @throws CliError `cli.usage` for any other file: who named it by mistake shall keep it
 */
export async function readyFile(path: string | undefined): Promise<ReadyFile> {
  if (path === undefined) return { write: () => {}, remove: () => {} }
  let content: string | undefined
  await removeLeftOver(path)
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
async function removeLeftOver(path: string): Promise<void> {
  const text = attempt(path, () => textOf(path))
  if (text === undefined) return
  const node = nodeIn(text)
  if (text !== '' && node === undefined) throw noReadyFile(path)
  if (node && !(await isGone(node))) return
  if (isStill(path, text)) attempt(path, () => rmSync(path, { force: true }))
}

/** undefined where nothing is there */
function textOf(path: string): string | undefined {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return undefined
  // A pipe would have us wait for its other end. What a folder is, reading it tells.
  if (there.isDirectory() || (there.isFile() && there.size <= MAX_BYTES)) return readFileSync(path, 'utf8')
  throw noReadyFile(path)
}

function noReadyFile(path: string): CliError {
  return usage(`${path} is no ready file: it is left alone.`)
}

interface ToldNode {
  readonly url: string
  readonly pid: number
}

/** undefined for what no node has written */
function nodeIn(text: string): ToldNode | undefined {
  const content = parsed(text)
  if (!isJsonObject(content) || typeof content.url !== 'string') return undefined
  const { url, pid } = content
  // 0 and what is below it would be all processes of a group.
  return typeof pid === 'number' && pid > 0 && pid === (pid | 0) ? { url, pid } : undefined
}

/** In a container each start may have the same number: then we are what it names now. */
async function isGone({ pid, url }: ToldNode): Promise<boolean> {
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is another user's, so it is there.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
  }
  return await isRefused(url)
}

/** Nothing listens there: the number has become a stranger's. Whoever is silent may be a node that is busy. */
async function isRefused(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const response = await responseTo(new URL(url), { method: 'HEAD', body: undefined, signal })
    response.destroy()
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
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
