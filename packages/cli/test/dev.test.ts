/** bc-node --dev and its commands, as a CI job uses them. */
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { bc, command, ended, expectFailure, fakeNode, output, ROOT, start } from './commands.ts'
import { ALICE, BOB } from './keys.ts'
import { keystoreOf } from './keystores.ts'
import { type NodeProcess, startedNode, temporaryFolder, waitFor } from './nodes.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

// A story is some fifty processes, one after the other.
vi.setConfig({ testTimeout: 600_000 })

const STORY = fileURLToPath(new URL('dev-story.sh', import.meta.url))

async function bash(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn('bash', args, { env: { PATH: process.env.PATH, HOME: process.env.HOME, SHLVL: '2', ...env } })
  child.stdin.end()
  const run = await ended(child)
  expect(run, run.stderr).toMatchObject({ code: 0 })
  return run.stdout
}

const story = ({ url, readyFile }: NodeProcess) => bash([STORY], { BC_NODE: url, READY: readyFile })

describe('the same seed and the same commands make the same hashes', () => {
  test('of every block, transaction and signature, in two processes', async () => {
    const nodes = await Promise.all([startedNode(['--dev', '--seed', '7']), startedNode(['--dev', '--seed', '7'])])
    const [one, two] = nodes
    // One waits, so that the machine's own clock has moved on for the other.
    const first = await story(one as NodeProcess)
    const second = await story(two as NodeProcess)
    expect(second).toBe(first)
    // Known answers: who changes them changes what people have written into their tests.
    expect(first.split('\n').filter(Boolean).length).toBeGreaterThan(30)
    expect(first.trim().split('\n').at(-1)).toBe('997c02f800cea0313ef6683a3ed251981ed34f1d369593f33f16d846c8c5ff90')
    for (const { url } of nodes) expect(await bash([`${ROOT}/scripts/audit.sh`, url])).toMatch(/^valid$/m)
  })

  test('another seed makes others, and without one it is 1', async () => {
    const [one, two, usual] = await Promise.all([
      startedNode(['--dev', '--seed', '1']),
      startedNode(['--dev', '--seed', '2']),
      startedNode(['--dev']),
    ])
    expect(usual.chain).toBe(one.chain)
    expect(two.chain).not.toBe(one.chain)
    const accounts = ({ readyFile }: NodeProcess) => JSON.parse(readFileSync(readyFile, 'utf8')).accounts
    expect(accounts(usual)).toEqual(accounts(one))
    expect(JSON.stringify(accounts(two))).not.toContain(accounts(one)[0].secret)
  })
})

