/**
 * A chain of a million blocks, kept between runs: data directories of nodes that have it at some heights. Blocks hold a
 * reward and nothing else. It takes a minute or two to make, and a gigabyte.
 *
 *     ~/.cache/bc-bench/chains/<key>/<height>/    a node's data directory
 *     ~/.cache/bc-bench/chains/<key>/copy-…/      one that is being measured
 */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Genesis, hashOf } from '@bc/core'
import { cacheFolder } from '../cache.ts'
import { makeHolders } from '../chain/holders.ts'
import { genesisFor, writeConfig } from '../chain/make.ts'
import { ask } from '../processes/ask.ts'
import type { GrowQuestion } from '../processes/grow.ts'
import { type Skipped, shorten, tell } from '../row.ts'

/** Those who have coins. */
export const ACCOUNTS = 1_000

/** What a block takes, with what LevelDB needs to tidy up and what a measurement adds. */
const BYTES_PER_BLOCK = 3_000
const BYTES_BESIDE = 500_000_000
/** Those of older formats, which no run has used for so long. */
const OUTDATED_MS = 7 * 24 * 3_600_000
/** A copy that is older was left behind by a run that was killed. */
const LEFT_BEHIND_MS = 24 * 3_600_000
/** What {@link keyOf} makes: other rows keep things of their own nearby, and nothing else is ours to remove. */
const KEY = /^[0-9a-f]{16}$/
const COPY = /^copy-/

/** What decides what the files of a chain look like. One that other code has made is another chain. */
const FORMAT = [
  ...['layout', 'chain-store', 'database', 'level'].map((name) => `packages/node/dist/storage/${name}.js`),
  'scripts/bench/dist/processes/grow.js',
].map((file) => fileURLToPath(new URL(`../../../../${file}`, import.meta.url)))

export interface TallChain {
  readonly genesis: Genesis
  /** A `config.json` for nodes of this chain. */
  readonly config: string
  /** Hands over a data directory with so many blocks that nobody else has. It is removed afterwards. */
  withCopy<T>(height: number, use: (directory: string) => Promise<T>): Promise<T>
}

/** @param heights in rising order */
export async function tallChain(heights: readonly number[]): Promise<TallChain | Skipped> {
  const genesis = genesisFor(makeHolders(ACCOUNTS))
  const cache = cacheFolder('chains')
  const folder = join(cache, keyOf(genesis))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  utimesSync(folder, new Date(), new Date())
  removeOutdated(cache, KEY, OUTDATED_MS)
  removeOutdated(folder, COPY, LEFT_BEHIND_MS)
  const config = writeConfig(folder, genesis)
  for (const [i, height] of heights.entries()) {
    if (existsSync(join(folder, String(height)))) continue
    const lack = lackOfRoom(folder, height)
    if (lack) return { skipped: lack }
    const lower = [...heights.slice(0, i)].pop()
    await make(folder, genesis, height, lower)
  }
  const withCopy: TallChain['withCopy'] = async (height, use) => {
    const copy = copyOf(folder, height)
    const remove = () => rmSync(copy, { recursive: true, force: true })
    process.once('exit', remove)
    try {
      return await use(copy)
    } finally {
      process.off('exit', remove)
      remove()
    }
  }
  return { genesis, config, withCopy }
}

function keyOf(genesis: Genesis): string {
  const digest = createHash('sha256').update(hashOf(genesis))
  for (const file of FORMAT) digest.update(readFileSync(file))
  return digest.digest('hex').slice(0, 16)
}

function removeOutdated(parent: string, names: RegExp, ms: number): void {
  for (const name of readdirSync(parent).filter((name) => names.test(name))) {
    const folder = join(parent, name)
    if (Date.now() - statSync(folder).mtimeMs < ms) continue
    tell(`${folder} is no longer used: removed`)
    rmSync(folder, { recursive: true })
  }
}

function lackOfRoom(folder: string, height: number): string | undefined {
  const { bavail, bsize } = statfsSync(folder)
  const needed = height * BYTES_PER_BLOCK + BYTES_BESIDE
  if (bavail * bsize >= needed) return undefined
  return `${shorten(height)} blocks need ${gigabytes(needed)} in ${folder}, and there are ${gigabytes(bavail * bsize)}`
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

/** It has its name once it is whole. */
async function make(folder: string, genesis: Genesis, height: number, lower: number | undefined): Promise<void> {
  tell(`a chain of ${shorten(height)} blocks is made, and kept in ${folder}`)
  const directory = lower === undefined ? newFolder(folder) : copyOf(folder, lower)
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const question: GrowQuestion = { genesis, directory, height }
  await ask('./grow.js', question)
  process.off('exit', remove)
  renameSync(directory, join(folder, String(height)))
}

function newFolder(folder: string): string {
  return mkdtempSync(join(folder, 'copy-'))
}

/** Tables are links, since LevelDB writes a table once: a copy costs nothing, and neither do its blocks. */
function copyOf(folder: string, height: number): string {
  const [from, to] = [join(folder, String(height)), newFolder(folder)]
  const isTable = (file: string) => file.endsWith('.ldb')
  cpSync(from, to, { recursive: true, filter: (file) => !isTable(file) })
  for (const name of readdirSync(join(from, 'chain')).filter(isTable))
    linkSync(join(from, 'chain', name), join(to, 'chain', name))
  return to
}
