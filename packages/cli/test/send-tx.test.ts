/** What `bc send-tx` makes of its words and of standard input. */
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Circumstances, command, ended, expectFailure, type FakeNode, fakeNode, ROOT, start } from './commands.ts'
import { ALICE, BOB, CHAIN, PLAIN_SIGNATURE, SIGNED_WITH_MEMO } from './keys.ts'

const bodies: string[] = []
/** Which of the transactions are refused, from 1, and as what. */
let refused: Readonly<Record<number, string>> = {}
/** Whether it takes batches, as the tutorial's nodes don't. */
let takesBatches = false
/** What it does to the lines of its answer to a batch. */
let garbled = (lines: string[]) => lines
let batches = 0
let node: FakeNode

/** A result as the node gives it. */
function resultOf(index: number) {
  const code = refused[index]
  return code === undefined ? { id: CHAIN, index, status: 201 } : { code, message: 'No.', status: 422 }
}

beforeAll(async () => {
  node = await fakeNode(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    expect(request.method).toBe('POST')
    if (request.url === '/transactions') {
      if (!takesBatches) return void response.writeHead(405).end('<h1>Method Not Allowed</h1>')
      expect(request.headers['content-type']).toBe('application/x-ndjson')
      batches++
      const lines = body.split('\n').slice(0, -1)
      const results = lines.map((line) => JSON.stringify(resultOf(bodies.push(line))))
      return void response.end(garbled(results).join('\n').concat('\n'))
    }
    bodies.push(body)
    expect(request.url).toBe('/transactions/new')
    expect(request.headers['content-type']).toBe('application/json')
    const { status, ...result } = resultOf(bodies.length)
    response.writeHead(status).end(JSON.stringify({ message: 'Transaction will be added', ...result }))
  })
})
beforeEach(() => {
  bodies.length = 0
  batches = 0
  refused = {}
  takesBatches = false
  garbled = (lines) => lines
})
afterAll(() => node.close())

const send = (args: readonly string[], how: Circumstances = {}) =>
  command('send-tx', [...args, '--node', node.url], how)
const WORDS = [ALICE.address, BOB.address, '5', PLAIN_SIGNATURE]
const FIELDS = { amount: 5, recipient: BOB.address, sender: ALICE.address, signature: PLAIN_SIGNATURE }
const ACCEPTED = (index: number) => `{"id": "${CHAIN}", "index": ${index}, "message": "Transaction will be added"}\n`

describe('four words', () => {
  test('what is not given is not sent', async () => {
    expect(await send(WORDS)).toMatchObject({ code: 0, stdout: ACCEPTED(1), stderr: '' })
    expect(bodies.map((body) => JSON.parse(body))).toEqual([FIELDS])
  })

  test('and the rest', async () => {
    await send([...WORDS, '--nonce', '0', '--fee', '2', '--memo', '发票'])
    expect(JSON.parse(bodies[0] ?? '')).toEqual({ ...FIELDS, nonce: 0, fee: 2, memo: '发票' })
  })

  test('addresses and signatures are for the node to judge', async () => {
    await send(['me', 'you', '5', 'forged'])
    expect(JSON.parse(bodies[0] ?? '')).toEqual({ sender: 'me', recipient: 'you', amount: 5, signature: 'forged' })
  })

  test.each([
    [WORDS.slice(0, 1), /or none of them/],
    [WORDS.slice(0, 3), /or none of them/],
    [[...WORDS, 'more'], /too many arguments/],
    [[ALICE.address, BOB.address, '0', PLAIN_SIGNATURE], /AMOUNT is a whole number/],
    [[...WORDS, '--nonce', 'x'], /--nonce/],
    [[...WORDS, '--memo', 'x'.repeat(257)], /257 bytes/],
  ])('usage: %j', async (words, reason) => {
    expectFailure(await send(words), 2, reason)
    expect(bodies).toEqual([])
  })
})

