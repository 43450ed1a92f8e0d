/** Disk and pool follow the head one after the other: whoever asks meanwhile gets what was, or what is, and no mixture. */
import { transactionId } from '@bc/core'
import { expect, it, vi } from 'vitest'
import { poolStream } from '../src/http/pool-stream.ts'
import { post } from './support/http-client.ts'
import { Contract } from './support/http-contract.ts'
import { ALICE, signed } from './support/http-node.ts'
import { injected, minedOn, openParts, type Parts } from './support/http-parts.ts'

async function ask({ app }: Parts, path: string) {
  const { json } = (await Contract.of(app)).check({ path }, await injected(app, { path }))
  return json
}

it('an account, while a block confirms all that its owner has waiting', async () => {
  const parts = await openParts()
  const { app, chain, store } = parts
  const sent = [0, 1].map((nonce) => signed(chain.id, { nonce }))
  for (const one of sent) await injected(app, post('/transactions/new', one))
  const account = store.account.bind(store)
  vi.spyOn(store, 'account').mockImplementationOnce(async (address) => {
    const before = await account(address)
    await chain.import(minedOn(parts, chain.head, { transactions: sent }).parsed)
    return before
  })
  expect(await ask(parts, `/accounts/${ALICE.address}`)).toMatchObject({ nonce: 2, pendingNonce: 2 })
})

it('an account and a transaction of an abandoned block, before the pool has them back', async () => {
  const parts = await openParts()
  const { chain, store } = parts
  const payment = signed(chain.id, { nonce: 0 })
  const genesis = chain.head
  await chain.import(minedOn(parts, genesis, { transactions: [payment] }).parsed)
  const b2 = minedOn(parts, genesis, { now: genesis.timestamp + 20 })
  const b3 = minedOn(parts, b2.entry)
  await chain.import(b2.parsed)
  const writeHead = store.writeHead.bind(store)
  const answers: Promise<object>[] = []
  vi.spyOn(store, 'writeHead').mockImplementationOnce(async (...change) => {
    await writeHead(...change)
    answers.push(ask(parts, `/accounts/${ALICE.address}`))
    answers.push(ask(parts, `/transactions/${transactionId(payment, chain.id)}`))
    // As long as a busy disk may take to say that it is done.
    await new Promise((resolve) => setTimeout(resolve, 50))
  })
  await chain.import(b3.parsed)
  expect(chain.head.hash).toBe(b3.parsed.hash)
  expect(await Promise.all(answers)).toMatchObject([
    { nonce: 0, pendingNonce: 1 },
    { status: 'pending', transaction: payment },
  ])
})

it('the status: what a block has confirmed waits no more, and what an abandoned one had waits again', async () => {
  const parts = await openParts()
  const { app, chain, store } = parts
  const genesis = chain.head
  const payment = signed(chain.id, { nonce: 0 })
  await injected(app, post('/transactions/new', payment))
  const answers: Promise<object>[] = []
  const accounts = store.accounts.bind(store)
  vi.spyOn(store, 'accounts').mockImplementation(async (...asked) => {
    const found = await accounts(...asked)
    // Last of all it is the pool that asks, once the head has moved.
    if (chain.head !== genesis) answers.push(ask(parts, '/status'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    return found
  })
  await chain.import(minedOn(parts, genesis, { transactions: [payment] }).parsed)
  const [confirmed] = await Promise.all(answers.splice(0))
  expect(confirmed).toMatchObject({ height: 2, pool: 0 })
  const b2 = minedOn(parts, genesis, { now: genesis.timestamp + 20 })
  const b3 = minedOn(parts, b2.entry)
  for (const { parsed } of [b2, b3]) await chain.import(parsed)
  expect((await Promise.all(answers)).at(-1)).toMatchObject({ height: 3, pool: 1 })
})

it('what waits, to a client who reads slowly while a reorganisation takes some of it out and puts it back', async () => {
  const { app, chain, admission } = await openParts()
  const genesis = chain.head
  const sent = Array.from({ length: 100 }, (_, nonce) => signed(chain.id, { nonce }))
  await chain.import(minedOn({ chain }, genesis, { transactions: sent.slice(0, 1) }).parsed)
  for (const one of sent.slice(1)) await injected(app, post('/transactions/new', one))
  const pieces = poolStream(admission.pool).iterator()
  let text = String((await pieces.next()).value)
  const b2 = minedOn({ chain }, genesis, { now: genesis.timestamp + 20 })
  const b3 = minedOn({ chain }, b2.entry)
  for (const { parsed } of [b2, b3]) await chain.import(parsed)
  for await (const piece of pieces) text += piece
  const { transactions, length } = JSON.parse(text) as { transactions: { nonce: number }[]; length: number }
  const nonces = transactions.map(({ nonce }) => nonce)
  expect(nonces).toEqual([...new Set(nonces)])
  expect(length).toBe(nonces.length)
})
