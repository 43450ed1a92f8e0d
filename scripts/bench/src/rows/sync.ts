/**
 * An empty node catches up from two that have the chain: real processes, real sockets. Those who answer share the
 * cores with it, and with nobody else.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nativeVerifier } from '@bc/wallet'
import { type ChainSize, type MadeChain, makeChain } from '../chain/make.ts'
import { importInto } from '../processes/import-into.ts'
import { NodeProcess } from '../processes/node.ts'
import { type Bench, type Row, type Size, sideBySide } from '../row.ts'
import { verifyAlone } from '../verify/alone.ts'

const ROW: Row = {
  name: 'sync',
  ours: 'transactions per second, 10,000 blocks from two peers on this machine',
  theirs: 'libsecp256k1 merely verifying those signatures on all cores',
  unit: 'tx/s',
  bound: 'at least',
  mustReach: 0.6,
  aimFor: 0.9,
}

/** How often the node is asked how far it is. */
const LOOK_MS = 40

function sizeOf({ quick }: Size): ChainSize {
  return { blocks: quick ? 1_000 : 10_000, perBlock: 10, accounts: 1_000 }
}

export const bench: Bench = {
  rows: [ROW],
  async measure(size, folder) {
    if (nativeVerifier() === undefined) return [{ row: ROW, outcome: { skipped: 'no libsecp256k1 for this platform' } }]
    const chain = sizeOf(size)
    const made = makeChain(folder, chain)
    const sources = await startSources(made, folder)
    try {
      const peers = await Promise.all(sources.map(addressOf))
      const outcome = await sideBySide(
        size.runs,
        async () => (chain.blocks * chain.perBlock) / (await catchUp(made, peers, folder)),
        () => verifyAlone(made.checks),
      )
      return [{ row: ROW, outcome }]
    } finally {
      await Promise.all(sources.map((source) => source.stop()))
    }
  },
}

/** Both have the whole chain, made without a network. */
async function startSources(made: MadeChain, folder: string): Promise<NodeProcess[]> {
  const directories = ['one', 'two'].map((name) => join(folder, name))
  for (const directory of directories) mkdirSync(directory, { mode: 0o700 })
  const [one, two] = directories as [string, string]
  await importInto(one, made)
  cpSync(join(one, 'chain'), join(two, 'chain'), { recursive: true })
  return Promise.all(directories.map((directory) => NodeProcess.start({ directory, config: made.config })))
}

async function addressOf(node: NodeProcess): Promise<string> {
  const { p2p } = await node.until((status) => status.p2p.length > 0, LOOK_MS)
  return p2p[0] as string
}

/** @returns seconds from the moment when its network is there, about to dial */
async function catchUp(made: MadeChain, peers: readonly string[], folder: string): Promise<number> {
  const directory = mkdtempSync(join(folder, 'fresh-'))
  const node = await NodeProcess.start({ directory, config: made.config, peers, execArgv: process.execArgv })
  try {
    await node.until(({ p2p }) => p2p.length > 0, LOOK_MS)
    const start = performance.now()
    const { tip } = await node.until(({ height }) => height >= made.height, LOOK_MS)
    const seconds = (performance.now() - start) / 1000
    if (tip !== made.tip) throw new Error(`the tip is ${tip}, and ${made.tip} was made`)
    return seconds
  } finally {
    await node.stop()
    rmSync(directory, { recursive: true })
  }
}
