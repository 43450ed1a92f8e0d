/** What a terminal shows of a node that lies: nothing that drives it, and no fault that would be ours. */
import { writeFileSync } from 'node:fs'
import { canonicalJson } from '@bc/core'
import { expect, test } from 'vitest'
import { fakeNode, ROOT, STATUS } from './commands.ts'
import { ALICE, CHAIN } from './keys.ts'
import { temporaryFolder } from './nodes.ts'
import { describeOnTerminal, onTerminal, shellOnTerminal } from './terminal.ts'

const ESCAPE = '\u001b[2J'
/** As long as an address. */
const DISGUISED = ESCAPE.repeat(19).slice(0, 74)

const BLOCK = {
  index: 1,
  merkle_root: CHAIN,
  previous_hash: '1',
  proof: CHAIN,
  target: CHAIN,
  timestamp: 1700000000,
  transactions: [],
}
const REWARD = { amount: 1, nonce: 1, recipient: ALICE.address, sender: '0' }

/** One command on a terminal, where the node answers to a path that starts so. */
async function shown(args: readonly string[], answers: Readonly<Record<string, unknown>>) {
  const node = await fakeNode((request, response) => {
    const [, answer] = Object.entries(answers).find(([path]) => request.url?.startsWith(path)) ?? []
    request.resume().on('end', () => response.end(typeof answer === 'string' ? answer : JSON.stringify(answer)))
  })
  try {
    const run = await onTerminal('bc', [...args, '--node', node.url])
    expect(run.output).not.toContain('this is a bug')
    // What bc itself draws with: the end of a line that is written over.
    expect(run.output.replaceAll('\u001b[K', '')).not.toContain('\u001b')
    return run
  } finally {
    node.close()
  }
}

describeOnTerminal('texts where they are allowed are shown, and drive nothing', () => {
  test('an address', async () => {
    const waiting = { amount: 1, fee: 1, nonce: 0, recipient: DISGUISED, sender: DISGUISED }
    const run = await shown(['transactions'], { '/transactions': { transactions: [waiting], length: 1 } })
    expect(run).toMatchObject({ code: 0, output: expect.stringContaining('\\u{1b}[2J') })
  })

  test('rules of genesis', async () => {
    const rules = { [ESCAPE]: {}, allocations: { [ESCAPE]: ESCAPE } }
    const node = { '/blocks/1': canonicalJson({ ...BLOCK, rules }), '/headers': { headers: [], next: null } }
    const run = await shown(['block', '1'], { ...node, '/status': STATUS })
    expect(run).toMatchObject({ code: 0, output: expect.stringContaining('Allocation of \\u{1b}[2J') })
  })

  test('an object where a text would be', async () => {
    const run = await shown(['status'], { '/status': { ...STATUS, p2p: [{ a: 1 }], sync: { from: {}, to: [] } } })
    expect(run).toMatchObject({ code: 0, output: expect.stringContaining('{"a":1}') })
  })
})

describeOnTerminal('what others have written', () => {
  test('a key of a file that stands twice', async () => {
    const file = `${temporaryFolder()}/receipt.json`
    // CSI as one character, which JSON does not escape.
    writeFileSync(file, '{"\u009b2J": 1, "\u009b2J": 2}')
    const run = await onTerminal('bc', ['verify-proof', file])
    expect(run).toMatchObject({ code: 5, output: expect.stringContaining('\\u009b2J') })
    expect(run.output).not.toContain('\u009b')
  })

  test('events that are no texts', async () => {
    const events = [
      ['start', { chain: CHAIN, height: 1, tip: CHAIN }],
      ['peer', { event: 'block', peer: {}, peers: [], status: { a: ESCAPE } }],
      ['transaction', { status: {}, reason: {}, transaction: { amount: {}, recipient: DISGUISED, sender: 5 } }],
    ] as const
    const stream = events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('')
    const node = await fakeNode((request, response) => {
      const isStream = request.url?.startsWith('/events')
      if (isStream) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(stream)
      else response.end(JSON.stringify({ blocks: [], headers: [{ hash: CHAIN, index: 1, proof: CHAIN }], next: null }))
    })
    const run = await onTerminal('bc', ['watch', '--node', node.url], [['→', '\u0003']])
    node.close()
    expect(run).toMatchObject({ code: null, output: expect.stringContaining('peer {"a":"') })
    expect(run.output).not.toContain('\u001b')
  })
})

describeOnTerminal('what no node says is no answer: 1', () => {
  test.each<[string, object]>([
    ['an amount', { ...REWARD, amount: ESCAPE }],
    ['no recipient', { ...REWARD, recipient: undefined }],
  ])('%s of a block', async (_name, reward) => {
    const block = { ...BLOCK, transactions: [reward] }
    const strange = {
      code: 1,
      output: expect.stringMatching(/without a proper "(transactions|blocks)": is that a node/),
    }
    expect(await shown(['mine'], { '/mine': { ...block, hash: CHAIN, message: 'Yes' } })).toMatchObject(strange)
    const chain = { '/status': STATUS, '/blocks': { blocks: [block], next: null } }
    expect(await shown(['chain'], chain)).toMatchObject(strange)
  })

  test('a confirmed transaction without its block', async () => {
    const found = { id: CHAIN, status: 'confirmed', transaction: REWARD }
    const run = await shown(['tx', CHAIN], { '/transactions/': found })
    expect(run).toMatchObject({ code: 1, output: expect.stringContaining('without a proper "block": is that a node?') })
  })

  test('a tip that is no hash, after an import', async () => {
    const file = `${temporaryFolder()}/blocks.ndjson`
    writeFileSync(file, '{}\n')
    const run = await shown(['import', file], {
      '/blocks': { height: 1, imported: 1, beside: 0, known: 0, tip: ESCAPE },
    })
    expect(run).toMatchObject({ code: 1, output: expect.stringContaining('is that a node?') })
  })

  test('a refusal that calls itself accepted', async () => {
    const file = `${temporaryFolder()}/two.ndjson`
    writeFileSync(file, '{}\n{}\n')
    const outcome = JSON.stringify({ code: 'tx.shape', id: ESCAPE, index: 1, message: 'No.', status: 422 })
    const node = await fakeNode((_request, response) => response.end(`${outcome}\n${outcome}\n`))
    const run = await shellOnTerminal(['/bin/sh', '-c', `'${ROOT}/bin/bc' send-tx --node ${node.url} < ${file}`])
    node.close()
    expect(run).toMatchObject({ code: 1, output: expect.stringContaining('with no outcome in a line') })
    expect(run.output.replaceAll('\u001b[K', '')).not.toContain('\u001b')
  })
})
