/** Looking things up, against a real node and against one that tells stories. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bc, command, ended, expectFailure, fakeNode, output, STATUS, start } from './commands.ts'
import { ALICE, BOB, CHAIN } from './keys.ts'
import { type NodeProcess, sharedNode } from './nodes.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

let node: NodeProcess
let env: NodeJS.ProcessEnv
/** Alice's payments to Bob, in order: three confirmed in block 2, one that waits. */
const ids: string[] = []

async function ask(...args: readonly string[]): Promise<string> {
  const run = await command('bc', args, { env })
  expect(run, run.stderr).toMatchObject({ code: 0 })
  return run.stdout
}

async function pay(amount: number): Promise<void> {
  const words = [ALICE.address, BOB.address, String(amount), '-', '--fee', '1', '--memo', `发票 ${amount}`, '--json']
  const signed = await command('bc', ['sign', ...words], { env, input: ALICE.secret })
  const sent = await command('send-tx', [], { env, input: signed.stdout })
  ids.push(JSON.parse(sent.stdout).id)
}

beforeAll(async () => {
  node = await sharedNode(['--ephemeral'], { difficulty: 1, allocations: { [ALICE.address]: 1000 } })
  env = { BC_NODE: node.url }
  for (const amount of [1, 2, 3]) await pay(amount)
  await ask('mine')
  await ask('mine')
  await pay(4)
})
afterAll(() => node.stop('SIGKILL'))

describe('bc block', () => {
  test('is exactly what its hash is the SHA-256 of, by index, by hash and as the latest', async () => {
    const second = await ask('block', '2')
    const { previous_hash } = JSON.parse(await ask('block', '3'))
    expect(sha256(second)).toBe(previous_hash)
    expect(await ask('block', previous_hash)).toBe(second)
    expect(second).toBe(await (await fetch(`${node.url}/blocks/2`)).text())
    expect(await ask('block', 'latest')).toBe(await ask('block', '3'))
    expect(sha256(await ask('block', '1'))).toBe(node.chain)
  })

  test('what is not there, and what is no name of a block', async () => {
    expectFailure(await command('bc', ['block', '4'], { env }), 5, /^bc: request\.not_found: There is no block 4/)
    for (const name of ['0', '-1', '1.5', '01', 'newest', CHAIN.toUpperCase(), ''])
      expectFailure(await command('bc', ['block', '--', name], { env }), 2, /^bc: BLOCK is an index from 1/)
  })

  const block = { index: 2, previous_hash: CHAIN, timestamp: 1, transactions: [] }
  const canonical = `{"index": 2, "previous_hash": "${CHAIN}", "timestamp": 1, "transactions": []}`
  test.each([
    ['another index', '3', canonical, /another block than 3/],
    ['another hash', CHAIN, canonical, new RegExp(`another block than ${CHAIN}`)],
    ['JSON that is not canonical', '2', JSON.stringify(block), /with JSON that is not canonical/],
    ['no block', '2', '{"hello": "you"}', /without a proper "index"/],
  ])('a node that answers with %s: 1', async (_name, name, answer, reason) => {
    const stranger = await fakeNode((_request, response) => void response.end(answer))
    expectFailure(await bc('block', name, '--node', stranger.url), 1, reason)
    stranger.close()
  })
})

describe('bc tx and bc account', () => {
  test('a confirmed transaction, a reward and one that waits', async () => {
    expect(JSON.parse(await ask('tx', ids[0] ?? ''))).toMatchObject({
      status: 'confirmed',
      transaction: { amount: 1, memo: '发票 1' },
      block: { index: 2, position: 1, confirmations: 2 },
    })
    expect(JSON.parse(await ask('tx', ids[3] ?? ''))).toMatchObject({ status: 'pending', transaction: { nonce: 3 } })
    expectFailure(await command('bc', ['tx', CHAIN], { env }), 5, /request\.not_found/)
    expectFailure(await command('bc', ['tx', 'abc'], { env }), 2, /ID is 64 lower-case hex digits/)
  })

  test('balance and nonces', async () => {
    const account = { address: ALICE.address, balance: 991, nonce: 3, pendingNonce: 4 }
    expect(JSON.parse(await ask('account', ALICE.address))).toEqual(account)
    const wrong = await command('bc', ['account', ALICE.address.replace(/.$/, '0')], { env })
    expectFailure(wrong, 2, /ADDRESS is no address: its checksum/)
  })
})

