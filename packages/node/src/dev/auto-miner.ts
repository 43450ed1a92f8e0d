import type { Pool } from '@bc/core'
import type { Miner, MinerModules } from '../mining/miner.ts'

/**
 * A block per transaction. One that comes before its turn (its nonce says so) waits; with the one that was missing it
 * gets a block as well, after that one's.
 */
export class AutoMiner {
  private job: Promise<void> | undefined

  /**
   * @returns once nothing waits that could be in a block
   * @throws RuleError where no block is possible: see {@link Miner.mine}
   */
  async mineAll(miner: Miner, pool: Pool): Promise<void> {
    // However many transactions came at once, there is one job at a time for all of them.
    while (isReady(pool)) {
      this.job ??= this.mineOne(miner, pool)
      await this.job
    }
  }

  private async mineOne(miner: Miner, pool: Pool): Promise<void> {
    try {
      // Before its turn comes, a revert may have taken the transactions back, or somebody else's block have them.
      await miner.mineIf(() => isReady(pool))
    } finally {
      this.job = undefined
    }
  }
}

function isReady(pool: Pool): boolean {
  return pool.select(Number.POSITIVE_INFINITY).length > 0
}

/** The pool as a dev node's miner sees it: the first of those that can be in a block, and no other. */
export function oneByOne(pool: Pool): MinerModules['pool'] {
  return { select: (maxBytes) => pool.select(maxBytes).slice(0, 1) }
}
