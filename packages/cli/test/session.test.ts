/** The tutorial's session, command by command, against a real node. */
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bc, command, expectFailure, output } from './commands.ts'
import { startedNode, temporaryFolder } from './nodes.ts'

test('mine, sign, send, pool, mine, chain; a forged one, a replay, an overdraft', async () => {
  const { url, chain, stop } = await startedNode(['--ephemeral'])
  const env = { BC_NODE: url }
  const ask = async (...args: readonly string[]) => {
    const run = await command('bc', args, { env })
    expect(run, run.stderr).toMatchObject({ code: 0 })
    return JSON.parse(run.stdout)
  }
  const key = await ask('key', 'new', '--json')
  const other = await ask('key', 'new', '--json')
  const by = async (secret: string, ...args: readonly string[]) =>
    (await command('bc', ['sign', ...args, '-'], { env, input: secret })).stdout.trim()

  const mined = await ask('mine')
  expect(mined).toMatchObject({ message: 'New Block Created', index: 2 })
  expect((await ask('status')).height).toBe(2)

  // An account without coins.
  const signature = await by(key.secret, key.address, other.address, '5')
  expect(signature).toMatch(/^[0-9a-f]{128}$/)
  const words = [key.address, other.address, '5', signature]
  expectFailure(await command('send-tx', words, { env }), 5, /^bc: tx\.balance: /)
  // A forged one is noticed before the balance is looked at.
  expectFailure(
    await command('send-tx', [other.address, key.address, '5', signature], { env }),
    4,
    /^bc: tx\.signature: .*Signature verification failure/,
  )
  // Signed for another chain, and for another nonce.
  const elsewhere = await output(
    'sign',
    key.address,
    other.address,
    '5',
    key.secret,
    '--chain',
    chain.replace(/./, 'e'),
    '--nonce',
    '0',
  )
  expectFailure(await command('send-tx', [...words.slice(0, 3), elsewhere.trim()], { env }), 4, /tx\.signature/)
  expect(await ask('transactions')).toEqual({ transactions: [], length: 0 })
  expect(await ask('chain')).toMatchObject({ length: 2 })
  expect(await stop()).toMatchObject({ code: 0 })
})

test('a payment from coins of the genesis block', async () => {
  const key = JSON.parse(await output('key', 'new'))
  const other = JSON.parse(await output('key', 'new'))
  const file = `${temporaryFolder()}/config.json`
  writeFileSync(file, JSON.stringify({ difficulty: 1, allocations: { [key.address]: 100 } }))
  const { url } = await startedNode(['--ephemeral', '--config', file])
  const env = { BC_NODE: url }
  const sign = (...args: readonly string[]) =>
    command('bc', ['sign', key.address, other.address, ...args], { env, input: key.secret })

  const first = await sign('5', '-', '--memo', '发票 🧾', '--fee', '1', '--json')
  expect(JSON.parse(first.stdout)).toMatchObject({ amount: 5, fee: 1, memo: '发票 🧾', nonce: 0 })
  const sent = await command('send-tx', [], { env, input: first.stdout })
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(sent.stdout)).toMatchObject({ message: 'Transaction will be added to Block 2', index: 2 })
  // The pool counts: the next nonce is 1 already.
  const second = (await sign('6', '-')).stdout.trim()
  const words = [key.address, other.address, '6', second]
  expect(await command('send-tx', words, { env })).toMatchObject({ code: 0 })
  // The tutorial's form once more: it would be nonce 2, and that isn't what was signed.
  expectFailure(await command('send-tx', words, { env }), 4, /tx\.signature/)
  // With its nonce it is known, and once mined it is past.
  expectFailure(await command('send-tx', [...words, '--nonce', '1'], { env }), 5, /^bc: pool\.known: /)
  expect(JSON.parse((await command('bc', ['transactions'], { env })).stdout).length).toBe(2)
  const block = JSON.parse((await command('mine', [], { env })).stdout)
  expect(block.transactions).toHaveLength(3)
  expectFailure(await command('send-tx', [...words, '--nonce', '1'], { env }), 5, /^bc: tx\.nonce: /)
  const tooMuch = await sign('90', '-', '--json')
  expectFailure(await command('send-tx', [], { env, input: tooMuch.stdout }), 5, /^bc: tx\.balance: /)
  const shown = await command('chain', [], { env })
  expect(JSON.parse(shown.stdout).chain[1].transactions).toEqual(block.transactions)
  expectFailure(await bc('mine', 'again'), 2, /too many/)
})
