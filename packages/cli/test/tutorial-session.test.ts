/**
 * The tutorial's session, as its text has it: `. rc`, the address, and its commands one by one, typed at a terminal; and
 * the requests that it makes by hand.
 *
 * What differs from the text, and why:
 *
 *     the text                                 here
 *     python node.py --port 5001               bc-node --port 5001, on 127.0.0.1 unless --host says otherwise
 *     keys and signatures in base64, RSA       in hex, secp256k1: a key fits in a line
 *     sigScript.py SENDER RECIPIENT AMOUNT     sign, with one warning: a secret on the command line shows in ps. sign
 *       privateKeyB64                            SENDER RECIPIENT AMOUNT - asks for it, and nothing shows
 *     JSON under each heading                  tables on a terminal; JSON with --json and in a pipe
 *     "New Block Forged", in two of the texts  "New Block Created", as in the others
 *     any amount is taken                      only what the sender has: 422, tx.balance
 *     a transaction sent twice is paid twice   401 the second time: it was signed for one place in the sender's order
 *     register believes every address          the node there has to answer, with the same genesis block
 *     the longest chain wins                   the valid chain with the most work does
 *     anybody may mine and ask for the secret  the operator may: from this machine, or by the operator's token
 *     . rc in zsh                              . ./rc: zsh looks for a bare name on the PATH alone
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Address, Amount, Hash } from '@bc/core'
import { type Secret, signTransaction } from '@bc/wallet'
import { expect, test } from 'vitest'
import { ended, output, ROOT } from './commands.ts'
import { BOB } from './keys.ts'
import { type NodeProcess, startedNode, temporaryFolder, waitFor } from './nodes.ts'
import { describeOnTerminal, type Step } from './terminal.ts'

/** For every wait of a whole session, on a machine ten times slower than ours. */
const SECONDS = 300

async function typed(shell: readonly string[], steps: readonly Step[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: temporaryFolder(), TERM: 'dumb', PS1: '$ ', HISTFILE: '/dev/null' }
  const child = spawn('python3', [fileURLToPath(new URL('terminal.py', import.meta.url))])
  child.stdin.end(
    JSON.stringify({
      argv: ['/bin/sh', '-c', 'cd "$0" && exec "$@"', `${ROOT}bin`, ...shell],
      env,
      steps,
      limit: SECONDS,
    }),
  )
  const { stdout, stderr } = await ended(child)
  expect(stderr).toBe('')
  const shown = JSON.parse(stdout)
  expect(shown, shown.output).toMatchObject({ code: 0 })
  return shown.output
}

interface Scene {
  readonly node: NodeProcess
  readonly host: string
  readonly address: Address
  readonly secret: Secret
  /** What `sign` prints for 5 coins to Bob, RFC 6979's. */
  readonly signature: string
  /** The node's own terminal. */
  readonly console: () => string
}

async function scene(): Promise<Scene> {
  const folder = temporaryFolder()
  const node = await startedNode(['--data-dir', `${folder}/data`])
  const shown: string[] = []
  node.child.stdout?.on('data', (chunk) => shown.push(String(chunk)))
  const { address } = JSON.parse(await output('status', '--node', node.url))
  const secret = readFileSync(`${folder}/data/secret`, 'utf8').trim() as Secret
  const fields = { sender: address, recipient: BOB.address as Address, amount: 5 as Amount, fee: 0 as Amount }
  const { signature } = signTransaction({ ...fields, nonce: 0 }, node.chain as Hash, secret)
  return { node, host: new URL(node.url).host, address, secret, signature, console: () => shown.join('') }
}

const SHELLS = [
  ['bash', ['--norc', '--noprofile', '-i'], '. rc'],
  ['zsh', ['-f', '-i'], '. ./rc'],
] as const

