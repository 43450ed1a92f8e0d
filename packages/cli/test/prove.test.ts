/** `bc prove` and `bc verify-proof` as commands, against real nodes. What a receipt must be is receipt.test.ts's. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bc, command, ended, expectFailure, fakeNode, output, STATUS } from './commands.ts'
import { ALICE, BOB, CHAIN } from './keys.ts'
import { type NodeProcess, startedNode, temporaryFolder } from './nodes.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

interface Proven {
  readonly node: NodeProcess
  readonly folder: string
  /** Of a transfer in block 2. */
  readonly id: string
  readonly mine: () => Promise<string>
  readonly file: (name: string, content: string) => string
}

/** With CSI as one character. */
const MEMO = 'for \u009b2Jlunch'

async function proven(): Promise<Proven> {
  const folder = temporaryFolder()
  const file = (name: string, content: string) => {
    writeFileSync(`${folder}/${name}`, content)
    return `${folder}/${name}`
  }
  const config = file('config.json', JSON.stringify({ difficulty: 1, allocations: { [ALICE.address]: 100 } }))
  const node = await startedNode(['--ephemeral', '--config', config])
  const mine = () => output('mine', '--node', node.url)
  const key = file('alice', ALICE.secret)
  const words = ['sign', ALICE.address, BOB.address, '5', `@${key}`, '--memo', MEMO, '--json', '--node', node.url]
  const signed = await output(...words)
  const sent = await command('bc', ['send-tx', '--node', node.url], { input: signed })
  await mine()
  return { node, folder, id: JSON.parse(sent.stdout).id, mine, file }
}

describe('a receipt', () => {
  test('is checked without a node, by bc and by the script that it prints', async () => {
    const { node, id, mine, file } = await proven()
    await mine()
    const receipt = file('receipt.json', await output('prove', id, '--node', node.url))
    await node.stop()
    const report = JSON.parse(await output('verify-proof', receipt, '--chain', node.chain))
    expect(report).toMatchObject({ valid: true, id, chain: node.chain, index: 2, confirmations: 2, full: false })
    expect(report.transaction).toMatchObject({ sender: ALICE.address, recipient: BOB.address, amount: 5 })

    const script = file('check.sh', await output('verify-proof', receipt, '--shell'))
    const run = await ended(spawn('bash', [script]))
    expect(run).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(id) })
    expect(run.stdout).toMatch(/\nvalid\n$/)
  })

  test('has as many headers as were asked for, and all of them with --full', async () => {
    const { node, id, mine } = await proven()
    for (let n = 0; n < 3; n++) await mine()
    const proof = async (...args: string[]) => JSON.parse(await output('prove', id, '--node', node.url, ...args))
    const indices = ({ headers }: { headers: { index: number }[] }) => headers.map(({ index }) => index)
    expect(indices(await proof())).toEqual([2, 3, 4, 5])
    expect(indices(await proof('--confirmations', '1'))).toEqual([2])
    expect(indices(await proof('--confirmations', '3'))).toEqual([2, 3, 4])
    expect(indices(await proof('--full'))).toEqual([1, 2, 3, 4, 5])
    expect(indices(await proof('--full', '--confirmations', '2'))).toEqual([1, 2, 3])
    const input = JSON.stringify(await proof('--full'))
    const run = await command('bc', ['verify-proof', '-'], { input })
    expect(JSON.parse(run.stdout)).toMatchObject({ valid: true, full: true, confirmations: 4, work: '64' })
  })

  test('of a transaction that has none yet', async () => {
    const { node, id } = await proven()
    const prove = (...args: string[]) => bc('prove', ...args, '--node', node.url)
    expectFailure(await prove(id, '--confirmations', '2'), 5, /there are 1 confirmations so far, not 2/)
    expectFailure(await prove(node.chain), 5, /^bc: request\.not_found: There is no transaction/)
    expectFailure(await prove('x'), 2, /A transaction's id is 64 lower-case hex digits/)
    expectFailure(await prove(id, '--confirmations', '0'), 2, /--confirmations/)
  })

  test('of a transaction that waits', async () => {
    const { node, file } = await proven()
    const key = file('alice', ALICE.secret)
    const signed = await output('sign', ALICE.address, BOB.address, '6', `@${key}`, '--json', '--node', node.url)
    const { stdout } = await command('bc', ['send-tx', '--node', node.url], { input: signed })
    expectFailure(await bc('prove', JSON.parse(stdout).id, '--node', node.url), 5, /waits in the pool/)
  })
})

