/** The search of a dev node: from nonce 0 on, in order, so that the same block has the same proof in every run. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { searchNonce } from '@bc/core'
import type { MinerModules } from '../mining/miner.ts'

/** Some ten milliseconds: at a dev node's difficulty one round is all it takes. */
const ATTEMPTS = 8192

export function searchInOrder(): MinerModules['threads'] {
  let attempts = 0
  return {
    get attempts() {
      return attempts
    },
    async search(job, signal) {
      for (let from = 0n; ; from += BigInt(ATTEMPTS)) {
        signal.throwIfAborted()
        const found = searchNonce(job, from, ATTEMPTS)
        attempts += found === undefined ? ATTEMPTS : Number(found - from) + 1
        if (found !== undefined) return found
        await nextTurn()
      }
    },
    async close() {},
  }
}
