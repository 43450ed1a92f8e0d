/** Foundry's Ethereum node for development, from the npm registry. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cacheFolder } from '../cache.ts'
import { type Skipped, tell } from '../row.ts'
import { type PeerServer, startServer } from './server.ts'

const run = promisify(execFile)

const VERSION = '1.7.1'
const LIMIT_MS = 10_000
const LOOK_MS = 20
const SYSTEMS: Readonly<Record<string, string>> = {
  'linux x64': 'linux-amd64',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'darwin-amd64',
  'darwin arm64': 'darwin-arm64',
}

/** It signs for this chain by default. */
export const ANVIL_CHAIN = 31_337

export interface Anvil extends PeerServer {
  /** The secrets of the accounts that it has given coins. */
  readonly secrets: readonly Uint8Array[]
}

/** @returns the program's file */
export async function fetchAnvil(): Promise<string | Skipped> {
  const system = SYSTEMS[`${process.platform} ${process.arch}`]
  if (system === undefined) return { skipped: `anvil is not made for ${process.platform} ${process.arch}` }
  const folder = cacheFolder(`anvil-${VERSION}`)
  const program = join(folder, 'node_modules', '@foundry-rs', `anvil-${system}`, 'bin', 'anvil')
  if (existsSync(program)) return program
  tell('fetching anvil from the npm registry')
  try {
    const words = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
    await run('npm', ['install', ...words, `@foundry-rs/anvil-${system}@${VERSION}`])
  } catch (error) {
    return { skipped: `anvil can't be had from the npm registry: ${lastLine(error)}` }
  }
  return existsSync(program) ? program : { skipped: `the package of anvil has no ${program}` }
}

/** Mines nothing, keeps everything in memory, and answers on as many threads as it likes. Nobody reads its log. */
export async function startAnvil(program: string, folder: string, accounts: number): Promise<Anvil> {
  const config = join(folder, 'anvil.json')
  rmSync(config, { force: true })
  const server = await startServer(program, (port) => [
    ...['--no-mining', '--port', String(port)],
    ...['--accounts', String(accounts), '--config-out', config],
  ])
  return { ...server, secrets: await secretsIn(config) }
}

/** It may listen before it has written all of the file. */
async function secretsIn(file: string): Promise<Uint8Array[]> {
  for (const deadline = performance.now() + LIMIT_MS; ; await delay(LOOK_MS)) {
    try {
      const { private_keys } = JSON.parse(readFileSync(file, 'utf8')) as { private_keys: readonly string[] }
      return private_keys.map((key) => Buffer.from(key.slice(2), 'hex'))
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
  }
}

/** Of what a failed program has said; where npm has written more into a file isn't it. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  const lines = (stderr || message).trim().split('\n')
  return lines.findLast((line) => !line.includes('A complete log of this run')) ?? ''
}
