/** What `bc send-tx` makes of its words and of standard input. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Circumstances, command, expectFailure, type FakeNode, fakeNode } from './commands.ts'
import { ALICE, BOB, CHAIN, PLAIN_SIGNATURE, SIGNED_WITH_MEMO } from './keys.ts'

const bodies: string[] = []
let refuseFrom = Number.POSITIVE_INFINITY
let node: FakeNode

beforeAll(async () => {
  node = await fakeNode(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    expect(request).toMatchObject({ method: 'POST', url: '/transactions/new' })
    expect(request.headers['content-type']).toBe('application/json')
    const index = bodies.length
    if (index >= refuseFrom) response.writeHead(422).end('{"code": "tx.balance", "message": "Too much."}')
    else response.writeHead(201).end(JSON.stringify({ message: 'Transaction will be added', index, id: CHAIN }))
  })
})
beforeEach(() => {
  bodies.length = 0
  refuseFrom = Number.POSITIVE_INFINITY
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

  test('one on each line, in order, a result for each', async () => {
    const lines = [0, 1, 2].map((nonce) => SIGNED_WITH_MEMO.replace('"nonce": 1', `"nonce": ${nonce}`))
    const run = await send([], { input: `${lines.join('\n\n')}\n` })
    expect(run).toMatchObject({ code: 0, stdout: [1, 2, 3].map(ACCEPTED).join('') })
    expect(bodies).toEqual(lines)
  })

  test('the first refusal ends it; what was taken before is told', async () => {
    refuseFrom = 2
    const run = await send([], { input: `${SIGNED_WITH_MEMO}\n`.repeat(3) })
    expect(run).toMatchObject({ code: 5, stdout: ACCEPTED(1), stderr: 'bc: tx.balance: Too much.\n' })
    expect(bodies).toHaveLength(2)
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
    ['a bad second line', `${SIGNED_WITH_MEMO}\n{"amount": }\n`, 5, /^bc: message\.malformed: Line 2: /],
    ['a second line that is a list', `${SIGNED_WITH_MEMO}\n[]\n`, 5, /^bc: tx\.shape: Line 2: /],
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
