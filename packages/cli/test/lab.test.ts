/** `bc lab` as a shell sees it: real nodes, each a process of its own. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Genesis, hashOf, REWARD_SENDER, type Transaction, transactionId } from '@bc/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bc, command, ended, expectFailure, ROOT, start } from './commands.ts'
import { temporaryFolder, waitFor } from './nodes.ts'
import { describeOnTerminal, type Step, shellOnTerminal } from './terminal.ts'

const HIDDEN = '\u001b[?25l'
const SHOWN = '\u001b[?25h'
const CHECKER = fileURLToPath(new URL('tutorial.py', import.meta.url))
const python = spawnSync('python3', ['--version']).status === 0

interface ChainBlock {
  readonly transactions: readonly Transaction[]
}

interface Event {
  readonly event: string
  readonly at: number
  readonly [field: string]: unknown
}

/** A lab with a folder for its own files, which must be empty afterwards. */
async function lab(...args: readonly string[]) {
  const folder = temporaryFolder()
  const save = `${folder}/saved.json`
  mkdirSync(`${folder}/tmp`)
  const run = await command('bc', ['lab', ...args, '--save', save], { env: { TMPDIR: `${folder}/tmp` } })
  expect(run, run.stderr).toMatchObject({ code: 0, stderr: '' })
  expect(readdirSync(`${folder}/tmp`)).toEqual([])
  const events: Event[] = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const { pid } of of(events, 'up')) expect(isAlive(Number(pid))).toBe(false)
  expectTutorialValid(save)
  return { events, chain: JSON.parse(readFileSync(save, 'utf8')).chain }
}