describe('a node whose headers have no end', () => {
  const header = (index: number) => ({ index, hash: CHAIN, proof: CHAIN })
  const HEADERS = { headers: [header(1)], next: 2 }

  /** How often headers were asked for, and what came of it. The block in question is the second of `height`. */
  async function proving(height: number, page: (from: number, limit: number, asked: number) => object) {
    let asked = 0
    const node = await fakeNode(({ url = '' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://x')
      const answers: Record<string, () => object> = {
        '/status': () => ({ ...STATUS, height }),
        '/headers': () => page(Number(searchParams.get('from')), Number(searchParams.get('limit')), ++asked),
      }
      const proof = { id: CHAIN, transaction: {}, branch: [], header: header(2) }
      response.end(JSON.stringify((answers[pathname] ?? (() => proof))()))
    })
    const run = await bc('prove', CHAIN, '--full', '--node', node.url)
    node.close()
    return { run, asked }
  }

  test('is asked for no more than it said that it has', async () => {
    // Each of three tries. Were the pages believed, they would go on for long enough to be seen.
    const { run, asked } = await proving(5, (from) => ({
      headers: [header(from)],
      next: from < 99 ? from + 1 : null,
    }))
    expectFailure(run, 1, /gives a receipt that breaks/)
    expect(asked).toBe(15)
  })

  test.each<[string, string, object]>([
    ['a next that leads back', 'next', { ...HEADERS, next: 1 }],
    ['a next that jumps', 'next', { ...HEADERS, next: 3 }],
    ['an empty page', 'next', { headers: [], next: 1 }],
    ['another place', 'headers', { ...HEADERS, headers: [header(2)] }],
    ['more than were asked for', 'headers', { headers: [1, 2, 3, 4].map(header), next: null }],
  ])('%s: is that a node?', async (_name, field, page) => {
    const { run, asked } = await proving(3, () => page)
    expectFailure(run, 1, new RegExp(`limit=3 without a proper "${field}": is that a node`))
    expect(asked).toBe(1)
  })

  test('what it says can be no longer than a receipt may be', async () => {
    const pad = 'x'.repeat(15 << 20)
    const long = (from: number) => ({ headers: [{ ...header(from), pad }], next: from < 40 ? from + 1 : null })
    const { run, asked } = await proving(Number.MAX_SAFE_INTEGER, long)
    expectFailure(run, 1, /has more headers than a receipt may hold/)
    expect(asked).toBe(18)
  })
})

describe('with --node', () => {
  test('that node is asked whether it has the block', async () => {
    const { node, id, mine, file } = await proven()
    const receipt = file('receipt.json', await output('prove', id, '--node', node.url))
    await mine()
    const asked = JSON.parse(await output('verify-proof', receipt, '--node', node.url))
    expect(asked).toMatchObject({ confirmations: 1, node: { confirmations: 2, work: '48' } })

    const sameChain = await startedNode(['--ephemeral', '--config', `${file('config.json', configOf())}`])
    const compared = () => bc('verify-proof', receipt, '--node', sameChain.url)
    expectFailure(await compared(), 5, /has no block in that place yet/)
    await output('mine', '--node', sameChain.url)
    expectFailure(await compared(), 5, /has another block in that place: the receipt is not of its chain/)

    const other = await startedNode(['--ephemeral'])
    expectFailure(
      await bc('verify-proof', receipt, '--node', other.url),
      5,
      /^bc: block\.genesis: .* not on the receipt's/,
    )
    expectFailure(await bc('verify-proof', receipt, '--node', 'http://127.0.0.1:9'), 3, /nothing listens there/)
  })

  test('in the environment nobody is asked', async () => {
    const { node, id } = await proven()
    const input = await output('prove', id, '--node', node.url)
    const run = await command('bc', ['verify-proof', '-'], { input, env: { BC_NODE: 'http://127.0.0.1:9' } })
    expect(run).toMatchObject({ code: 0, stderr: '' })
  })

  const configOf = () => JSON.stringify({ difficulty: 1, allocations: { [ALICE.address]: 100 } })
})

describe('what is no good receipt', () => {
  test.each([
    ['nothing', '', 5, /message\.malformed/],
    ['no receipt', '{}', 5, /^bc: message\.malformed: This is no receipt/],
    ['a number that could be read in two ways', '{"receipt": 1.0}', 5, /message\.malformed/],
  ])('%s', async (_name, input, code, reason) => {
    expectFailure(await command('bc', ['verify-proof', '-'], { input }), code, reason)
  })

  test('standard input, for the script: it may come from there itself', async () => {
    expectFailure(await bc('verify-proof', '-', '--shell'), 2, /--shell needs the name of a FILE/)
  })

  test('another chain, a forged signature', async () => {
    const { node, id } = await proven()
    const receipt = await output('prove', id, '--node', node.url)
    const run = (input: string, ...args: string[]) => command('bc', ['verify-proof', '-', ...args], { input })
    expectFailure(await run(receipt, '--chain', '0'.repeat(64)), 5, /^bc: block\.genesis: The receipt is of the chain/)
    const forged = receipt.replace('"amount": 5', '"amount": 50')
    expectFailure(await run(forged), 4, /^bc: tx\.signature: /)
  })
})

describeOnTerminal('on a terminal', () => {
  test('what it shows and what it can’t', async () => {
    const { node, id, file } = await proven()
    const receipt = file('receipt.json', await output('prove', id, '--node', node.url))
    const { output: shown, code } = await onTerminal('bc', ['verify-proof', receipt])
    expect(code).toBe(0)
    for (const text of ['It shows:', "It can't show:", 'Best chain', '16 attempts in 1 block', id, 'valid'])
      expect(shown).toContain(text)
    expect(shown).toContain('\nMemo       for \\u{9b}2Jlunch\n')
    const open =
      'whether this nonce was the next one and the balance covered it, and the rest of the block keeps the rules'
    expect(shown.replace(/\s+/g, ' ')).toContain(open)
  })
})