describe('bc history', () => {
  const transaction = { amount: 1, nonce: 2, recipient: BOB.address, sender: '0' }
  /** What a page has of this place. */
  const item = (index: number, position = 0) => ({
    id: CHAIN,
    transaction,
    block: { index, hash: CHAIN, timestamp: 1, position, confirmations: 1 },
  })
  const cursor = (index: number) => `${String(index).padStart(16, '0')}-000000`
  /** The page of a history without an end, one transaction in each block. */
  function endless(url = '') {
    const { searchParams } = new URL(url, 'http://x')
    const newest = Number(searchParams.get('before')?.slice(0, 16) ?? 9_000_001) - 1
    const transactions = Array.from({ length: Number(searchParams.get('limit')) }, (_, i) => item(newest - i))
    return { transactions, next: cursor(newest - transactions.length + 1) }
  }
  const amounts = (text: string) =>
    JSON.parse(text).transactions.map((one: { transaction: { amount: number } }) => one.transaction.amount)

  test('newest first, and --before goes on where --limit ended', async () => {
    expect(amounts(await ask('history', ALICE.address))).toEqual([3, 2, 1])
    const first = await command('bc', ['history', ALICE.address, '--limit', '2'], { env })
    expect(first.stderr).toMatch(/^bc: there are more: --limit N or --all shows them, or go on with --before \d{16}-/)
    expect(amounts(first.stdout)).toEqual([3, 2])
    const { next } = JSON.parse(first.stdout)
    const rest = await command('bc', ['history', ALICE.address, '--before', next], { env })
    expect(rest).toMatchObject({ code: 0, stderr: '' })
    expect(amounts(rest.stdout)).toEqual([1])
    expect(JSON.parse(rest.stdout).next).toBeNull()
  })

  test('--ndjson: one a line', async () => {
    const lines = (await ask('history', ALICE.address, '--ndjson')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(ids.slice(0, 3).reverse())
  })

  test('all pages are asked for, by the cursor', async () => {
    const asked: string[] = []
    const stranger = await fakeNode((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://x')
      asked.push(`${searchParams.get('limit')} ${searchParams.get('before')}`)
      const page = endless(request.url)
      response.end(JSON.stringify(asked.length < 3 ? page : { ...page, next: null }))
    })
    const history = (...args: string[]) => bc('history', BOB.address, '--node', stranger.url, ...args)
    const all = await history('--all', '--ndjson')
    expect(all).toMatchObject({ code: 0, stderr: '' })
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(3000)
    expect(asked).toEqual(['1000 null', `1000 ${cursor(8_999_001)}`, `1000 ${cursor(8_998_001)}`])
    asked.length = 0
    await history('--limit', '1200')
    expect(asked).toEqual(['1000 null', `200 ${cursor(8_999_001)}`])
    expectFailure(await history('--all', '--limit', '1'), 2, /'--all' cannot be used with option '--limit <n>'/)
    for (const limit of ['0', 'x']) expectFailure(await history('--limit', limit), 2, /whole number from 1/)
    expectFailure(await history('--before', '../../secret'), 2, /It is the "next" of an answer/)
    stranger.close()
  })

  test('a reader that leaves a list without an end ends it', async () => {
    const stranger = await fakeNode(({ url }, response) => void response.end(JSON.stringify(endless(url))))
    const child = start('bc', ['history', BOB.address, '--all', '--ndjson', '--node', stranger.url])
    child.stdout?.once('data', () => child.stdout?.destroy())
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '' })
    stranger.close()
  })

  test.each<[string, string, (page: number) => object]>([
    ['no transactions, and more of them', 'next', () => ({ transactions: [], next: cursor(9) })],
    ['the same page again', 'transactions', () => ({ transactions: [item(9)], next: cursor(9) })],
    ['newer ones', 'transactions', (page) => ({ transactions: [item(9 + page)], next: cursor(9 + page) })],
    ['a cursor that leads back', 'next', (page) => ({ transactions: [item(99 - page)], next: cursor(100) })],
    ['no order', 'transactions', () => ({ transactions: [item(9), item(9, 1)], next: null })],
    ['the same one twice', 'transactions', () => ({ transactions: [item(9), item(9)], next: null })],
    ['a place that no cursor spells', 'transactions', () => ({ transactions: [item(9, 1e6)], next: null })],
    [
      'more than were asked for',
      'transactions',
      () => ({ transactions: Array.from({ length: 1001 }, (_, i) => item(2000 - i)), next: null }),
    ],
  ])('a node that never comes to an end does not keep us for ever: %s', async (_name, field, answer) => {
    let pages = 0
    // Were it believed, the list would go on for long enough to be seen.
    const end = { transactions: [], next: null }
    const stranger = await fakeNode((_, response) => {
      response.end(JSON.stringify(++pages > 50 ? end : answer(pages)))
    })
    const run = await bc('history', BOB.address, '--all', '--node', stranger.url)
    stranger.close()
    expectFailure(run, 1, new RegExp(`/transactions\\?.* without a proper "${field}": is that a node\\?\n$`))
    expect(pages).toBeLessThan(3)
  })
})

