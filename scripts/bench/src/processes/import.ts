/** Imports a file of blocks into a new directory, as a node does that catches up, and tells how long it took. */
import type { Genesis } from '@bc/core'
import type { Chain } from '@bc/node/network'
import { BlocksFile } from '../chain/blocks-file.ts'
import { answer } from './ask.ts'
import { openChain } from './open-chain.ts'

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

/** Blocks that are imported together, and parts that are read ahead: as a node does that fetches them (block-fetch.ts). */
const PART = 100
const AHEAD = 8

answer(async ({ genesis, blocks, directory }: ImportQuestion): Promise<ImportAnswer> => {
  const { chain, close } = await openChain(genesis, directory)
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
  const ms = performance.now() - start
  const tip = chain.head.hash
  await close()
  return { tip, transactions, ms }
})
