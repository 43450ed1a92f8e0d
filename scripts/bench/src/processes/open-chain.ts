/** A chain in a data directory, without a node around it: for processes that measure its door. */
import { availableParallelism } from 'node:os'
import type { Genesis } from '@bc/core'
import { Chain, createLogger, openStore, Serial } from '@bc/node/parts'
import { CurveWorkers } from '@bc/node/signatures'

export interface OpenedChain {
  readonly chain: Chain
  close(): Promise<void>
}

export async function openChain(genesis: Genesis, directory: string): Promise<OpenedChain> {
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
  const close = async () => {
    await store.close()
    await curve.close()
  }
  return { chain, close }
}