describe('lists as NDJSON', () => {
  test('chain: a block a line, each with its own hash', async () => {
    const lines = (await ask('chain', '--ndjson')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(await ask('chain')).chain)
    expect(sha256(lines[1] ?? '')).toBe(JSON.parse(lines[2] ?? '').previous_hash)
  })

  test('transactions and nodes', async () => {
    const [line, ...others] = (await ask('transactions', '--ndjson')).trimEnd().split('\n')
    expect(JSON.parse(line ?? '')).toMatchObject({ amount: 4 })
    expect(others).toEqual([])
    expect(await ask('nodes', '--ndjson')).toBe('')
    const stranger = await fakeNode((_, response) => void response.end('{"nodes": ["a:1", "b:2"], "length": 2}'))
    expect(await output('nodes', '--ndjson', '--node', stranger.url)).toBe('"a:1"\n"b:2"\n')
    stranger.close()
  })
})

interface Page {
  readonly blocks: readonly { readonly index: number }[]
  readonly next: number | null
}

/**
 * A node whose chain is cut into small pages.
 * @param spoil what it does to a page
 * @param height what it says that it has
 */
async function paging(spoil: (page: Page) => object = (page) => page, height?: number) {
  const { chain } = JSON.parse(await ask('chain'))
  const asked: string[] = []
  const node = await fakeNode((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/status')
      return void response.end(JSON.stringify({ ...STATUS, height: height ?? chain.length }))
    const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('from'))
    const next = from < chain.length ? from + 1 : null
    response.end(JSON.stringify(spoil({ blocks: chain.slice(from - 1, from), next })))
  })
  return { ...node, asked }
}

describe('a chain of many pages', () => {
  test('is asked for page by page', async () => {
    const pages = await paging()
    expect(await output('chain', '--ndjson', '--node', pages.url)).toBe(await ask('chain', '--ndjson'))
    expect(pages.asked).toEqual(['/status', ...[1, 2, 3].map((from) => `/blocks?from=${from}&limit=${4 - from}`)])
    pages.close()
  })

  test.each([
    ['does not follow on the page before', { index: 3, previous_hash: CHAIN }],
    ['begins elsewhere', { index: 4 }],
  ])('a page that %s: the chain has changed meanwhile', async (_name, fields) => {
    const pages = await paging(({ blocks, next }) => ({
      blocks: blocks.map((block) => (block.index === 3 ? { ...block, ...fields } : block)),
      next,
    }))
    const run = await bc('chain', '--ndjson', '--node', pages.url)
    expect(run).toMatchObject({ code: 1, stderr: 'bc: the chain changed while it was read: ask again.\n' })
    pages.close()
  })

  test('ends where the node said that it does, whatever the pages promise', async () => {
    const pages = await paging((page) => page, 2)
    const lines = (await ask('chain', '--ndjson')).split('\n')
    expect(await output('chain', '--ndjson', '--node', pages.url)).toBe(`${lines.slice(0, 2).join('\n')}\n`)
    pages.close()
  })

  test('a page with more blocks than were asked for is no answer', async () => {
    const pages = await paging(({ blocks }) => ({ blocks: Array(4).fill(blocks[0]), next: null }))
    const strange = /limit=3 without a proper "blocks": is that a node\?/
    expectFailure(await bc('chain', '--ndjson', '--node', pages.url), 1, strange)
    pages.close()
  })

  test('a page without blocks that promises more is no answer', async () => {
    const pages = await paging(() => ({ blocks: [], next: 1 }))
    expectFailure(await bc('chain', '--ndjson', '--node', pages.url), 1, /changed while it was read/)
    pages.close()
  })
})

