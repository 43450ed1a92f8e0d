/** Runs `scripts/audit.sh` as a shell would, and knows the documents it is given. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { canonicalJson, type JsonObject, sha256Hex } from '@bc/core'
import { expect } from 'vitest'
import { type Circumstances, type Ended, ended, ROOT } from './commands.ts'

const AUDIT = `${ROOT}/scripts/audit.sh`

/** Whether everything that the audit works with is on this machine. */
export function hasTools(): boolean {
  try {
    execFileSync('bash', ['-c', 'command -v jq openssl xxd curl mktemp >/dev/null'])
    return true
  } catch {
    return false
  }
}

/** Where audits run, and where they keep what they need: both stay empty, or something was run or left behind. */
let nowhere = ''
let temporary = ''

export function makeFolders(): void {
  nowhere = mkdtempSync(`${tmpdir()}/audit-runs-`)
  temporary = mkdtempSync(`${tmpdir()}/audit-keeps-`)
}

export function expectNothingRun(): void {
  expect(readdirSync(nowhere)).toEqual([])
}

export function expectNothingBehind(): void {
  const left = [nowhere, temporary].map((folder) => readdirSync(folder))
  for (const folder of [nowhere, temporary]) rmSync(folder, { recursive: true })
  expect(left).toEqual([[], []])
}

/** A process that starts where audits run, with nothing of the tester's own around it. */
function begun(command: string, args: readonly string[], { input, env }: Circumstances): Promise<Ended> {
  // A first shell whose standard input is a socket takes itself for a remote one, and reads ~/.bashrc: this is a second.
  const clean = { PATH: process.env.PATH, HOME: process.env.HOME, SHLVL: '2', TMPDIR: temporary, ...env }
  const child = spawn(command, args, { cwd: nowhere, env: clean, timeout: 45_000 })
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  return ended(child)
}

export const audit = (args: readonly string[], how: Circumstances = {}) => begun(AUDIT, args, how)

/** A line of shell in which $0 is the audit, $1 the first argument and so on. */
export const shell = (line: string, ...args: readonly string[]) => begun('bash', ['-c', line, AUDIT, ...args], {})

export const auditOf = (document: string | Buffer): Promise<Ended> => audit(['-'], { input: document })

/** What a node answers to GET /chain. The blocks stand in it as they are, well-formed or not. */
export function documentOf(texts: readonly string[]): string {
  return `{"chain": [${texts.join(', ')}], "length": ${texts.length}}`
}

/** What the report must say of a chain. */
export interface Book {
  readonly tip: string
  readonly blocks: number
  readonly transactions: number
  readonly accounts: number
  readonly supply: number
}

interface Read {
  readonly rules?: { readonly allocations: Readonly<Record<string, number>>; readonly miningReward: number }
  readonly transactions: readonly { readonly recipient: string }[]
}

/** The same by other means: the supply from the rules alone, the accounts as everybody who was ever paid. */
export function bookOf(texts: readonly string[]): Book {
  const blocks = texts.map((text): Read => JSON.parse(text))
  const { allocations = {}, miningReward = 0 } = blocks[0]?.rules ?? {}
  const paid = blocks.flatMap(({ transactions }) => transactions.map(({ recipient }) => recipient))
  const granted = Object.values(allocations).reduce((sum, amount) => sum + amount, 0)
  return {
    tip: sha256Hex(canonicalJson(JSON.parse(texts.at(-1) as string))),
    blocks: blocks.length,
    transactions: paid.length - (blocks.length - 1),
    accounts: new Set([...Object.keys(allocations), ...paid]).size,
    supply: granted + miningReward * (blocks.length - 1),
  }
}

export function expectValid(run: Ended, source: string, { tip, blocks, transactions, accounts, supply }: Book): void {
  expect(run.stderr).toBe('')
  expect(run.code).toBe(0)
  const lines = run.stdout.split('\n')
  expect(lines[0]).toBe(`${source}: ${blocks} blocks, ${transactions} transactions, ${accounts} accounts`)
  expect(lines).toContain(`tip           ${tip} (block ${blocks})`)
  expect(lines.find((line) => line.startsWith('supply '))).toMatch(new RegExp(`^supply {8}${supply}: `))
  expect(lines.slice(-2)).toEqual(['valid', ''])
}

/** One line of printable ASCII, whatever the document holds: the place, the code, a sentence. */
export function expectFault(run: Ended, place: string | RegExp, code: string): string {
  const [, where, what, sentence] = /^([^:\n]*): ([^:\n]*): ([ -~]+)\n$/.exec(run.stderr) ?? []
  expect({ where, what }, run.stderr || 'it was accepted').toEqual({ where: expect.stringMatching(place), what: code })
  expect(run.stdout).toBe('')
  expect(run.code).toBe(1)
  return sentence as string
}

export function expectNoVerdict(run: Ended, code: 2 | 3, reason: RegExp): void {
  expect(run.stderr).toMatch(reason)
  expect(run.stderr).not.toMatch(/^(block|document)/m)
  expect(run.stdout).toBe('')
  expect(run.code).toBe(code)
}

/** A genesis block whose proof commits to what it now says, so that only the rule in question can refuse it. */
export function recommitted({ proof, transactions = [], ...header }: JsonObject): JsonObject {
  return { ...header, proof: sha256Hex(canonicalJson(header)) + String(proof).slice(64), transactions }
}