function of(events: readonly Event[], name: string): readonly Event[] {
  return events.filter(({ event }) => event === name)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The payments of a chain, in order. */
function idsOn([genesis, ...blocks]: readonly ChainBlock[]): string[] {
  const payments = blocks.flatMap(({ transactions }) => transactions.filter(({ sender }) => sender !== REWARD_SENDER))
  return payments.map((payment) => transactionId(payment, hashOf(genesis as unknown as Genesis)))
}

/** As an unmodified tutorial node judges a chain. */
function expectTutorialValid(file: string): void {
  if (!python) return
  const run = spawnSync('python3', [CHECKER, file], { encoding: 'utf8' })
  expect(run, run.stderr).toMatchObject({ status: 0, stderr: '' })
}

if (!python && process.env.CI) test('CI needs python3 for the tutorial’s rule', () => expect.fail('it is not there'))
if (!python) test.skip('skipped: there is no python3, so no chain is shown to the tutorial’s rule')

describe('each scenario ends in agreement', () => {
  test('partition: the side with less work leaves its blocks, and its payment is paid all the same', async () => {
    const { events, chain } = await lab('partition', '--nodes', '3', '--seed', '2')
    const [{ sides } = { sides: [] }] = of(events, 'split')
    const [loser = [], winner = []] = sides as number[][]
    expect([...loser, ...winner].sort()).toEqual([1, 2, 3])
    const left = of(events, 'tip').filter(({ abandoned }) => Number(abandoned) > 0)
    expect(left.map(({ node }) => node).sort()).toEqual(loser)
    expect(idsOn(chain).sort()).toEqual(
      of(events, 'paid')
        .map(({ id }) => id)
        .sort(),
    )
  })

  test('double-spend: one of the two payments is on the chain', async () => {
    const { events, chain } = await lab('double-spend', '--nodes', '3')
    const paid = of(events, 'paid')
    expect(paid.map(({ to }) => to)).toEqual(['Bob', 'Carol'])
    expect(idsOn(chain)).toEqual([paid[1]?.id])
    const last = of(events, 'note').at(-1)
    expect(last?.text).toMatch(
      /^Carol has Alice's coins\. Bob has nothing, after (1 confirmation|[23] confirmations)\.$/,
    )
  })

  test('51: the private chain has the last word', async () => {
    const { events, chain } = await lab('51', '--nodes', '3', '--seed', '5')
    expect(idsOn(chain)).toEqual([of(events, 'paid')[1]?.id])
    expect(Number(events.at(-1)?.deepest)).toBeGreaterThanOrEqual(2)
  })

  test('churn: whoever comes back catches up', async () => {
    const { events } = await lab('churn', '--nodes', '3')
    const killed = of(events, 'killed')
    expect(killed.length).toBeGreaterThanOrEqual(3)
    expect(of(events, 'up')).toHaveLength(3 + killed.length)
  })
})

describe('whatever happens, nothing is left', () => {
  test('SIGTERM', async () => {
    const { child, folder, pids } = await underWay()
    child.kill('SIGTERM')
    expect(await ended(child)).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(pids.filter(isAlive)).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  test('SIGKILL leaves the folder and no node', async () => {
    const { child, pids } = await underWay()
    child.kill('SIGKILL')
    await waitFor(() => pids.filter(isAlive).length === 0)
  })

  test('a node that ends by itself ends the lab: 1', async () => {
    const { child, folder, pids } = await underWay()
    const end = ended(child)
    process.kill(pids[0] as number, 'SIGKILL')
    const run = await end
    expect(run).toMatchObject({ code: 1 })
    expect(run.stderr).toMatch(/^bc: node \d has ended by itself \(SIGKILL\)\.\n/)
    expect(pids.filter(isAlive)).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  test('what takes too long: 1', async () => {
    const folder = temporaryFolder()
    const run = await command('bc', ['lab', 'mine', '--nodes', '2', '--timeout', '0.01'], { env: { TMPDIR: folder } })
    expectFailure(run, 1, /^bc: .* within 0\.01 s/)
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([
    ['--logs', 'file', 'file'],
    ['--logs', 'file/below', 'below'],
    ['--save', 'nowhere/chain.json', 'chain.json'],
    ['--save', 'tmp/chain.json', 'tmp'],
    ['--save', '.', ''],
  ])('%s %s can’t be written: 1, before a node starts', async (flag, path, named) => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/file`, '')
    if (named !== 'tmp') mkdirSync(`${folder}/tmp`)
    const env = { TMPDIR: `${folder}/tmp` }
    const run = await command('bc', ['lab', 'mine', '--nodes', '2', flag, `${folder}/${path}`], { env })
    expectFailure(run, 1, new RegExp(`^bc: ${folder}\\S*${named}\\S* can't be written: [^\n]*\n$`))
    if (named !== 'tmp') expect(readdirSync(`${folder}/tmp`)).toEqual([])
  })

  test('logs that can’t be written: 1', async () => {
    const [folder, logs] = [temporaryFolder(), temporaryFolder()]
    for (const number of [1, 2]) mkdirSync(`${logs}/node-${number}.log`)
    const run = await command('bc', ['lab', 'mine', '--nodes', '2', '--logs', logs], { env: { TMPDIR: folder } })
    expectFailure(run, 1, new RegExp(`^bc: ${logs}/node-\\d.log can't be written: EISDIR[^\n]*\n$`))
    expect(readdirSync(folder)).toEqual([])
  })

  /** A lab whose nodes are up. */
  async function underWay() {
    const folder = temporaryFolder()
    const child = start('bc', ['lab', 'churn', '--nodes', '2'], { env: { TMPDIR: folder } })
    onTestFinished(() => void child.kill('SIGKILL'))
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await waitFor(() => (text.match(/"event": "up"/g) ?? []).length >= 2)
    const pids = [...text.matchAll(/"pid": (\d+)/g)].map(([, pid]) => Number(pid))
    return { child, folder, pids }
  }
})

describe('mistyped: 2', () => {
  test.each([
    [['lab'], /missing required argument 'SCENARIO'/],
    [['lab', 'partitoin'], /Allowed choices are mine, partition, double-spend, 51, churn/],
    [['lab', 'mine', '--nodes', '1'], /A lab has 2 to 16 nodes/],
    [['lab', 'mine', '--nodes', '17'], /A lab has 2 to 16 nodes/],
    [['lab', 'mine', '--seed', 'x'], /It is a whole number/],
    [['lab', 'mine', '--timeout', '0'], /Seconds are a number/],
  ])('bc %j', async (args, reason) => {
    expectFailure(await bc(...args), 2, reason)
  })
})

describeOnTerminal('on a terminal', () => {
  test('mine: a picture in place, and the verdict under it', async () => {
    const { shown, save } = await shownLab('', '--nodes', '3')
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.output).toContain('bc lab mine: 3 nodes, seed 1')
    expect(shown.output).toMatch(/node {2}block {2}tip {9}chain, each block as its miner/)
    for (const node of [1, 2, 3]) expect(shown.output).toContain(`Node ${node} mines block `)
    expect(shown.output.indexOf(HIDDEN)).toBeLessThan(shown.output.indexOf(SHOWN))
    expect(shown.output).toMatch(/All 3 nodes agree\.\n\nHeight {5}4\n(?:.*\n)+Supply {5}3150\n/)
    expectTutorialValid(save)
  })

  test('NO_COLOR, and Ctrl-C', async () => {
    const { shown, folder } = await shownLab('NO_COLOR=1', '--nodes', '2')
    expect(shown).toMatchObject({ code: null, signal: 2 })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(shown.output).not.toMatch(/\u001b\[\d+m/)
    expect(shown.output).toContain(SHOWN)
    expect(readdirSync(folder)).toEqual([])
  })

  test('Ctrl-Z leaves the shell its cursor, and after fg it is drawn anew', async () => {
    const line = `set -m; "$0" lab mine --nodes 2; echo away; fg`
    const shown = await shellOnTerminal(
      ['/bin/sh', '-c', line, `${ROOT}/bin/bc`],
      [
        ['mines block 2', '\u001a'],
        ['away', ''],
        ['mines block 2', '\u0003'],
      ],
    )
    const [before = '', after = ''] = shown.output.split('away\n')
    for (const part of [before, after]) expect(part.lastIndexOf(SHOWN)).toBeGreaterThan(part.lastIndexOf(HIDDEN))
    // In its own place: no line above it is gone over.
    expect(after.replaceAll(HIDDEN, '').split('\u001b')[1]).not.toMatch(/^\[\d+A/)
  })

  /** @param env NO_COLOR=1: it is interrupted in the middle */
  async function shownLab(env: '' | 'NO_COLOR=1', ...args: readonly string[]) {
    const folder = temporaryFolder()
    const save = `${temporaryFolder()}/saved.json`
    const line = `TMPDIR=${folder} ${env} exec "$0" lab mine --save ${save} ${args.join(' ')}`
    const steps: Step[] = env === '' ? [] : [['mines block 2', '\u0003']]
    const shown = await shellOnTerminal(['/bin/sh', '-c', line, `${ROOT}/bin/bc`], steps)
    return { shown, save, folder }
  }
})