describe('a node in dev mode', () => {
  test('says what its accounts are, in the ready file and in one line on stdout', async () => {
    const node = await startedNode(['--dev', '--seed', '7'])
    const text = readFileSync(node.readyFile, 'utf8')
    expect(statSync(node.readyFile).mode & 0o777).toBe(0o600)
    const { url, pid, chain, seed, accounts } = JSON.parse(text)
    expect([url, pid, chain, seed]).toEqual([node.url, node.child.pid, node.chain, 7])
    expect(accounts).toHaveLength(10)
    for (const { address, secret } of accounts) {
      const found = await command('bc', ['key', 'address', '-'], { input: secret })
      expect(found.stdout).toBe(`${address}\n`)
    }
    expect(await node.stop()).toMatchObject({ code: 0, stdout: text })
  })

  test('who waits for more blocks on a transaction hears when a revert takes it away', async () => {
    const { url } = await startedNode(['--dev'])
    const clean = (await output('snapshot', '--node', url)).trim()
    const { id } = JSON.parse(await output('fund', BOB.address, '--node', url))
    const child = start('bc', ['wait', '--tx', id, '--confirmations', '2', '--timeout', '60', '--node', url])
    const waiting = ended(child)
    await output('revert', clean, '--node', url)
    // It may have come before anybody listened. The same payment has the same id, so it goes again.
    for (let tries = 0; child.exitCode === null && tries < 60; tries++) {
      await output('fund', BOB.address, '--node', url)
      await output('revert', clean, '--node', url)
      if (await Promise.race([waiting, delay(1500)])) break
    }
    expectFailure(
      await waiting,
      1,
      /transaction [0-9a-f]{64} has left the pool without a block: dev mode has gone back to .*\n$/,
    )
  })

  test('time, fund, snapshot and revert: bare words for scripts, JSON where it is asked for', async () => {
    const { url } = await startedNode(['--dev'])
    const say = (...words: string[]) => output(...words, '--node', url)
    expect(await say('time')).toBe('1700000001\n')
    expect(await say('time', '+3600')).toBe('1700003601\n')
    expect(await say('time', '1700003700', '--json')).toBe('{"time": 1700003700}\n')
    expect(await say('snapshot')).toBe('1\n')
    expect(JSON.parse(await say('snapshot', '--json'))).toMatchObject({ id: 2, height: 1, time: 1700003700 })
    const funded = JSON.parse(await say('fund', BOB.address))
    expect(funded).toMatchObject({ index: 2, transaction: { amount: 1000, recipient: BOB.address } })
    expect(JSON.parse(await say('fund', BOB.address, '7'))).toMatchObject({ index: 3, transaction: { amount: 7 } })
    const { folder } = await keystoreOf({ bob: BOB.secret })
    const named = JSON.parse(await say('fund', 'bob', '1', '--keys', folder))
    expect(named).toMatchObject({ index: 4, transaction: { amount: 1, recipient: BOB.address } })
    expect(JSON.parse(await say('status'))).toMatchObject({ height: 4, timestamp: 1700003702, pool: 0 })
    expect(JSON.parse(await say('revert', '1'))).toMatchObject({ id: 1, height: 1, time: 1700003700 })
    expectFailure(await bc('revert', '2', '--node', url), 5, /^bc: request\.not_found: There is no snapshot 2/)
    expect(await say('snapshot')).toBe('3\n')
    expectFailure(await bc('time', '1700000000', '--node', url), 5, /^bc: request\.invalid: The clock shows 1700003700/)
    expectFailure(await bc('fund', BOB.address, '1000000000001', '--node', url), 5, /^bc: tx\.balance: /)
  })

  test('is what these commands want', async () => {
    const { url } = await startedNode(['--ephemeral'])
    for (const words of [['snapshot'], ['revert', '1'], ['time'], ['time', '+1'], ['fund', BOB.address]])
      expectFailure(await bc(...words, '--node', url), 5, /^bc: request\.dev_only: .*bc-node --dev/)
  })

  test('its commands are the operator’s, and carry the token', async () => {
    const seen: (string | undefined)[] = []
    const node = await fakeNode((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    })
    const env = { BC_TOKEN: 'abc', BC_NODE: node.url }
    for (const words of [['snapshot'], ['revert', '1'], ['time'], ['time', '+1'], ['fund', BOB.address]])
      expectFailure(await command('bc', words, { env }), 1, /without a proper "/)
    expect(new Set(seen)).toEqual(new Set(['Bearer abc']))
    expect(seen).toHaveLength(5)
    node.close()
  })
})

describe('usage', () => {
  test.each([
    [['revert'], /missing required argument 'ID'/],
    [['revert', 'x'], /ID is a number that bc snapshot has printed/],
    [['revert', '0'], /ID is a number/],
    [['time', 'soon'], /WHEN is \+SECONDS/],
    [['time', '+'], /WHEN is \+SECONDS/],
    [['time', '+0'], /WHEN is \+SECONDS/],
    [['time', '+1.5'], /WHEN is \+SECONDS/],
    [['time', '-5'], /WHEN is \+SECONDS/],
    [['fund', ALICE.address.slice(1)], /ADDRESS is no address/],
    [['fund', ALICE.address, '0'], /AMOUNT is a whole number/],
  ])('bc %j', async (words, reason) => {
    expectFailure(await bc(...words), 2, reason)
  })

  test.each([
    [['--seed', '7'], /--seed goes with --dev/],
    [['--dev', '--seed', 'x'], /It is a whole number/],
    [['--dev', '--data-dir', 'x'], /'--dev' cannot be used with option '--data-dir <dir>'/],
    [['--dev', '--mine'], /cannot be used with option '--mine'/],
    [['--dev', '--peer', '/ip4/127.0.0.1/tcp/9'], /cannot be used with option '--peer/],
    [['--dev', '--p2p-port', '1'], /cannot be used with option '--p2p-port/],
    [['--dev', '--config', 'x'], /cannot be used with option '--config/],
    [['--dev', '--repair'], /cannot be used with option '--repair'/],
    [['--dev', '-p', '0', '--host', '0.0.0.0'], /In dev mode a node listens on this machine alone/],
  ])('bc-node %j', async (flags, reason) => {
    expectFailure(await command('bc-node', flags), 2, reason)
  })
})

test('what a CI job writes: a node in the background, coins, a payment, and back', async () => {
  const folder = temporaryFolder()
  const script = `
    set -euo pipefail
    bc-node --dev -p 0 --ready-file dev.json >node.log 2>&1 &
    trap 'kill %1; wait' EXIT
    until [ -s dev.json ]; do sleep 0.1; done
    export BC_NODE=$(jq -r .url dev.json)
    jq '.accounts[0]' dev.json > alice.json
    ALICE=$(jq -r .address alice.json)
    (umask 077; bc key new --json > bob.json)
    BOB=$(jq -r .address bob.json)
    bc fund $BOB 20 >fund.json
    CLEAN=$(bc snapshot)
    bc sign $BOB $ALICE 5 @bob.json --json | bc send-tx >sent.json
    curl -s $BC_NODE/accounts/$BOB | jq .balance
    bc revert $CLEAN >revert.json
    curl -s $BC_NODE/accounts/$BOB | jq .balance`
  const run = await bash(['-c', `cd ${folder}; PATH=${ROOT}/bin:$PATH; ${script}`])
  expect(run).toBe('15\n20\n')
  await waitFor(() => readFileSync(`${folder}/node.log`, 'utf8') !== '')
})

describeOnTerminal('on a terminal', () => {
  test('the banner has the seed and the accounts, and says that they are no secret', async () => {
    const shown = await onTerminal('bc-node', ['-p', '0', '--dev'], [['export BC_NODE=', '\u0003']])
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.output).toMatch(/^Mining {5}a block per transaction$/m)
    expect(shown.output).toMatch(/^Seed {7}1$/m)
    expect(shown.output).toMatch(/Everybody knows their secrets:\nthey are for this chain only/)
    expect(shown.output.match(/^\d {2}0[23][0-9a-f]{72}\n {3}[0-9a-f]{64}$/gm)).toHaveLength(10)
    expect(shown.output.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('times have a date, and a revert a sentence', async () => {
    const { url } = await startedNode(['--dev'])
    const shown = async (...words: string[]) => (await onTerminal('bc', [...words, '--node', url])).output
    expect(await shown('time', '+59')).toBe('1700000060  2023-11-14 22:14:20 UTC\n')
    expect(await shown('snapshot')).toBe('1\n')
    expect(await shown('fund', BOB.address, '7')).toMatch(
      /^Coins {6}7\nRecipient\n {2}02c6[0-9a-f]{70}\nId {9}[0-9a-f]{64}\nBlock {6}2\n$/,
    )
    expect(await shown('revert', '1')).toMatch(
      /^All is as it was at snapshot 1\.\n\nHeight {2}1\nTip {5}[0-9a-f]{64}\nClock {3}1700000060, 2023-11-14 22:14:20 UTC\n$/,
    )
  })
})