describeOnTerminal('on a terminal', () => {
  const shown = async (columns: number, ...words: readonly string[]) =>
    (await onTerminal('bc', words, [], { columns, env })).output

  test('a block with its confirmations and its transactions', async () => {
    const { previous_hash } = JSON.parse(await ask('block', '3'))
    const wide = await shown(80, 'block', '2')
    expect(wide).toMatch(/^Block {10}2\nConfirmations {2}2\n/)
    expect(wide).toContain(`\nHash           ${previous_hash}\n`)
    expect(wide).toMatch(/\n1 {7}1 {4}1 {6}0 {2}0279be66…0f715baf {2}02c6047f…b1c9938f {2}发票 1\n/)
    const narrow = await shown(40, 'block', '2')
    expect(narrow).toContain(`\nHash\n  ${previous_hash}\n`)
    expect(narrow).toContain('\n     1    1  0279…5baf  02c6…938f\n')
    expect(narrow).toMatch(/4 transactions\n\(no room for: #, Nonce, Memo\)\n$/)
    expect(await shown(80, 'block', '1')).toContain(`Allocation of 1000\n  ${ALICE.address}\n`)
    expect(await shown(80, 'block', '2', '--json')).toBe(`${await ask('block', '2')}\n`)
  })

  test('a block that the main chain has left is not confirmed', async () => {
    const block = await ask('block', '3')
    const answers: Record<string, string> = {
      [`/blocks/${sha256(block)}`]: block,
      '/headers?from=3&limit=1': `{"headers": [{"index": 3, "hash": "${CHAIN}", "proof": "${CHAIN}"}], "next": null}`,
      '/status': await ask('status'),
    }
    const stranger = await fakeNode((request, response) => void response.end(answers[request.url ?? '']))
    const { output } = await onTerminal('bc', ['block', sha256(block), '--node', stranger.url])
    expect(output).toContain('Confirmations  none: not on the main chain\n')
    stranger.close()
  })

  test('a transaction, an account, a history, the chain', async () => {
    expect(await shown(40, 'tx', ids[0] ?? '')).toContain(`\nConfirmations  2\n`)
    expect(await shown(40, 'tx', ids[3] ?? '')).toContain(`Id\n  ${ids[3]}\nStatus     waits for a block\n`)
    expect(await shown(80, 'account', ALICE.address)).toBe(
      `Address\n  ${ALICE.address}\nBalance     991 coins\nSent        3 confirmed transactions\nWaiting     1 transaction\nNext nonce  4\n`,
    )
    expect(await shown(40, 'history', ALICE.address, '--limit', '1')).toMatch(
      /^Block {2}Conf\. {2}Coins {2}Fee {2}From or to\n {4}2 {6}2 {5}-3 {4}1 {2}02c6…938f\n\n1 transaction\n.*\nbc: there are/s,
    )
    expect(await shown(80, 'history', BOB.address)).toMatch(/ \+3 {4}1 {2}0279be66…0f715baf {2}发票 3\n/)
    expect(await shown(80, 'chain')).toMatch(/\n {4}2 {4}3 {6}53 {2}.{19} {2}[0-9a-f]{16} {2}0.{16}\n.*\n3 blocks\n$/s)
    expect(await shown(40, 'chain')).toMatch(/^Block {2}Txs {2}Reward {2}Hash\n/)
  })

  test('a stranger’s memo can not drive the terminal', async () => {
    const found = JSON.parse(await ask('tx', ids[0] ?? ''))
    found.transaction.memo = '\u001b[2Jgone\u202e'
    const stranger = await fakeNode((_, response) => void response.end(JSON.stringify(found)))
    const { output } = await onTerminal('bc', ['tx', CHAIN, '--node', stranger.url])
    expect(output).toContain('Memo           \\u{1b}[2Jgone\\u{202e}\n')
    stranger.close()
  })
})
