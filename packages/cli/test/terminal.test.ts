import { readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FakeNode, fakeNode, ROOT } from './commands.ts'
import { ALICE, BOB, CHAIN, PLAIN_SIGNATURE } from './keys.ts'
import { keystoreOf } from './keystores.ts'
import { describeOnTerminal, onTerminal, type Step, shellOnTerminal } from './terminal.ts'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'

const bodies: string[] = []
let node: FakeNode

beforeAll(async () => {
  node = await fakeNode(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    response.end(JSON.stringify({ message: 'Transaction will be added to Block 2', index: 2, id: CHAIN }))
  })
})
beforeEach(() => {
  bodies.length = 0
})
afterAll(() => node.close())

const ANSWERS: readonly Step[] = [
  ['Sender: ', `${ALICE.address}\r`],
  ['Recipient: ', `${BOB.address}\r`],
  ['Amount: ', '5\r'],
  ['Signature: ', `${PLAIN_SIGNATURE}\r`],
]
const SENT = { amount: 5, recipient: BOB.address, sender: ALICE.address, signature: PLAIN_SIGNATURE }

describeOnTerminal("send-tx asks, as the tutorial's client does", () => {
  test('four questions, then the answer for people', async () => {
    const shown = await onTerminal('send-tx', ['--node', node.url], ANSWERS)
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.output).toContain(`A transaction for ${node.url}\n`)
    expect(shown.output).toMatch(/Transaction will be added to Block 2\n\nId {2}bf0e701b/)
    expect(bodies.map((body) => JSON.parse(body))).toEqual([SENT])
  })

  test('asks again after an answer that is none', async () => {
    const shown = await onTerminal(
      'send-tx',
      ['--node', node.url, '--fee', '1'],
      [
        ['Sender: ', '\r'],
        ['No address: it is 74', `${ALICE.address.replace(/.$/, '0')}\r`],
        ["No address: its checksum doesn't agree", `typo${CTRL_U}${ALICE.address}\r`],
        ['Recipient: ', `  ${BOB.address}  \r`],
        ['Amount: ', '1.5\r'],
        ['A whole number of coins', '5\r'],
        ['Signature: ', 'forged\r'],
        ['A signature is 128', `${PLAIN_SIGNATURE}\r`],
      ],
    )
    expect(shown).toMatchObject({ code: 0 })
    expect(bodies.map((body) => JSON.parse(body))).toEqual([{ ...SENT, fee: 1 }])
  })

  test('takes the name of a stored key for its address', async () => {
    const { folder } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const steps: readonly Step[] = [
      ['Sender: ', 'carol\r'],
      ['No address: it is 74', `alice\r`],
      ['Recipient: ', 'bob\r'],
      ...ANSWERS.slice(2),
    ]
    const shown = await onTerminal('send-tx', ['--node', node.url], steps, { env: { BC_KEYS: folder } })
    expect(shown).toMatchObject({ code: 0, output: expect.stringContaining('and no stored key has that name.\n') })
    expect(bodies.map((body) => JSON.parse(body))).toEqual([SENT])
  })

  test('takes all four lines pasted at once', async () => {
    const pasted = ANSWERS.map(([, typed]) => typed).join('')
    expect(await onTerminal('send-tx', ['--node', node.url], [['Sender: ', pasted]])).toMatchObject({ code: 0 })
    expect(bodies.map((body) => JSON.parse(body))).toEqual([SENT])
  })

  test('the questions stay out of a redirected result', async () => {
    const file = `${tmpdir()}/bc-terminal-${process.pid}`
    const line = `"$0" --node ${node.url} > ${file}`
    const shown = await shellOnTerminal(['/bin/sh', '-c', line, `${ROOT}/bin/send-tx`], ANSWERS)
    expect(shown).toMatchObject({ code: 0 })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ index: 2 })
    rmSync(file)
  })

  test('Ctrl-C ends it as it ends any program, Ctrl-D with a word; nothing is sent', async () => {
    const interrupted = await onTerminal('send-tx', ['--node', node.url], [['Sender: ', CTRL_C]])
    expect(interrupted).toMatchObject({ code: null, signal: constants.signals.SIGINT })
    const ended = await onTerminal('send-tx', ['--node', node.url], [['Sender: ', CTRL_D]])
    expect(ended).toMatchObject({ code: 2 })
    expect(ended.output).toContain('\nbc: the answers ended too early: nothing was done.\n')
    expect(bodies).toEqual([])
  })

  test('and the terminal is sane afterwards', async () => {
    const line = `trap : INT; "$0" --node ${node.url}; stty -a; exit 0`
    const shown = await shellOnTerminal(['/bin/sh', '-c', line, `${ROOT}/bin/send-tx`], [['Sender: ', CTRL_C]])
    expect(shown.output).toMatch(/[ ;]icanon/)
    expect(shown.output).toMatch(/[ ;]echo[ ;]/)
  })
})

describeOnTerminal('a secret', () => {
  test('is asked for with KEY -, and not shown', async () => {
    const args = ['sign', ALICE.address, BOB.address, '5', '-', '--nonce', '0', '--chain', CHAIN]
    const shown = await onTerminal('bc', args, [['Secret (not shown): ', `${ALICE.secret}\r`]])
    expect(shown).toMatchObject({ code: 0, output: `Secret (not shown): \n${PLAIN_SIGNATURE}\n` })
  })

  test('a new one is readable, and JSON where it is asked for', async () => {
    const readable = await onTerminal('bc', ['key', 'new'])
    expect(readable.output).toMatch(
      /^Address\n {2}0[23][0-9a-f]{72}\nSecret {3}[0-9a-f]{64}\nbc: this secret is stored/,
    )
    const json = await onTerminal('bc', ['key', 'new', '--json'])
    expect(json.output).toMatch(/^\{"address": "0[23][0-9a-f]{72}", "secret": "[0-9a-f]{64}"\}\n/)
  })
})
