/** Whole blocks through the import door into a new directory, until the disk has them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nativeVerifier } from '@bc/wallet'
import { type ChainSize, type MadeChain, makeChain } from '../chain/make.ts'
import { importInto } from '../processes/import-into.ts'
import { type Bench, type Row, type Size, sideBySide } from '../row.ts'
import { verifyAlone } from '../verify/alone.ts'

const ROW: Row = {
  name: 'import',
  ours: 'transactions per second, whole blocks, all cores',
  theirs: 'libsecp256k1 merely verifying those signatures on all cores',
  unit: 'tx/s',
  bound: 'at least',
  mustReach: 0.6,
  aimFor: 0.9,
}

function sizeOf({ quick }: Size): ChainSize {
  return { blocks: quick ? 500 : 10_000, perBlock: 10, accounts: 1_000 }
}

export const bench: Bench = {
  rows: [ROW],
  async measure(size, folder) {
    if (nativeVerifier() === undefined) return [{ row: ROW, outcome: { skipped: 'no libsecp256k1 for this platform' } }]
    const made = makeChain(folder, sizeOf(size))
    const outcome = await sideBySide(
      size.runs,
      () => importAll(made, folder),
      () => verifyAlone(made.checks),
    )
    return [{ row: ROW, outcome }]
  },
}

async function importAll(made: MadeChain, folder: string): Promise<number> {
  const directory = mkdtempSync(join(folder, 'data-'))
  const rate = await importInto(directory, made)
  rmSync(directory, { recursive: true })
  return rate
}
