/**
 * Signed transactions, each accepted before its answer comes: one in a request over 16 connections, or many on lines.
 * Everything is signed before the clock starts, and every side begins each run with an empty pool.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativeVerifier } from '@bc/wallet'
import { makeHolders, type Payment } from '../chain/holders.ts'
import { makeGenesis } from '../chain/make.ts'
import { paymentsOf } from '../chain/next-block.ts'
import { type Expected, Load, post } from '../load/load.ts'
import { fetchAnvil, startAnvil } from '../peers/anvil.ts'
import { transfers } from '../peers/ethereum.ts'
import { pythonWithFlask, startTutorialNode } from '../peers/flask.ts'
import { type PeerServer, startServer } from '../peers/server.ts'
import { rsaTransactions } from '../peers/tutorial-wallet.ts'
import { NodeProcess } from '../processes/node.ts'
import { type Bench, inTurns, type Measured, type Row, type Size, type Skipped } from '../row.ts'
import { verifyAlone } from '../verify/alone.ts'
import { type Checks, newChecks, putCheck } from '../verify/checks.ts'

const RATE = { unit: 'tx/s', bound: 'at least' } as const

const ONE: Row = {
  name: 'ingest',
  ours: 'signed transactions per second, one per request, 16 connections, on the disk before the answer',
  theirs: "Foundry's anvil --no-mining, in memory, the same load",
  ...RATE,
  mustReach: 1.5,
  aimFor: 2.5,
}

const LINES: Row = {
  name: 'ingest, NDJSON',
  ours: 'the same, 1,000 lines per request, 2 connections',
  theirs: 'the same anvil, one per request',
  ...RATE,
  mustReach: 4,
  aimFor: 8,
}

/** How far the two could come here, if all that is ours took no time. */
const ONE_AT_MOST: Row = {
  ...ONE,
  name: 'ingest, at most',
  ours: 'a bare Fastify that parses each request, verifies one signature for it, and keeps nothing',
}

const LINES_AT_MOST: Row = {
  ...LINES,
  name: 'NDJSON, at most',
  ours: 'libsecp256k1 merely verifying such signatures on all cores',
}

const FLASK: Row = {
  name: 'ingest, Flask',
  ours: 'one per request, 16 connections',
  theirs: "the tutorial's own node in Python, served by Flask, the same load",
  ...RATE,
  mustReach: 15,
  aimFor: 50,
}

const BARE_VERIFIER = fileURLToPath(new URL('../peers/bare-verifier.js', import.meta.url))
const CONNECTIONS = 16
/** A client that has many sends the next batch while the last is being looked at. */
const BATCHES_AT_ONCE = 2
const BATCH = 1_000
const SENDERS = 100

/** Transactions that are measured. As many are sent before, since V8 takes some thousand to know what to compile. */
interface Amounts {
  readonly one: number
  readonly lines: number
  readonly flask: number
}

function amountsOf({ quick }: Size): Amounts {
  return quick ? { one: 400, lines: 3 * BATCH, flask: 60 } : { one: 10_000, lines: 24 * BATCH, flask: 1_000 }
}

/** Transactions per second, of a server that has been started for this one run. */
type Side = () => Promise<number>

export const bench: Bench = {
  rows: [ONE, ONE_AT_MOST, LINES, LINES_AT_MOST, FLASK],
  async measure(size, folder) {
    if (nativeVerifier() === undefined)
      return bench.rows.map((row) => skipped(row, 'no libsecp256k1 for this platform'))
    const amounts = amountsOf(size)
    const ours = ourSides(folder, amounts)
    const [anvil, flask] = [await besideAnvil(folder, amounts), await besideFlask(amounts)]
    const sides: Record<string, Side> = { ...ours }
    if (typeof anvil === 'function') sides.anvil = anvil
    if (typeof flask === 'function') sides.flask = flask
    const figures = await inTurns(size.runs, sides)
    const measured = (row: Row, our: keyof typeof ours, name: string, peer: Side | Skipped): Measured =>
      typeof peer === 'function'
        ? { row, outcome: { ours: figures[our] ?? [], theirs: figures[name] ?? [] } }
        : { row, outcome: peer }
    return [
      measured(ONE, 'one', 'anvil', anvil),
      measured(ONE_AT_MOST, 'bare', 'anvil', anvil),
      measured(LINES, 'lines', 'anvil', anvil),
      measured(LINES_AT_MOST, 'alone', 'anvil', anvil),
      measured(FLASK, 'one', 'flask', flask),
    ]
  },
}

