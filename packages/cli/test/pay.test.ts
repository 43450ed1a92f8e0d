/** Drafts that are signed elsewhere, and payments in one go. */
import { writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { canonicalJson, sha256Hex } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { connect } from '../src/client/client.ts'
import { command, ended, expectFailure, fakeNode, STATUS, start } from './commands.ts'
import { ALICE, BOB, CAROL, CHAIN, MEMO, PLAIN_SIGNATURE, SIGNED_WITH_MEMO } from './keys.ts'
import { emptyKeystore, keystoreOf, type TestKeystore } from './keystores.ts'
import { startedNode, temporaryFolder, waitFor } from './nodes.ts'

const NOBODY = ['--node', 'http://127.0.0.1:9']
const PLACE = ['--nonce', '0', '--chain', CHAIN]
const DRAFT = { amount: 5, chain: CHAIN, fee: 0, nonce: 0, recipient: BOB.address, sender: ALICE.address }
const SIGNED = {
  amount: 5,
  fee: 0,
  nonce: 0,
  recipient: BOB.address,
  sender: ALICE.address,
  signature: PLAIN_SIGNATURE,
}

/** A node of difficulty 1 where Alice has 100 coins. */
function startedWithCoins() {
  const file = `${temporaryFolder()}/config.json`
  writeFileSync(file, JSON.stringify({ difficulty: 1, allocations: { [ALICE.address]: 100 } }))
  return startedNode(['--ephemeral', '--config', file])
}

/** A node that refuses every signature. @param nonceNow the next nonce of whoever asks for it */
function refusingNode(nonceNow: () => number, sent: string[]) {
  return fakeNode(async (request, response) => {
    const posted = request.method === 'POST'
    if (posted) sent.push(await text(request))
    const account = () => ({ address: ALICE.address, balance: 9, nonce: 0, pendingNonce: nonceNow() })
    const got = () => (request.url === '/status' ? STATUS : account())
    response.writeHead(posted ? 401 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(posted ? { message: 'Signature verification failure', code: 'tx.signature' } : got()))
  })
}

describe('bc draft', () => {
  test('is the payload itself, so that its SHA-256 is the id to be', async () => {
    const { output } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const text = await output(['draft', 'alice', 'bob', '5', ...PLACE, ...NOBODY])
    expect(text).toBe(`${canonicalJson(DRAFT)}\n`)
    const signed = await output(['sign', '-', '--key', 'alice', ...NOBODY], { input: text })
    expect(signed).toBe(`${canonicalJson(SIGNED)}\n`)
  })

  test('sign of a draft, as another implementation has it', async () => {
    const { bc, output } = await keystoreOf({ alice: ALICE.secret })
    const file = `${temporaryFolder()}/tx.json`
    const fields = ['--nonce', '1', '--fee', '2', '--memo', MEMO, '--chain', CHAIN]
    writeFileSync(file, await output(['draft', 'alice', CAROL.address, '7', ...fields]))
    const run = await bc(['sign', file, '--key', 'alice', ...NOBODY])
    expect(run).toMatchObject({ code: 0, stdout: `${SIGNED_WITH_MEMO}\n` })
    const rows = [
      'To be signed:',
      ALICE.address,
      CAROL.address,
      'Amount     7',
      'Fee        2',
      MEMO,
      'Nonce      1',
      CHAIN,
    ]
    for (const row of rows) expect(run.stderr).toContain(row)
    // The only key is the default.
    expect((await bc(['sign', file])).stdout).toBe(`${SIGNED_WITH_MEMO}\n`)
  })

  test('what it says is shown before the key is read, escape sequences made harmless', async () => {
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const input = canonicalJson({ ...DRAFT, memo: '\u001b[2J gone' })
    const run = await bc(['sign', '-', '--key', 'nobody'], { input })
    expectFailure(run, 2, /To be signed:[\s\S]*Memo {7}\\u\{1b\}\[2J gone[\s\S]*there is no key of that name/)
    expect(run.stderr).toContain(sha256Hex(input))
  })

  test.each<[string, object | string | Buffer, number, RegExp]>([
    ['no JSON', 'x', 5, /message\.malformed/],
    ['a number', '5', 5, /tx\.shape: This is no draft/],
    ['a float', canonicalJson(DRAFT).replace('5', '5.0'), 5, /message\.malformed/],
    ['a key that stands twice', canonicalJson(DRAFT).replace('{', '{"fee": 1, '), 5, /message\.malformed/],
    ['no chain', { ...DRAFT, chain: undefined }, 5, /tx\.shape: .*chain is missing/],
    ['a chain in upper case', { ...DRAFT, chain: CHAIN.toUpperCase() }, 5, /tx\.shape/],
    ['no nonce', { ...DRAFT, nonce: undefined }, 5, /tx\.shape: .*nonce is missing/],
    ['a field more', { ...DRAFT, note: '' }, 5, /tx\.shape: .*no transaction has/],
    ['no amount', { ...DRAFT, amount: 0 }, 5, /tx\.number/],
    ['an empty memo', { ...DRAFT, memo: '' }, 5, /tx\.memo/],
    ['a long memo', { ...DRAFT, memo: 'é'.repeat(129) }, 5, /tx\.memo/],
    [
      'a memo in Latin-1',
      Buffer.from(JSON.stringify({ ...DRAFT, memo: 'café' }), 'latin1'),
      5,
      /malformed.*: not UTF-8/,
    ],
    ['a wrong recipient', { ...DRAFT, recipient: BOB.address.replace(/.$/, '0') }, 5, /tx\.address: The recipient/],
    ['a wrong sender', { ...DRAFT, sender: 'alice' }, 5, /tx\.address: The sender/],
    ["another's", { ...DRAFT, sender: CAROL.address }, 2, /KEY is .*'s secret and not SENDER's: nothing was signed/],
    ['one that is signed', SIGNED, 2, /signed already: bc send-tx sends it/],
  ])('%s is not signed', async (_name, draft, code, reason) => {
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const input = typeof draft === 'string' || Buffer.isBuffer(draft) ? draft : JSON.stringify(draft)
    expectFailure(await bc(['sign', '-', '--key', 'alice'], { input }), code, reason)
    const file = `${temporaryFolder()}/tx.json`
    writeFileSync(file, input)
    expectFailure(await bc(['sign', file, '--key', 'alice']), code, reason)
  })

  test('what the words of a command line can be wrong in', async () => {
    const { bc } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    expectFailure(await bc(['sign', '-', '--key', '-']), 2, /FILE and KEY are both standard input/)
    expectFailure(await bc(['sign', '-']), 2, /2 keys are stored: say which with --key or BC_KEY/)
    expectFailure(await bc(['sign', '/no/such/file', '--key', 'alice']), 2, /FILE can't be read from/)
    for (const option of ['nonce', 'fee', 'memo'])
      expectFailure(await bc(['sign', '-', '--key', 'alice', `--${option}`, '1']), 2, `a draft has its own ${option}`)
    expectFailure(await bc(['sign', 'alice', 'bob']), 2, /missing required argument 'AMOUNT'/)
    expectFailure(await bc(['draft', 'alice', 'bob', '0']), 2, /AMOUNT is a whole number/)
  })

  test('online, offline, online: three machines that share nothing but files', async () => {
    const { url } = await startedWithCoins()
    const { output } = await keystoreOf({ alice: ALICE.secret })
    const draft = await command('bc', ['draft', ALICE.address, BOB.address, '5', '--fee', '1', '--node', url])
    const signed = await output(['sign', '-', '--key', 'alice', ...NOBODY], { input: draft.stdout })
    const sent = await command('send-tx', ['--node', url], { input: signed })
    expect(sent, sent.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(sent.stdout).id).toBe(sha256Hex(draft.stdout.trim()))
  })
})

test('send-tx takes the names that sign took', async () => {
  const { url } = await startedWithCoins()
  const { output, bc } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
  const words = ['alice', 'bob', '5']
  const signature = (await output(['sign', ...words, 'alice', '--node', url])).trim()
  expect(JSON.parse(await output(['send-tx', ...words, signature, '--node', url]))).toMatchObject({
    transaction: { sender: ALICE.address, recipient: BOB.address },
  })
  // What is no stored name goes to the node as it is.
  expectFailure(await bc(['send-tx', 'alice', 'carol', '5', signature, '--node', url]), 5, /^bc: tx\.address: /)
})

describe('bc pay', () => {
  test('the only key pays, the wait ends with the block', async () => {
    const { url } = await startedWithCoins()
    const { bc, output } = await keystoreOf({ alice: ALICE.secret })
    const node = ['--node', url]
    const accepted = JSON.parse(await output(['pay', BOB.address, '5', '--fee', '1', '--memo', 'one', ...node]))
    expect(accepted).toMatchObject({ index: 2, transaction: { amount: 5, fee: 1, memo: 'one', nonce: 0 } })
    const client = connect({ node: new URL(url), timeout: undefined, token: () => undefined })
    const waiting = bc(['pay', BOB.address, '6', '--from', 'alice', '--wait', '2', ...node])
    await waitFor(async () => (await client.waiting()).length === 2)
    const { index } = await client.mine()
    await client.mine()
    const run = await waiting
    expect(run, run.stderr).toMatchObject({ code: 0 })
    const found = JSON.parse(run.stdout)
    expect(found).toMatchObject({ status: 'confirmed', transaction: { amount: 6, nonce: 1 }, block: { index } })
    expect(found.block.confirmations).toBeGreaterThanOrEqual(2)
    expect(run.stderr).toBe(`bc: ${found.id} is sent; waiting for a block … Ctrl-C ends the waiting alone\n`)
  })

  test('payments of one key at the same moment: none replaces another that was accepted, whatever its fee', async () => {
    const { url } = await startedWithCoins()
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const runs = await Promise.all(
      ['0', '3', '1', '2'].map((fee) => bc(['pay', BOB.address, '5', '--fee', fee, '--from', 'alice', '--node', url])),
    )
    const { transactions } = await connect({ node: new URL(url), timeout: undefined, token: () => undefined }).waiting()
    const accepted = runs.filter(({ code }) => code === 0).map(({ stdout }) => JSON.parse(stdout).transaction)
    expect(accepted).not.toEqual([])
    expect(accepted.sort((one, other) => one.nonce - other.nonce)).toEqual(transactions)
    for (const run of runs.filter(({ code }) => code !== 0))
      expectFailure(run, 5, /^bc: tx\.nonce: Another payment of this key came first/)
  })

  test('a payment whose nonce another one takes meanwhile', async () => {
    const sent: string[] = []
    let asked = 0
    const node = await refusingNode(() => asked++, sent)
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const run = await bc(['pay', BOB.address, '5', '--from', 'alice', '--node', node.url])
    expectFailure(run, 5, /^bc: tx\.nonce: Another payment of this key came first/)
    expect(sent).toHaveLength(1)
    expect(JSON.parse(sent[0] as string)).not.toHaveProperty('nonce')
    node.close()
  })

  test('a signature that is refused although nobody else has paid', async () => {
    const sent: string[] = []
    const node = await refusingNode(() => 0, sent)
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const run = await bc(['pay', BOB.address, '5', '--from', 'alice', '--node', node.url])
    expectFailure(run, 4, /^bc: tx\.signature: /)
    expect(sent).toHaveLength(1)
    node.close()
  })

  test('a wait goes on through the death of the node and its return', async () => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/config.json`, JSON.stringify({ difficulty: 1, allocations: { [ALICE.address]: 100 } }))
    const args = ['--data-dir', `${folder}/data`, '--config', `${folder}/config.json`]
    const first = await startedNode(args)
    const words = ['pay', BOB.address, '5', '--from', '-', '--wait', '--node', first.url]
    const child = start('bc', words)
    child.stdin?.end(ALICE.secret)
    let told = ''
    child.stderr?.on('data', (chunk) => {
      told += chunk
    })
    const waiting = ended(child)
    await waitFor(() => told.includes('is sent; waiting'))
    await first.stop('SIGKILL')
    await waitFor(() => told.includes('the connection is lost: ') || child.exitCode !== null)
    const { url } = await startedNode([...args, '-p', new URL(first.url).port])
    await fetch(`${url}/mine`)
    const run = await waiting
    expect(run, run.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'confirmed', transaction: { amount: 5 } })
  })

  test('refusals of the node, and a wait that is up', async () => {
    const { url } = await startedWithCoins()
    const { bc } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const node = ['--node', url]
    expectFailure(await bc(['pay', 'bob', '500', '--from', 'alice', ...node]), 5, /^bc: tx\.balance: /)
    expectFailure(await bc(['pay', 'bob', '5', '--from', 'alice', ...NOBODY]), 3, /no node at/)
    const late = await bc(['pay', 'bob', '5', '--from', 'alice', '--wait', '--timeout', '5', ...node])
    // "No node" would have a script pay once more.
    expectFailure(
      late,
      1,
      /^bc: [0-9a-f]{64} is sent; .*\nbc: [0-9a-f]{64} was sent, and is not confirmed after 5 s\.\n$/,
    )
  })

  test('whose key it is: --from, BC_KEY, or the only one', async () => {
    const asked: string[] = []
    const node = await fakeNode((request, response) => {
      asked.push(request.url ?? '')
      response.statusCode = 500
      response.end()
    })
    const payer = async (keystore: TestKeystore, args: readonly string[], env = {}) => {
      asked.length = 0
      const run = await keystore.bc(['pay', CAROL.address, '5', ...args, '--node', node.url], { env })
      return { run, accounts: asked.filter((path) => path !== '/status') }
    }
    const both = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const alice = [`/accounts/${ALICE.address}`]
    const bob = [`/accounts/${BOB.address}`]
    expect((await payer(both, ['--from', 'alice'], { BC_KEY: 'bob' })).accounts).toEqual(alice)
    expect((await payer(both, [], { BC_KEY: 'bob' })).accounts).toEqual(bob)
    expectFailure((await payer(both, [])).run, 2, /2 keys are stored: say which with --from or BC_KEY/)
    expectFailure((await payer(emptyKeystore(), [])).run, 2, /no key is stored in .*: bc key new NAME makes one/)
    const bare = await payer(both, [], { BC_KEY: ALICE.secret })
    expectFailure(bare.run, 2, /BC_KEY is the name of a stored key or @FILE/)
    expect(bare.run.stderr).not.toContain(ALICE.secret)
    expect((await payer(await keystoreOf({ bob: BOB.secret }), [])).accounts).toEqual(bob)
    node.close()
  })

  test.each([
    [['alice', '5', '--wait', '0'], /whole number from 1/],
    [['--wait', 'alice', '5'], /whole number from 1/],
    [['nobody', '5'], /RECIPIENT is no address/],
    [['alice', '5.0'], /AMOUNT is a whole number/],
  ])('pay %j', async (words, reason) => {
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    expectFailure(await bc(['pay', ...words, ...NOBODY]), 2, reason)
  })
})

describe('waiting for a block', () => {
  const PENDING = { id: CHAIN, status: 'pending', transaction: SIGNED }
  const at = (confirmations: number) => ({
    ...PENDING,
    status: 'confirmed',
    block: { index: 2, hash: CHAIN, timestamp: 1, position: 1, confirmations },
  })
  const event = (name: string, data: object) => `event: ${name}\nid: ${name}\ndata: ${JSON.stringify(data)}\n\n`
  const START = event('start', { chain: CHAIN, height: 1, tip: CHAIN })
  const BLOCK = event('block', { index: 2 })
  const REORGANISATION = event('reorganisation', { abandoned: [{ index: 2, hash: CHAIN }], adopted: [] })
  const dropped = (id: string) => event('transaction', { id, status: 'dropped', reason: 'replaced' })

  /**
   * A node that takes every payment.
   * @param events of one connection after the other, each told with what it answers of the transaction from then on
   */
  async function nodeThat(...events: readonly (readonly [event: (id: string) => string, found?: object])[]) {
    const left = [...events]
    let found: object | undefined
    let id = ''
    const node = await fakeNode(async (request, response) => {
      const { method, url = '' } = request
      if (url.startsWith('/events')) {
        const [next, answer] = left.shift() ?? [() => '']
        found = answer
        return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(next(id))
      }
      const answers: Record<string, object | undefined> = {
        [`/accounts/${ALICE.address}`]: { address: ALICE.address, balance: 9, nonce: 0, pendingNonce: 0 },
        '/status': STATUS,
        '/transactions/new': { message: 'Transaction will be added to Block 2', index: 2, id: CHAIN },
      }
      if (url.startsWith('/transactions/') && method === 'GET') id = url.replace('/transactions/', '')
      const answer = answers[url] ?? found
      response.statusCode = answer ? 200 : 404
      response.end(JSON.stringify(answer ?? { code: 'request.not_found', message: 'No.', statusCode: 404 }))
    })
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const run = await bc(['pay', BOB.address, '5', '--wait', '2', '--timeout', '60', '--node', node.url])
    node.close()
    return { run, left: left.length }
  }

  test('ends with enough confirmations; a reorganisation between is none of its business', async () => {
    const { run, left } = await nodeThat(
      [() => START, PENDING],
      [() => BLOCK, at(1)],
      [() => REORGANISATION, PENDING],
      [() => BLOCK, at(2)],
    )
    expect(run, run.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(run.stdout)).toEqual(at(2))
    expect(left).toBe(0)
  })

  test('ends when the node knows no such transaction any more', async () => {
    const { run } = await nodeThat([() => START, PENDING], [() => START])
    expectFailure(run, 1, /\nbc: transaction [0-9a-f]{64} is gone: the node does not know it any more\.\n$/)
  })

  test('ends with the reason when another one takes its place, as bc wait does', async () => {
    const { run } = await nodeThat([() => START, PENDING], [dropped])
    expectFailure(run, 1, /\nbc: transaction [0-9a-f]{64} has left the pool without a block: another one of its sender/)
  })
})
