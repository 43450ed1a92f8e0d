/** The tutorial's own rules, in Python, over our chain; and the tutorial's own node, which follows ours. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, post } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { ALICE, BOB, signed, startTestNode, type TestNode, tutorialBody } from './support/http-node.ts'

const TUTORIAL = fileURLToPath(new URL('tutorial/', import.meta.url))
/** Without Python there is nothing to try here, except on the machine whose word counts. */
const PYTHON = spawnSync('python3', ['--version']).status === 0 || process.env.CI !== undefined
const MEMOS = [
  '謝謝你的午餐',
  '🎉👩‍👩‍👧',
  'naïve café',
  'tab\tquote"\\slash/',
  '\u0000\u001f\u007f\u0080',
  '￿𐀀',
  'plain',
]

interface Block {
  readonly index: number
  readonly previous_hash: string
  readonly proof: string
  readonly timestamp: number
  readonly transactions: readonly { readonly amount: number; readonly memo?: string }[]
}
interface Chain {
  readonly chain: readonly Block[]
  readonly length: number
}

describe.skipIf(!PYTHON)('by the tutorial (python3)', () => {
  let node: TestNode
  let contract: Contract
  let ours: Chain

  beforeAll(async () => {
    node = await startTestNode({ rules: { difficulty: 4 } })
    contract = await Contract.of(node.app)
    for (const [nonce, memo] of MEMOS.entries()) {
      expect((await ask(node, post('/transactions/new', signed(node.chain, { nonce, memo, fee: nonce })))).status).toBe(
        201,
      )
      const bare = tutorialBody(signed(node.chain, { from: BOB, to: ALICE.address, nonce }))
      expect((await ask(node, post('/transactions/new', bare))).status).toBe(201)
      if (nonce % 2 === 0) expect((await ask(node, { path: '/mine' })).status).toBe(200)
    }
    ours = (await contract.ask<Chain & Record<string, unknown>>(node, { path: '/chain' })).json
    expect(ours.chain.flatMap(({ transactions }) => transactions.map(({ memo }) => memo))).toEqual(
      expect.arrayContaining([...MEMOS]),
    )
  })

  function judged(chain: Chain): { hashes: string[]; valid: boolean } {
    const input = JSON.stringify(chain)
    const { stdout, stderr, status } = spawnSync('python3', ['-B', 'check_chain.py'], {
      cwd: TUTORIAL,
      input,
      encoding: 'utf8',
    })
    const verdict = JSON.parse(stdout || `{"crashed": ${JSON.stringify(stderr)}}`)
    expect(status, stderr).toBe(verdict.valid ? 0 : 1)
    return verdict
  }

  it('our chain is valid, and each block has the hash that we say', async () => {
    const { hashes, valid } = judged(ours)
    expect(valid).toBe(true)
    const { json } = await contract.ask<{ headers: { hash: string }[] }>(node, { path: '/headers?limit=1000' })
    expect(hashes).toEqual(json.headers.map(({ hash }) => hash))
    expect(hashes[0]).toBe(node.chain)
  })

  it('the text of /chain is judged as it comes, byte for byte', async () => {
    const { text } = await ask(node, { path: '/chain' })
    const { status } = spawnSync('python3', ['-B', 'check_chain.py'], { cwd: TUTORIAL, input: text, encoding: 'utf8' })
    expect(status).toBe(0)
  })

  /** Another block in the place of one. */
  const changed = (at: number, change: (block: Block) => object): Chain => ({
    ...ours,
    chain: ours.chain.map((block, i) => (i === at ? ({ ...block, ...change(block) } as Block) : block)),
  })
  const paid = (block: Block, field: object) => ({
    transactions: block.transactions.map((one, i) => (i === 1 ? { ...one, ...field } : one)),
  })
  const flipped = (hex: string) => `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}`

  it.each<[string, () => Chain]>([
    ['an amount', () => changed(1, (block) => paid(block, { amount: 6 }))],
    ['a memo', () => changed(1, (block) => paid(block, { memo: '谢谢你的午餐' }))],
    ['a timestamp', () => changed(2, ({ timestamp }) => ({ timestamp: timestamp + 1 }))],
    ['a rule of genesis', () => changed(0, () => ({ rules: { miningReward: 51 } }))],
    ['a link', () => changed(2, ({ previous_hash }) => ({ previous_hash: flipped(previous_hash) }))],
    ['a proof', () => changed(2, ({ proof }) => ({ proof: flipped(proof) }))],
    ['the newest proof', () => changed(ours.length - 1, ({ proof }) => ({ proof: flipped(proof) }))],
    [
      'the newest link',
      () => changed(ours.length - 1, ({ previous_hash }) => ({ previous_hash: flipped(previous_hash) })),
    ],
    ['a field more', () => changed(1, () => ({ more: 1 }))],
    ['a block left out', () => ({ length: ours.length - 1, chain: ours.chain.filter((_, i) => i !== 2) })],
    [
      'two blocks in the wrong order',
      () => ({ ...ours, chain: [...ours.chain.slice(0, -2), ...ours.chain.slice(-2).reverse()] }),
    ],
    ['a block twice', () => ({ length: ours.length + 1, chain: [...ours.chain, ...ours.chain.slice(-1)] })],
    ['a wrong length', () => ({ ...ours, length: ours.length + 1 })],
  ])('our chain with a change is not: %s', (_, tampered) => {
    expect(judged(tampered()).valid).toBe(false)
  })

  describe('its node', () => {
    let python: ChildProcess
    let port: number

    beforeAll(async () => {
      python = spawn('python3', ['-B', 'node.py'], { cwd: TUTORIAL, stdio: ['ignore', 'pipe', 'inherit'] })
      const [line] = (await once(python.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
      port = Number(line.toString())
    })

    afterAll(async () => {
      python.kill('SIGKILL')
      await once(python, 'close')
    })

    const resolved = async () => JSON.parse((await ask({ port }, { path: '/nodes/resolve' })).text)

    it('does not follow a neighbour whose longer chain was changed', async () => {
      const tampered = changed(1, (block) => paid(block, { amount: 6 }))
      let asked = 0
      const liar = createServer((_, response) => {
        asked++
        response.end(JSON.stringify(tampered))
      })
      liar.listen(0, '127.0.0.1').unref()
      await once(liar, 'listening')
      const nodes = [`http://localhost:${(liar.address() as AddressInfo).port}`]
      expect((await ask({ port }, post('/nodes/register', { nodes }))).status).toBe(201)
      expect(await resolved()).toMatchObject({ message: 'Our chain is authoritative', chain: { length: 1 } })
      expect(asked).toBeGreaterThan(0)
    })

    it('registers ours by either name, adopts our chain, and then follows it', async () => {
      const nodes = [`http://localhost:${node.port}`, `127.0.0.1:${node.port}`]
      expect((await ask({ port }, post('/nodes/register', { nodes }))).status).toBe(201)
      expect(await resolved()).toEqual({ message: 'Our chain was replaced', new_chain: ours.chain })
      expect(await resolved()).toEqual({ message: 'Our chain is authoritative', chain: ours.chain })
      await contract.ask(node, { path: '/mine' })
      const { json } = await contract.ask<Chain & Record<string, unknown>>(node, { path: '/chain' })
      expect(await resolved()).toEqual({ message: 'Our chain was replaced', new_chain: json.chain })
      expect(JSON.parse((await ask({ port }, { path: '/chain' })).text)).toEqual(json)
    })

    it('may be registered with ours', async () => {
      const asked = post('/nodes/register', { nodes: [`http://localhost:${port}`, `localhost:${port}`] })
      expect((await contract.ask(node, asked)).status).toBe(201)
      expect((await contract.ask(node, { path: '/nodes/resolve' })).status).toBe(200)
    })
  })
})
