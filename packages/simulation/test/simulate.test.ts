import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../src/simulate.ts', import.meta.url))
let directory = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bc-simulate-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs the command on the sources, as the tests do. */
function run(...flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ['--conditions=source', '--import', 'tsx', script, ...flags]
  return new Promise((resolve) => {
    execFile(process.execPath, command, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

test('many seeds: a line for each, and a summary', async () => {
  const { code, stdout } = await run('--seeds', '2', '--from', '37', '--nodes', '5')
  expect(stdout).toMatch(/^seed {3}37 .* agreed {2}[\d.]+ s$/m)
  expect(stdout).toMatch(/^seed {3}38 .* agreed/m)
  expect(stdout).toMatch(/^2 seeds, 0 failed;/m)
  expect(code).toBe(0)
})

test('one seed again is the same in another process, and tells what happened', async () => {
  const log = join(directory, 'log')
  const [many, one] = [
    await run('--seeds', '1', '--from', '38', '--nodes', '5'),
    await run('--seed', '38', '--nodes', '5', '--log', log),
  ]
  const [print] = /[0-9a-f]{16}/.exec(one.stdout) ?? []
  expect(print).toBeDefined()
  expect(many.stdout).toContain(print)
  expect(readFileSync(log, 'utf8')).toMatch(/world is left in peace/)
})

test('propagation: a table, a plot and a picture', async () => {
  const svg = join(directory, 'plot.svg')
  const flags = ['--propagation', '--nodes', '12', '--blocks', '10', '--intervals', '1,4', '--svg', svg]
  const { stdout, code } = await run(...flags)
  expect(stdout).toMatch(/interval +blocks +p50 +p95/)
  expect(stdout).toContain('stale blocks')
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
  expect(code).toBe(0)
})

test.each([
  [['--sedes', '3'], /Unknown option '--sedes'/],
  [['--seeds', 'many'], /--seeds must be a whole number/],
  [['--seed', '1.5'], /--seed must be a whole number/],
  [['--seed', ''], /--seed must be a whole number/],
  [['--seeds', '1', '--nodes', '2.5'], /--nodes must be a whole number/],
  [['--seeds', '1', '--log', 'x'], /--log goes with --seed/],
  [['--seed', '1', '--log', '/nowhere/x'], /--log can't be written: ENOENT/],
  [['--propagation', '--svg', '/nowhere/x'], /--svg can't be written: ENOENT/],
  [['--propagation', '--intervals', '1,x'], /--intervals are numbers of seconds/],
])('a mistake is told in a line, before anything is played: %j', async (flags, message) => {
  const { code, stdout, stderr } = await run(...flags)
  expect(stdout).toBe('')
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(code).toBe(2)
})
