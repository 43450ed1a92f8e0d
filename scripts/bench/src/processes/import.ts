/** Imports a file of blocks into a new directory, as a node does that catches up, and tells how long it took. */
import { availableParallelism } from 'node:os'
import type { Genesis } from '@bc/core'
import { Chain, CurveWorkers, createLogger, openStore, Serial } from '@bc/node/network'
import { BlocksFile } from '../chain/blocks-file.ts'

export interface ImportQuestion {
  readonly genesis: Genesis
  /** A {@link BlocksFile}. */
  readonly blocks: string
  readonly directory: string
}

export interface ImportAnswer {
  readonly tip: string
  /** Signed ones: rewards don't count. */
  readonly transactions: number
  readonly ms: number
}

/** Blocks that are imported together, and parts that are read ahead. */
const PART = 100
const AHEAD = 3

process.once('message', async ({ genesis, blocks, directory }: ImportQuestion) => {
  const curve = new CurveWorkers(availableParallelism())
  const log = await createLogger({ terminal: false, level: 'silent' })
  const store = await openStore({ directory, genesis, curve, log, acceptLoss: false })
  const chain = await Chain.open(genesis, {
    store,
    curve,
    door: new Serial(),
    clock: () => Math.floor(Date.now() / 1000),
    onHead: async () => undefined,
    onHeldRefused: (_, error) => {
      throw error
    },
  })
  const texts = BlocksFile.read(blocks)
  const start = performance.now()
  let transactions = 0
  const reading: ReturnType<Chain['read']>[] = []
  for (let at = 0; at < texts.length || reading.length > 0; ) {
    for (; at < texts.length && reading.length < AHEAD; at += PART)
      reading.push(chain.read(texts.slice(at, at + PART).map((bytes) => Buffer.from(bytes).toString('latin1'))))
    const part = (await reading.shift()) ?? []
    await chain.importAll(part)
    for (const { parsed } of part) transactions += parsed.block.transactions.length - 1
  }
  const answer: ImportAnswer = { tip: chain.head.hash, transactions, ms: performance.now() - start }
  await store.close()
  await curve.close()
  process.send?.(answer)
  process.disconnect()
})
