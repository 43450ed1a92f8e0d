/** Where `bc verify` takes a chain from, and how it ends. That it names the right fault is verify-agreement.test.ts's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { sites } from '../../core/test/support/generator.ts'
import { blockOn, extended, siteAtGenesis } from '../../core/test/support/site.ts'
import { bc, command, ended, expectFailure, type FakeNode, fakeNode, start } from './commands.ts'
import { bookOf, documentOf } from './support-audit.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

const { moving } = sites()
const TEXTS = moving.texts
const BAD = TEXTS.with(2, (TEXTS[2] as string).replace('"amount": 100', '"amount": 101'))
/** Longer than a message to a node may be. */
const PADDED = TEXTS.with(1, (TEXTS[1] as string).replace('{', `{${' '.repeat(2_000_000)}`))
/** As long, with another second block and third one. */
const OTHER = [
  ...[1, 2].reduce(
    (site) => extended(site, { transfers: () => [] }),
    siteAtGenesis('moving', moving.rules, moving.timestamp),
  ).texts,
  ...TEXTS.slice(3),
]

const { blocks, transactions, accounts, supply, tip } = bookOf(TEXTS)
const REPORT = { valid: true, blocks, transactions, accounts, supply, tip, chain: moving.chain }

function expectReport(run: { code: number | null; stdout: string; stderr: string }) {
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(run.stdout)).toMatchObject(REPORT)
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/bc-verify-`)
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = `${folder}/${name.replaceAll('/', '_')}`
  writeFileSync(path, content)
  return path
}

describe('a file or a pipe', () => {
  test.each([
    ['what GET /chain answers', documentOf(TEXTS)],
    ['a list of blocks', `[${TEXTS.join(',\n')}]`],
    ['a block on each line', `${TEXTS.join('\n')}\n`],
    ['a block on each line, an escape in the first key', TEXTS.join('\n').replace('index', '\\u0069ndex')],
    ['many blanks in a document', documentOf(PADDED)],
    ['a block on each line, some blank, no newline at the end', `\n \n${TEXTS.join('\r\n\n')}`],
  ])('%s', async (name, content) => {
    expectReport(await bc('verify', file(name, content)))
    expectReport(await command('bc', ['verify', '-'], { input: content }))
  })

  test.each([
    ['a fault', documentOf(BAD), 5, /^bc: block\.merkle_root: block 3: /],
    ['a fault in a line', BAD.join('\n'), 5, /^bc: block\.merkle_root: block 3: /],
    ['a line of more than 2 MB', PADDED.join('\n'), 5, /^bc: message\.malformed: block 2: /],
    ['a malformed line', TEXTS.with(1, '{"index": 2,').join('\n'), 5, /^bc: message\.malformed: block 2: /],
    ['a fault and a malformed end', documentOf(BAD).slice(0, -1), 5, /^bc: message\.malformed: document: /],
    ['a signature', documentOf([...TEXTS, forged()]), 4, /^bc: tx\.signature: block 6: Transaction 1: /],
    ['nothing', '', 5, /^bc: message\.malformed: document: /],
    ['no block', '[]', 5, /^bc: block\.genesis: block 1: /],
    ['a mark of the byte order', `\ufeff${documentOf(TEXTS)}`, 5, /document: .* at offset 0: /],
    [
      'letters around it',
      documentOf(TEXTS).replace('"length"', '"länge"'),
      5,
      /document: It is no chain: it is not \{/,
    ],
    ['an error page', '<html>\u001b[2J: gone</html>', 5, /^bc: message\.malformed: document: [ -~]+\n$/],
  ])('%s', async (name, content, code, reason) => {
    expectFailure(await bc('verify', file(name, content)), code, reason)
  })

  test('whoever still writes isn’t waited for once a block is wrong', async () => {
    const child = start('bc', ['verify', '-'])
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdin?.write('{"index": 1}\n')
    expectFailure(await ended(child), 5, /^bc: block\.genesis: block 1: /)
  })

  test('no such file, a folder', async () => {
    expectFailure(await bc('verify', `${folder}/none`), 2, /none can't be read: there is no such file/)
    expectFailure(await bc('verify', folder), 2, /can't be read/)
  })
})

function forged(): string {
  return blockOn(moving, { transfers: (usual) => usual.map((one) => ({ ...one, signature: () => '0'.repeat(128) })) })
}

describe('a node', () => {
  const asked: string[] = []
  let served: readonly string[] = TEXTS
  /** What it serves after the first page, and when it is asked again where the two meet. */
  let later: readonly string[] = TEXTS
  let again: readonly string[] = TEXTS
  let hasPages = true
  let node: FakeNode

  const listener: RequestListener = ({ url = '' }, response) => {
    asked.push(url)
    const page = /^\/blocks\?from=(\d+)&limit=\d+$/.exec(url)
    const one = /^\/blocks\/(\d+)$/.exec(url)
    if (url === '/chain') response.end(documentOf(served))
    else if (!hasPages) response.writeHead(404).end('<h1>Not Found</h1>')
    else if (url === '/status') response.end(JSON.stringify({ height: served.length }))
    else if (one) response.end(again[Number(one[1]) - 1])
    else if (page) response.end(pageOf(Number(page[1])))
    else response.writeHead(404).end('{}')
  }

  /** Pages of two. */
  function pageOf(from: number): string {
    const chain = from === 1 ? served : from === 2 ? again : later
    const next = from + 2 <= chain.length ? from + 2 : null
    return `{"blocks": [${chain.slice(from - 1, from + 1).join(', ')}], "next": ${next}}`
  }

  beforeAll(async () => {
    node = await fakeNode(listener)
  })
  beforeEach(() => {
    asked.length = 0
    served = later = again = TEXTS
    hasPages = true
  })
  afterAll(() => node.close())

  test('is read by pages', async () => {
    expectReport(await bc('verify', node.url))
    expect(asked).toEqual([
      '/status',
      ...[1, 3, 5].map((from) => `/blocks?from=${from}&limit=${TEXTS.length + 1 - from}`),
    ])
    expectReport(await bc('verify', '--node', node.url))
    expectReport(await command('bc', ['verify'], { env: { BC_NODE: node.url } }))
    expectReport(await bc('verify', `${node.url}/chain`))
    expectReport(await bc('verify', node.url.replace('http://', '')))
  })

  test('of the tutorial has all in one answer', async () => {
    hasPages = false
    expectReport(await bc('verify', node.url))
    expect(asked).toEqual(['/status', '/chain'])
    served = BAD
    expectFailure(await bc('verify', node.url), 5, /^bc: block\.merkle_root: block 3: /)
  })

  test('with a bad chain', async () => {
    served = later = again = BAD
    expectFailure(await bc('verify', node.url), 5, /^bc: block\.merkle_root: block 3: /)
  })

  test('with a bad block and a page without an end: that isn’t waited for', async () => {
    const slow = await fakeNode(({ url = '' }, response) => {
      if (url === '/status') return void response.end('{"height": 9}')
      if (/from=1&/.test(url)) return void response.end('{"blocks": [{"index": 1}], "next": 2}')
      response.write('{"blocks": [')
      const timer = setInterval(() => response.write(' '), 500)
      response.on('close', () => clearInterval(timer))
    })
    onTestFinished(() => void slow.close())
    expectFailure(await bc('verify', slow.url), 5, /^bc: block\.genesis: block 1: /)
  })

  test('with a chain of parts that do not fit', async () => {
    served = later = again = TEXTS.with(1, OTHER[1] as string)
    expectFailure(await bc('verify', node.url), 5, /^bc: block\.previous_hash: block 3: /)
  })

  test.each([
    ['', TEXTS],
    [', and back again', OTHER],
    [', and to a shorter one then', TEXTS.slice(0, 2)],
  ])('that changes over to another chain meanwhile%s is no bad chain', async (_name, now) => {
    served = OTHER
    again = now
    expectFailure(await bc('verify', node.url), 1, /changed over to another chain meanwhile: try again/)
  })

  test.each([
    ['no list', '{"next": null}'],
    ['no JSON', 'blocks'],
    ['a next that leads nowhere', '{"blocks": [], "next": 1}'],
    ['a next that jumps', `{"blocks": [${TEXTS[0]}], "next": 3}`],
    ['more blocks than were asked for', `{"blocks": [${Array(1001).fill('{}')}], "next": null}`],
    [
      'more bytes than any page has',
      `{"blocks": [${Array(5).fill(`{"a": "${'x'.repeat(15 << 20)}"}`)}], "next": null}`,
    ],
  ])('whose pages are none: %s', async (_name, page) => {
    const strange = await fakeNode(({ url }, response) => response.end(url === '/status' ? '{"height": 1000}' : page))
    try {
      expectFailure(await bc('verify', strange.url), 1, /is that a node\?$/m)
    } finally {
      strange.close()
    }
  })

  test('is read as far as it said that it goes', async () => {
    const liar = await fakeNode(({ url = '' }, response) => {
      const from = Number(/from=(\d+)/.exec(url)?.[1])
      response.end(url === '/status' ? '{"height": 2}' : pageOf(from))
    })
    const run = await bc('verify', liar.url)
    liar.close()
    expect(JSON.parse(run.stdout)).toMatchObject({ blocks: 2 })
  })

  test('with a status of many allocations is one; without an end it is none', async () => {
    let filling = 2 << 20
    const wordy = await fakeNode((request, response) => {
      if (request.url !== '/status') return listener(request, response)
      response.end(`{"height": ${TEXTS.length}, "rules": "${'x'.repeat(filling)}"}`)
    })
    expectReport(await bc('verify', wordy.url))
    filling = 17 << 20
    const run = await bc('verify', wordy.url)
    wordy.close()
    expectFailure(run, 1, /answers with more than 16777216 bytes: is that a node\?$/m)
  })

  test('that says no height is none', async () => {
    const strange = await fakeNode((_, response) => void response.end('{}'))
    expectFailure(await bc('verify', strange.url), 1, /\/status without a proper "height": is that a node\?$/m)
    strange.close()
  })

  test('nobody there', async () => {
    expectFailure(await bc('verify', 'http://127.0.0.1:9'), 3, /nothing listens there/)
  })
})

describeOnTerminal('on a terminal', () => {
  test('what was checked, in words', async () => {
    const { output, code } = await onTerminal('bc', ['verify', file('seen', documentOf(TEXTS))])
    expect(code).toBe(0)
    expect(output).toContain(`${blocks} blocks, ${transactions} transactions, ${accounts} accounts`)
    for (const word of ['Signatures', 'Merkle roots', 'Not checked', moving.chain, tip, 'valid'])
      expect(output).toContain(word)
  })
})
