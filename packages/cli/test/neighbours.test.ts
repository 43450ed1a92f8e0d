/** Two real nodes that are made to know each other. */
import { expect, test } from 'vitest'
import { bc, command, expectFailure, fakeNode, output } from './commands.ts'
import { startedNode, waitFor } from './nodes.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

const ALONE = ['--ephemeral', '--no-discovery']

async function status(url: string) {
  return JSON.parse(await output('status', '--node', url))
}

async function withPeerAddress(url: string): Promise<string> {
  await waitFor(async () => (await status(url)).p2p.length > 0)
  return (await status(url)).p2p[0]
}

test('register, nodes, resolve: what one mined is on the other', async () => {
  const [one, two] = await Promise.all([startedNode(ALONE), startedNode(ALONE)])
  expect(JSON.parse(await output('nodes', '--node', one.url))).toEqual({ nodes: [], length: 0 })
  await output('mine', '--node', two.url)
  await withPeerAddress(two.url)
  const host = new URL(two.url).host
  const registered = JSON.parse(await output('register', host, two.url, '--node', one.url))
  expect(registered).toEqual({ message: 'New nodes have been added', total_nodes: [host] })
  expect(JSON.parse(await output('nodes', '--node', one.url))).toEqual({ nodes: [host], length: 1 })
  const { message, chain, new_chain = chain } = JSON.parse(await output('resolve', '--node', one.url))
  expect(message).toMatch(/^Our chain (was replaced|is authoritative)$/)
  expect(new_chain).toHaveLength(2)
  expect(await status(one.url)).toMatchObject({ height: 2, peers: 1, sync: null, tip: (await status(two.url)).tip })
})

test('--peer is dialled, --p2p-port is the port, and without discovery nobody else is met', async () => {
  const one = await startedNode(ALONE)
  const address = await withPeerAddress(one.url)
  const two = await startedNode([...ALONE, '--peer', address, '--peer', '/ip4/127.0.0.1/tcp/9'])
  const third = await startedNode(ALONE)
  await waitFor(async () => (await status(two.url)).peers === 1)
  const { hash } = JSON.parse(await output('mine', '--node', two.url))
  await waitFor(async () => (await status(one.url)).tip === hash)
  expect(await status(third.url)).toMatchObject({ peers: 0, height: 1 })

  const port = /\/tcp\/(\d+)\//.exec(address)?.[1] ?? ''
  expect(await one.stop()).toMatchObject({ code: 0 })
  const again = await startedNode([...ALONE, '--p2p-port', port])
  expect(await withPeerAddress(again.url)).toContain(`/tcp/${port}/`)
})

test('what is no node is refused whole', async () => {
  const one = await startedNode(ALONE)
  for (const text of ['file:///etc/passwd', 'http://127.0.0.1:9', '/ip4/127.0.0.1/tcp/9', 'http://a:b@127.0.0.1'])
    expectFailure(await bc('register', text, '--node', one.url), 5, /^bc: request\.invalid: /)
  expect(JSON.parse(await output('nodes', '--node', one.url)).nodes).toEqual([])
  expectFailure(await bc('register', '--node', one.url), 2, /missing required argument 'NODE'/)
  expectFailure(await command('bc-node', ['--p2p-port', '65536']), 2, /A port is a number/)
  for (const text of ['localhost:5001', '/dns/localhost/udp/5001', '/dns/localhost/tcp/65536'])
    expectFailure(await command('bc-node', ['--peer', text]), 2, /A peer's address is one of the p2p/)
})

test('an answer that no node gives: 1', async () => {
  const node = await fakeNode((_request, response) => void response.end('{"message": "ok", "nodes": [1], "length": 1}'))
  expectFailure(await bc('nodes', '--node', node.url), 1, /without a proper "nodes"/)
  expectFailure(await bc('register', 'a:1', '--node', node.url), 1, /without a proper "total_nodes"/)
  node.close()
})

test('register and resolve are the operator’s, and carry the token', async () => {
  const seen: (string | undefined)[] = []
  const node = await fakeNode((request, response) => {
    seen.push(request.headers.authorization)
    response.end('{"message": "ok", "nodes": [], "total_nodes": [], "length": 0}')
  })
  const env = { BC_TOKEN: 'abc', BC_NODE: node.url }
  for (const words of [['nodes'], ['register', 'a:1'], ['resolve']]) await command('bc', words, { env })
  expect(seen).toEqual([undefined, 'Bearer abc', 'Bearer abc'])
  node.close()
})

describeOnTerminal('readable on a terminal', () => {
  test('nodes, register, resolve', async () => {
    const tip = 'a'.repeat(64)
    const block = { index: 7, timestamp: 1, previous_hash: tip, transactions: [] }
    const answers: Record<string, object> = {
      '/nodes': { nodes: ['localhost:5001', '\u001b[2J'], length: 2 },
      '/nodes/register': { message: 'New nodes have been added', total_nodes: ['localhost:5001'] },
      '/nodes/resolve': { message: 'Our chain was replaced', new_chain: [block] },
    }
    const node = await fakeNode((request, response) => void response.end(JSON.stringify(answers[request.url ?? ''])))
    const shown = async (...words: string[]) => (await onTerminal('bc', [...words, '--node', node.url])).output
    expect(await shown('nodes')).toBe('localhost:5001\n\\u{1b}[2J\n\n2 neighbours\n')
    expect(await shown('register', 'x:1')).toBe('New nodes have been added\n\nlocalhost:5001\n\n1 neighbour\n')
    expect(await shown('resolve')).toMatch(/^Our chain was replaced\n\nHeight {2}7\nTip {5}[0-9a-f]{64}\n$/)
    answers['/nodes'] = { nodes: [], length: 0 }
    expect(await shown('nodes')).toBe('No neighbours yet: bc register HOST:PORT adds one.\n')
    node.close()
  })
})
