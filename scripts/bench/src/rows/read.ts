/** A block is asked for by its number: what is stored goes out as it is. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativeVerifier } from '@bc/wallet'
import { type ChainSize, makeChain } from '../chain/make.ts'
import { type Expected, get, Load } from '../load/load.ts'
import { type PeerServer, startServer } from '../peers/server.ts'
import { importInto } from '../processes/import-into.ts'
import { NodeProcess } from '../processes/node.ts'
import { type Bench, type Row, type Size, sideBySide } from '../row.ts'

const ROW: Row = {
  name: 'read',
  ours: 'GET /blocks/:n per second, blocks of 10 transactions, 16 connections',
  theirs: 'a bare Fastify that sends the same bytes, which it has as strings: reply.type(json).send(text)',
  unit: 'req/s',
  bound: 'at least',
  mustReach: 0.6,
  aimFor: 0.9,
}

const BARE_FASTIFY = fileURLToPath(new URL('../peers/bare-fastify.js', import.meta.url))
const CONNECTIONS = 16
const CHAIN: ChainSize = { blocks: 200, perBlock: 10, accounts: 100 }
const EXPECTED: Expected = { status: 200, text: '"merkle_root": ', times: 1 }

export const bench: Bench = {
  rows: [ROW],
  async measure(size, folder) {
    if (nativeVerifier() === undefined) return [{ row: ROW, outcome: { skipped: 'no libsecp256k1 for this platform' } }]
    const made = makeChain(folder, CHAIN)
    const directory = join(folder, 'data')
    mkdirSync(directory, { mode: 0o700 })
    await importInto(directory, made)
    const node = await NodeProcess.start({ directory, config: made.config, execArgv: process.execArgv })
    const numbers = Array.from({ length: made.height - 1 }, (_, i) => i + 2)
    const bare = await bareFastify(join(folder, 'blocks.json'), node, numbers)
    const [ours, theirs] = [new Load(node.url, CONNECTIONS), new Load(bare.url, CONNECTIONS)]
    const requests = numbers.map((number) => get(`/blocks/${number}`))
    try {
      for (const load of [ours, theirs]) await load.run({ requests, count: countOf(size), expected: EXPECTED })
      const outcome = await sideBySide(
        size.runs,
        () => ours.run({ requests, count: countOf(size), expected: EXPECTED }),
        () => theirs.run({ requests, count: countOf(size), expected: EXPECTED }),
      )
      return [{ row: ROW, outcome }]
    } finally {
      await Promise.all([ours.close(), theirs.close()])
      await Promise.all([node.stop(), bare.stop()])
    }
  },
}

function countOf({ quick }: Size): number {
  return quick ? 1_000 : 40_000
}

/** It has what the node answers. */
async function bareFastify(file: string, node: NodeProcess, numbers: readonly number[]): Promise<PeerServer> {
  const texts: Record<string, string> = {}
  for (const number of numbers) texts[number] = await (await fetch(`${node.url}/blocks/${number}`)).text()
  writeFileSync(file, JSON.stringify(texts))
  return startServer(process.execPath, (port) => [BARE_FASTIFY, String(port), file])
}