function skipped(row: Row, why: string): Measured {
  return { row, outcome: { skipped: why } }
}

interface Job {
  readonly requests: readonly Uint8Array[]
  readonly connections: number
  readonly expected: Expected
  /** In each request. */
  readonly transactions: number
}

/**
 * The clock starts after half of the requests. Every answer is looked at: one that isn't what it must be ends the run.
 */
async function rateOf(server: Pick<PeerServer, 'url' | 'stop'>, job: Job): Promise<number> {
  const load = new Load(server.url, job.connections)
  const { requests, expected } = job
  const half = requests.length / 2
  try {
    await load.run({ requests: requests.slice(0, half), expected })
    return (await load.run({ requests: requests.slice(half), expected })) * job.transactions
  } finally {
    await load.close()
    await server.stop()
  }
}

function ourSides(folder: string, { one, lines }: Amounts) {
  const holders = makeHolders(SENDERS)
  const { chain, config } = makeGenesis(folder, holders)
  const payments = paymentsOf(holders, 0, 2 * one, chain)
  const single: Job = {
    requests: payments.map((payment) => post('/transactions/new', 'application/json', textOf(payment))),
    connections: CONNECTIONS,
    expected: { status: 201, text: '"id":', times: 1 },
    transactions: 1,
  }
  const checks = checksOf(payments)
  for (const holder of holders) holder.nonce = 0
  const many: Job = {
    requests: batches(paymentsOf(holders, 0, 2 * lines, chain).map(textOf)).map((text) =>
      post('/transactions', 'application/x-ndjson', text),
    ),
    connections: BATCHES_AT_ONCE,
    expected: { status: 200, text: '"status":201', times: BATCH },
    transactions: BATCH,
  }
  const measure = async (job: Job) => {
    const directory = mkdtempSync(join(folder, 'data-'))
    const node = await NodeProcess.start({ directory, config, execArgv: process.execArgv })
    const rate = await rateOf(node, job)
    rmSync(directory, { recursive: true })
    return rate
  }
  const bare = () => startServer(process.execPath, (port) => [BARE_VERIFIER, String(port)])
  return {
    one: () => measure(single),
    bare: async () => rateOf(await bare(), single),
    lines: () => measure(many),
    alone: () => verifyAlone(checks),
  }
}

function textOf({ transaction }: Payment): string {
  return JSON.stringify(transaction)
}

function checksOf(payments: readonly Payment[]): Checks {
  const checks = newChecks(payments.length)
  for (const [i, { check }] of payments.entries()) putCheck(checks, i, check)
  return checks
}

function batches(lines: readonly string[]): string[] {
  return Array.from({ length: lines.length / BATCH }, (_, i) => lines.slice(i * BATCH, (i + 1) * BATCH).join('\n'))
}

/** From as many senders, in the same order. */
async function besideAnvil(folder: string, { one }: Amounts): Promise<Side | Skipped> {
  const program = await fetchAnvil()
  if (typeof program !== 'string') return program
  const start = () => startAnvil(program, folder, SENDERS)
  const { secrets, stop } = await start()
  await stop()
  const job: Job = {
    requests: transfers(secrets, 2 * one).map((raw) =>
      post('/', 'application/json', `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["${raw}"]}`),
    ),
    connections: CONNECTIONS,
    expected: { status: 200, text: '"result":"0x', times: 1 },
    transactions: 1,
  }
  return async () => rateOf(await start(), job)
}

async function besideFlask({ flask }: Amounts): Promise<Side | Skipped> {
  const python = await pythonWithFlask()
  if ('skipped' in python) return python
  const job: Job = {
    requests: rsaTransactions(2 * flask).map((text) => post('/transactions/new', 'application/json', text)),
    connections: CONNECTIONS,
    expected: { status: 201, text: 'Transaction will be added to Block', times: 1 },
    transactions: 1,
  }
  return async () => rateOf(await startTutorialNode(python.environment), job)
}