describe('standard input', () => {
  test('one signed transaction goes out as it is', async () => {
    expect(await send([], { input: `${SIGNED_WITH_MEMO}\n` })).toMatchObject({ code: 0, stdout: ACCEPTED(1) })
    expect(bodies).toEqual([SIGNED_WITH_MEMO])
  })

  test('however it is laid out', async () => {
    await send([], { input: JSON.stringify(JSON.parse(SIGNED_WITH_MEMO), null, 2) })
    expect(bodies).toEqual([SIGNED_WITH_MEMO])
  })

  test.each([
    ['nothing', '', 2, /standard input is empty/],
    ['blank lines', '\n \n', 2, /standard input is empty/],
    ['no JSON', 'hello', 5, /^bc: message\.malformed: /],
    ['a float', '{"amount": 1.0}', 5, /^bc: message\.malformed: /],
    ['a key twice', '{"amount": 1, "amount": 2}', 5, /^bc: message\.malformed: .*stands twice/],
    [
      'not UTF-8',
      Buffer.from(SIGNED_WITH_MEMO.replace('42', '\xff'), 'latin1'),
      5,
      /^bc: message\.malformed: .*not UTF-8/,
    ],
    ['a list', `[${SIGNED_WITH_MEMO}]`, 5, /^bc: tx\.shape: /],
    ['one over several lines', '{\n  "amount": 5,\n  "fee": \n}\n', 5, /^bc: message\.malformed: (?!Line)/],
    ['no line that is a transaction', '[]\n{"amount": }\n', 5, /^bc: message\.malformed: (?!Line)/],
  ] as const)('%s: nothing is sent', async (_name, input, code, reason) => {
    expectFailure(await send([], { input }), code, reason)
    expect(bodies).toEqual([])
  })

  test('flags that would change what was signed', async () => {
    expectFailure(
      await send(['--fee', '1'], { input: SIGNED_WITH_MEMO }),
      2,
      /a transaction on standard input has its own/,
    )
  })
})

describe.each([
  ['to a node that takes batches', true],
  ['to one that takes none', false],
])('one on each line, %s', (_name, takes) => {
  const lines = [0, 1, 2].map((nonce) => SIGNED_WITH_MEMO.replace('"nonce": 1', `"nonce": ${nonce}`))
  const input = `${lines.join('\n\n')}\n`
  const result = (index: number) => {
    const { id, code, message, status } = resultOf(index) as Record<string, unknown>
    return code === undefined
      ? `{"id": "${id}", "index": ${index}, "status": 201}\n`
      : `{"code": "${code}", "message": "${message}", "status": ${status}}\n`
  }

  beforeEach(() => {
    takesBatches = takes
  })

  test('in order, a result for each', async () => {
    expect(await send([], { input })).toMatchObject({ code: 0, stdout: [1, 2, 3].map(result).join(''), stderr: '' })
    expect(bodies).toEqual(lines)
  })

  test('a line that is none has its outcome in its place, and all others are sent', async () => {
    refused = { 2: 'tx.balance' }
    const [first = '', second = '', third = ''] = lines
    const notUtf8 = Buffer.from(first.replace('42', '\xff'), 'latin1')
    const texts = ['{"amount": }', ' ', first, 'hello', '[]', second, notUtf8, third, '{"amount": 1.0}', '']
    const run = await send([], {
      input: Buffer.concat(texts.flatMap((text) => [Buffer.from(text), Buffer.from('\n')])),
    })
    expect(run.stdout.split('\n').slice(0, -1).map(toldBy)).toEqual([
      ['message.malformed', 400, 'Line 1'],
      ['accepted', 201],
      ['message.malformed', 400, 'Line 4'],
      ['tx.shape', 400, 'Line 5'],
      ['tx.balance', 422],
      ['message.malformed', 400, 'Line 7'],
      ['accepted', 201],
      ['message.malformed', 400, 'Line 9'],
    ])
    const stderr = 'bc: 6 of 8 transactions refused: message.malformed 4, tx.shape 1, tx.balance 1\n'
    expect(run).toMatchObject({ code: 5, stderr })
    expect(bodies).toEqual(lines)
  })

  test('one of two', async () => {
    const run = await send([], { input: `hello\n${lines[0]}` })
    expect(run).toMatchObject({ code: 5, stderr: 'bc: 1 of 2 transactions refused: message.malformed 1\n' })
    expect(bodies).toEqual(lines.slice(0, 1))
  })

  /** The code, the status and, of what was refused here, the line. */
  function toldBy(outcome: string): unknown[] {
    const { code = 'accepted', status, message = '' } = JSON.parse(outcome)
    return [code, status, ...(message.match(/^Line \d+/) ?? [])]
  }

  test.each([
    ['a rule', { 2: 'tx.balance' }, 5, 'tx.balance 1'],
    [
      'a signature before another rule',
      { 1: 'pool.gap', 2: 'tx.balance', 3: 'tx.signature' },
      4,
      'pool.gap 1, tx.balance 1, tx.signature 1',
    ],
    ["the node's own trouble before all", { 1: 'tx.signature', 3: 'node.busy' }, 1, 'tx.signature 1, node.busy 1'],
  ] as const)('all are sent whatever becomes of one, and the worst counts: %s', async (_case, codes, code, reasons) => {
    refused = codes
    const run = await send([], { input })
    expect(run.code).toBe(code)
    expect(
      run.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).code ?? 'accepted'),
    ).toEqual([1, 2, 3].map((index) => refused[index] ?? 'accepted'))
    expect(run.stderr).toBe(`bc: ${Object.keys(codes).length} of 3 transactions refused: ${reasons}\n`)
    expect(bodies).toHaveLength(3)
  })
})

