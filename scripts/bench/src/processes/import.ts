/** Imports a file of blocks into a new directory, as a node does that catches up, and tells how long it took. */
import type { Genesis } from '@bc/core'
import { readAhead } from '@bc/node/parts'
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

answer(async ({ genesis, blocks, directory }: ImportQuestion): Promise<ImportAnswer> => {
  const { chain, close } = await openChain(genesis, directory)
  const texts = BlocksFile.read(blocks)
  const start = performance.now()
  let transactions = 0
  const read = (part: readonly Uint8Array[]) => chain.read(part.map((bytes) => Buffer.from(bytes).toString('latin1')))
  for await (const part of readAhead(texts, ({ length }) => length, read)) {
    await chain.importAll(part)
    for (const { parsed } of part) transactions += parsed.block.transactions.length - 1
  }
  const ms = performance.now() - start
  const tip = chain.head.hash
  await close()
  return { tip, transactions, ms }
})
