/**
 * What a node that was killed has left on its disk: record by record what a fresh import of its chain writes, whatever
 * it was doing at the time. The store is opened here, without the node in between.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { genesisOf, type Hash } from '@bc/core'
import { afterAll, expect, test } from 'vitest'
import { alice, bob, carol } from '../../core/test/support/site.ts'
import { openLevel } from '../src/storage/level.ts'
import { easyRules, GENESIS_TIME, genesisSite, signedPayment } from './support/ledger-blocks.ts'
import { diskLedger, newDirectory, removeDirectories, scrubAll } from './support/ledger-disk.ts'
import { MAIN_STATE, type MemoryLedger, mainTexts, memoryLedger, records } from './support/ledger-node.ts'
import { endProcesses, type NodeProcess, startProcess } from './support/ledger-process.ts'
import { Random } from './support/ledger-random.ts'

const ROUNDS = Math.max(5, Math.floor(Number(process.env.BC_CRASH_ROUNDS ?? 0) / 5))
const SEED = Number(process.env.BC_CRASH_SEED ?? Date.now() % 1_000_000)
const RULES = easyRules({ difficulty: 2 })
const GENESIS = genesisOf(RULES, GENESIS_TIME)
const START = genesisSite(RULES)
/** The node's clock, which its blocks' timestamps come from. */
const NOW = Math.floor(Date.now() / 1000) + 3600

afterAll(async () => {
  await endProcesses()
  removeDirectories()
})

test(`a killed node's records are those of a fresh import, ${ROUNDS} rounds, seed ${SEED}`, {
  timeout: 120_000 + ROUNDS * 30_000,
}, async () => {
  const random = new Random(SEED)
  const directory = newDirectory()
  const promised = { blocks: new Set<Hash>(), transactions: new Set<Hash>() }
  const fresh = await memoryLedger(RULES, GENESIS_TIME)
  fresh.clock.now = NOW
  for (let round = 0; round < ROUNDS; round++) {
    const node = await startProcess({ directory, rules: RULES })
    const work = [
      mine(node, promised.blocks),
      ...[alice, bob, carol].map((key) => send(node, key, promised.transactions)),
    ]
    // Now and then before anything is answered: LevelDB tidies up after a start.
    if (round > 0 && random.next() < 0.3) await delay(random.below(20))
    else expect(await Promise.race([answers(promised, 1 + random.below(40)), node.ended.then(node.output)])).toBe('')
    await node.kill()
    await Promise.all(work)
    await expectRecords(join(directory, 'data'), fresh, promised)
  }
  console.log(
    `seed ${SEED}: ${promised.blocks.size} blocks and ${promised.transactions.size} transactions were promised`,
  )
  expect(promised.blocks.size).toBeGreaterThan(0)
  expect(promised.transactions.size).toBeGreaterThan(0)
})

/** So many more, of each kind one at least, and a moment of the next one's work. */
async function answers({ blocks, transactions }: Promised, more: number): Promise<string> {
  const enough = blocks.size + transactions.size + more
  const before = { blocks: blocks.size, transactions: transactions.size }
  const came = () => blocks.size > before.blocks && transactions.size > before.transactions
  while (blocks.size + transactions.size < enough || !came()) await delay(2)
  await delay(more)
  return ''
}

interface Promised {
  readonly blocks: ReadonlySet<Hash>
  readonly transactions: ReadonlySet<Hash>
}

async function expectRecords(directory: string, fresh: MemoryLedger, promised: Promised): Promise<void> {
  const ledger = await diskLedger({ directory, genesis: GENESIS, now: NOW })
  expect(ledger.logged).toEqual([])
  await scrubAll(ledger)
  const texts = await mainTexts(ledger)
  for (const text of texts.slice(fresh.chain.head.index - 1)) await fresh.import(text)
  for (const hash of promised.blocks) {
    const { index } = await ledger.store.knownEntry(hash)
    expect(await ledger.store.mainHash(index)).toBe(hash)
  }
  const waiting = new Set(ledger.waiting)
  const ids = [...promised.transactions].filter((id) => !waiting.has(id))
  expect(await ledger.store.transactionPlaces(ids)).not.toContain(undefined)
  await ledger.close()
  const level = await openLevel(join(directory, 'chain'))
  expect(await records(level, MAIN_STATE)).toEqual(await records(fresh.level, MAIN_STATE))
  await level.close()
}

async function mine({ url }: NodeProcess, blocks: Set<Hash>): Promise<void> {
  for (;;) {
    const answer = await post(`${url}/mine`)
    if (answer === undefined) return
    expect(answer.status).toBe(200)
    blocks.add(answer.body.hash)
  }
}

async function send({ url }: NodeProcess, key: typeof alice, transactions: Set<Hash>): Promise<void> {
  const account = await answered(fetch(`${url}/accounts/${key.address}`))
  if (account === undefined) return
  for (let nonce = account.body.pendingNonce; ; nonce++) {
    const answer = await post(`${url}/transactions/new`, signedPayment(START, key, bob, 1, nonce % 3, nonce))
    if (answer === undefined) return
    expect(answer.status).toBe(201)
    transactions.add(answer.body.id)
  }
}

interface Answer {
  readonly status: number
  readonly body: { readonly hash: Hash; readonly id: Hash; readonly pendingNonce: number }
}

function post(url: string, body: object = {}): Promise<Answer | undefined> {
  const headers = { 'content-type': 'application/json' }
  return answered(fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }))
}

/** undefined where the node was gone before it had answered: nothing was promised. */
async function answered(request: Promise<Response>): Promise<Answer | undefined> {
  try {
    const answer = await request
    return { status: answer.status, body: (await answer.json()) as Answer['body'] }
  } catch (error) {
    // fetch's word for a connection that could not be had, or was lost.
    if (error instanceof TypeError) return undefined
    throw error
  }
}
