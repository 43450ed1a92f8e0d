/** `bc mine` while it takes its time: on a terminal it shows how it goes, in a pipe nothing has changed. */
import { existsSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { miningLine } from '../src/watch/mining-view.ts'
import { ended, fakeNode, ROOT, start } from './commands.ts'
import { ALICE, CHAIN } from './keys.ts'
import { temporaryFolder } from './nodes.ts'
import { describeOnTerminal, shellOnTerminal } from './terminal.ts'

const CTRL_C = '\u0003'
const CTRL_Z = '\u001a'
const HIDDEN = '\u001b[?25l'
const SHOWN = '\u001b[?25h'

const PROGRESS = { index: 7, attempts: 4_100_000, rate: 1_210_000, expected: '16777216', milliseconds: 3400 }
const BLOCK = {
  ...{ message: 'New Block Created', hash: CHAIN, index: 7, timestamp: 1_700_000_000, previous_hash: CHAIN },
  transactions: [{ amount: 50, nonce: 7, recipient: ALICE.address, sender: '0' }],
}

/** Mines until a file appears, and tells of it as a node does. */
async function slowNode(file: string) {
  const asked: string[] = []
  const node = await fakeNode((request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: mining\ndata: ${JSON.stringify(PROGRESS)}\n\n`)
      return
    }
    const look = setInterval(() => {
      if (!existsSync(file)) return
      clearInterval(look)
      response.end(JSON.stringify(BLOCK))
    }, 20)
    response.on('close', () => clearInterval(look))
  })
  return { ...node, asked }
}

describeOnTerminal('on a terminal', () => {
  test('it shows how fast, how much and how long, and takes that away for the block', async () => {
    const file = `${temporaryFolder()}/found`
    const node = await slowNode(file)
    const line = `"$0" mine --node ${node.url} & read line; : > ${file}; wait $!`
    const shown = await shellOnTerminal(['/bin/sh', '-c', line, `${ROOT}/bin/bc`], [['a block in', '\r']])
    node.close()
    expect(shown.code).toBe(0)
    expect(shown.output).toContain(
      `${HIDDEN}\rblock 7  3.4 s  1.21 MH/s  4.10 M of 16.8 M expected  a block in 14 s\u001b[K`,
    )
    expect(shown.output).toContain(`\r\u001b[K${SHOWN}Mined a new block\n\nBlock         7\n`)
    expect(shown.output.lastIndexOf(SHOWN)).toBeGreaterThan(shown.output.lastIndexOf(HIDDEN))
  })

  test('Ctrl-C ends it as it ends any program, and leaves the terminal as it was', async () => {
    const node = await slowNode('/nowhere')
    const words = ['/bin/sh', '-c', `stty cols 40; exec "$0" mine --node ${node.url}`, `${ROOT}/bin/bc`]
    const shown = await shellOnTerminal(words, [['16.8 M', CTRL_C]])
    node.close()
    expect(shown).toMatchObject({ code: null, signal: constants.signals.SIGINT })
    expect(shown.output).toContain('\r3.4 s  1.21 MH/s  4.10 M/16.8 M\u001b[K')
    expect(shown.output.endsWith(`\r\u001b[K${SHOWN}`)).toBe(true)
  })

  test('Ctrl-Z leaves the shell its cursor, and after fg it goes on', async () => {
    const node = await slowNode('/nowhere')
    // With job control the shell goes on to its next command once the first is stopped.
    const words = ['/bin/sh', '-c', `set -m; "$0" mine --node ${node.url}; echo away; fg`, `${ROOT}/bin/bc`]
    const shown = await shellOnTerminal(words, [
      ['a block in', CTRL_Z],
      ['away', ''],
      ['a block in', CTRL_C],
    ])
    node.close()
    const [before = '', after = ''] = shown.output.split('away\n')
    for (const part of [before, after]) {
      expect(part).toContain(`${HIDDEN}\rblock 7`)
      expect(part.lastIndexOf(SHOWN)).toBeGreaterThan(part.lastIndexOf(HIDDEN))
    }
  })
})

describe('in a pipe', () => {
  test('it says a word after a while, and asks for nothing but the block', async () => {
    const file = `${temporaryFolder()}/found`
    const node = await slowNode(file)
    const child = start('bc', ['mine', '--node', node.url])
    // So long it takes, and the word is there: then the block is found.
    child.stderr?.once('data', () => writeFileSync(file, ''))
    const { stdout, stderr } = await ended(child)
    node.close()
    expect([JSON.parse(stdout), stderr]).toEqual([BLOCK, 'bc: mining … Ctrl-C ends it\n'])
    expect(node.asked).toEqual(['/mine'])
  })
})

describe('the line', () => {
  const forms = [
    [120, 'mining block 7  3.4 s  1.21 MH/s  4.10 M of 16.8 M expected attempts  a block in 14 s'],
    [79, 'block 7  3.4 s  1.21 MH/s  4.10 M of 16.8 M expected  a block in 14 s'],
    [45, 'block 7  3.4 s  1.21 MH/s  4.10 M/16.8 M'],
    [39, '3.4 s  1.21 MH/s  4.10 M/16.8 M'],
    [20, '3.4 s  1.21 MH/s'],
    [5, '1.21 '],
  ] as const
  test.each(forms)('in %i columns', (width, text) => {
    expect(miningLine(PROGRESS, width)).toBe(text)
  })

  test('has words for what nobody will see the end of', () => {
    const never = { ...PROGRESS, expected: String(16n ** 40n), milliseconds: 7_200_000, rate: 300, attempts: 999 }
    expect(miningLine(never, 200)).toBe(
      'mining block 7  2 h  300 H/s  999 of 1.5e48 expected attempts  a block in 2e38 years',
    )
    expect(miningLine({ ...never, rate: 0 }, 200)).toMatch(/attempts {2}measuring$/)
    expect(miningLine({ ...PROGRESS, rate: 50, milliseconds: 200_000 }, 200)).toMatch(
      /^mining block 7 {2}3 min .* in 4 days$/,
    )
  })
})