describeOnTerminal("the tutorial's session", () => {
  test.each(SHELLS)('in %s', { timeout: 1000 * SECONDS }, async (shell, options, rc) => {
    if (spawnSync(shell, ['-c', ':']).status !== 0) return expect(process.env.CI, `CI needs ${shell}`).toBeUndefined()
    const [one, two] = await Promise.all([scene(), startedNode(['--ephemeral'])])
    const { url } = one.node
    const { host: neighbour } = new URL(two.url)
    const prompt = `node: [${url}]:`
    const shown = await typed(
      [shell, ...options],
      [
        ['$ ', `${rc}\r`],
        ['Please enter your Blockchain address:', `${url}\r`],
        [prompt, 'mine\r'],
        [prompt, 'secret\r'],
        [prompt, `sign ${one.address} ${BOB.address} 5 ${one.secret}\r`],
        [prompt, 'sendTransaction\r'],
        ['Sender: ', `${one.address}\r`],
        ['Recipient: ', `${BOB.address}\r`],
        ['Amount: ', '5\r'],
        ['Signature: ', `${one.signature}\r`],
        [prompt, 'transactions\r'],
        [prompt, 'mine\r'],
        [prompt, 'transactions\r'],
        [prompt, 'chain\r'],
        [prompt, 'register\r'],
        ['Neighbour: ', `${neighbour}\r`],
        [prompt, 'nodes\r'],
        // The other node is a block of its own ahead of nobody: it is this one that it learns from.
        [prompt, 'resolve\r'],
        [prompt, `rc ${neighbour}\r`],
        [`node: [${two.url}]:`, 'resolve\r'],
        [`node: [${two.url}]:`, 'chain | tail -c 13\r'],
        [`node: [${two.url}]:`, 'rc off\r'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
        ['$ ', 'command -v mine || echo "mine is gone, BC_NODE is ${BC_NODE-unset}"\r'],
        ['BC_NODE is unset', 'exit 0\r'],
      ],
    )

    const heading = (from: string, action: string) =>
      [`From      ${from}`, `Action    ${action}`].map((line, _, all) => `│ ${line.padEnd(wide(all))} │`).join('\n')
    for (const action of [
      'Initiated client',
      'Mining',
      'Secret',
      'Sending a transaction',
      'Transaction pool',
      'Current chain',
      'Registering a neighbour',
      'Neighbours',
      'Resolving conflicts',
    ])
      expect(shown).toContain(heading(url, action))
    expect(shown).toContain(heading(two.url, 'Initiated client'))
    expect(shown).toContain('Mined a new block\n\nBlock         2\n')
    expect(shown).toContain('secret sent in console...')
    expect(shown.match(/^bc: warning: a secret on the command line/gm)).toHaveLength(1)
    expect(shown).toContain(`\n${one.signature}\n`)
    expect(shown).toContain('Transaction will be added to Block 3')
    expect(shown).toMatch(/^Nonce +Amount +Fee +Sender +Recipient.*\n +0 +5 +0 /m)
    expect(shown).toContain('Mined a new block\n\nBlock         3\n')
    expect(shown).toContain('No transactions are waiting.')
    expect(shown).toMatch(/^ +3 +1 +50 /m)
    expect(shown).toContain(`New nodes have been added\n\n${neighbour}\n`)
    expect(shown).toContain('Our chain is authoritative')
    expect(shown).toContain('\n"length": 3}\n')
    expect(shown).toContain('\nmine is gone, BC_NODE is unset\n')
    // On the node's own terminal, and in what was typed here, and nowhere else.
    await waitFor(() => one.console().includes(one.secret))
  })
})

function wide(lines: readonly string[]): number {
  return Math.max(...lines.map((line) => line.length))
}

test("the tutorial's requests, by curl", { timeout: 1000 * SECONDS }, async () => {
  const [{ host, address, signature }, two] = await Promise.all([scene(), startedNode(['--ephemeral'])])
  const curl = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await ended(spawn('curl', ['-sS', '-w', '\n%{http_code}', ...words]))
    expect(code, stderr).toBe(0)
    const [body = '', status] = stdout.split(/\n(?=\d+$)/)
    return { status: Number(status), body: JSON.parse(body) }
  }
  const post = (path: string, body: object) =>
    curl('-H', 'Content-Type: application/json', '-d', JSON.stringify(body), `${host}${path}`)
  const payment = { sender: address, recipient: BOB.address, amount: '5', signature }

  expect(await curl(`${host}/chain`)).toMatchObject({ status: 200, body: { chain: [{ index: 1 }], length: 1 } })
  const mined = await curl(`${host}/mine`)
  expect(mined).toMatchObject({ status: 200, body: { message: 'New Block Created', index: 2 } })
  expect(mined.body).toMatchObject({ transactions: [{ sender: '0', recipient: address, amount: 50 }] })
  expect(await curl(`${host}/secret`)).toEqual({ status: 200, body: { message: 'secret sent in console...' } })

  expect(await post('/transactions/new', payment)).toMatchObject({
    status: 201,
    body: { message: 'Transaction will be added to Block 3' },
  })
  expect(await curl(`${host}/transactions`)).toMatchObject({ status: 200, body: { length: 1 } })
  const again = await post('/transactions/new', payment)
  expect(again).toMatchObject({ status: 401 })
  expect(again.body.message).toContain('Signature verification failure')
  const { signature: _, ...unsigned } = payment
  const missing = await post('/transactions/new', unsigned)
  expect(missing).toMatchObject({ status: 400 })
  expect(missing.body.message).toContain('Missing values')
  await curl(`${host}/mine`)
  expect((await curl(`${host}/chain`)).body.chain[2].transactions).toHaveLength(2)

  // localhost:5001 as well as http://localhost:5001
  const neighbour = new URL(two.url).host
  for (const name of [neighbour, `http://${neighbour}`])
    expect(await post('/nodes/register', { nodes: [name] })).toEqual({
      status: 201,
      body: { message: 'New nodes have been added', total_nodes: [neighbour] },
    })
  const none = await post('/nodes/register', {})
  expect(none).toMatchObject({ status: 400 })
  expect(none.body.message).toContain('Error: Please supply a valid list of nodes')
  expect(await curl(`${host}/nodes`)).toEqual({ status: 200, body: { nodes: [neighbour], length: 1 } })
  expect(await curl(`${host}/nodes/resolve`)).toMatchObject({
    status: 200,
    body: { message: 'Our chain is authoritative' },
  })
})