describe('thousands', () => {
  const input = `${SIGNED_WITH_MEMO}\n`.repeat(2500)

  test('go out in batches, with a result for each', async () => {
    takesBatches = true
    refused = { 1001: 'tx.nonce' }
    const run = await send([], { input })
    expect(run).toMatchObject({ code: 5, stderr: 'bc: 1 of 2500 transactions refused: tx.nonce 1\n' })
    const results = run.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
    expect(results.map(({ index }) => index ?? 1001)).toEqual(Array.from({ length: 2500 }, (_, i) => i + 1))
    expect(batches).toBe(3)
  })

  test('go out all the same when nobody reads the results any more', async () => {
    takesBatches = true
    refused = { 2500: 'tx.nonce' }
    const child = start('send-tx', ['--node', node.url])
    child.stdout?.destroy()
    child.stdin?.end(input)
    const stderr = 'bc: 1 of 2500 transactions refused: tx.nonce 1\n'
    expect(await ended(child)).toMatchObject({ code: 5, stderr })
    expect(bodies).toHaveLength(2500)
  })

  test.skipIf(process.platform !== 'linux')('go out all the same when the disk is full: 1', async () => {
    takesBatches = true
    refused = { 2500: 'tx.nonce' }
    const child = spawn('/bin/sh', ['-c', `exec "$0" --node ${node.url} > /dev/full`, `${ROOT}/bin/send-tx`])
    child.stdin.end(input)
    const stderr = expect.stringMatching(
      /can't be written: .*ENOSPC.*\nbc: 1 of 2500 transactions refused: tx\.nonce 1\n$/,
    )
    expect(await ended(child)).toMatchObject({ code: 1, stderr })
    expect(bodies).toHaveLength(2500)
  })

  test.each<[string, (lines: string[]) => string[], number, RegExp]>([
    ['ends early', (lines) => lines.slice(0, 900), 1, /does not say what became of 100 transactions after it/],
    [
      'ends with a refusal',
      (lines) => [...lines.slice(0, 899), REFUSED],
      5,
      /^bc: request\.rate: Too many\. Not looked at: 100 /,
    ],
    ['goes on', (lines) => [...lines, ...lines], 1, /is that a node\?/],
    ['is no JSON', (lines) => lines.with(5, 'ok'), 1, /is that a node\?/],
    ['has a line without an end', (lines) => lines.with(5, 'x'.repeat(100_000)), 1, /is that a node\?/],
  ])('an answer that %s', async (_name, change, code, reason) => {
    takesBatches = true
    garbled = change
    const run = await send([], { input })
    expect(run.stderr).toMatch(reason)
    expect(run.code).toBe(code)
    expect(batches).toBe(1)
  })

  const REFUSED = '{"status": 429, "code": "request.rate", "message": "Too many."}'
})
