/** The blocks that the nodes have spoken of: who mined each, and what it stands on. */
import type { NodeClient } from '../client/client.ts'

export interface KnownBlock {
  readonly hash: string
  readonly parent: string
  readonly height: number
  /** The address that has the reward. */
  readonly miner: string
}

export class KnownBlocks {
  private readonly known = new Map<string, KnownBlock>()

  /** Asks a node for a block of its chain and for those before it, down to one that is known. */
  async learn(tip: string, client: Pick<NodeClient, 'block'>): Promise<void> {
    for (let hash = tip; !this.known.has(hash); ) {
      const { index, previous_hash, transactions } = await client.block(hash)
      const miner = String(transactions[0]?.recipient ?? '')
      this.known.set(hash, { hash, parent: previous_hash, height: index, miner })
      if (index === 1) return
      hash = previous_hash
    }
  }

  /** The chain that ends here, newest first. */
  *chainOf(tip: string): Generator<KnownBlock, void, undefined> {
    for (let block = this.known.get(tip); block; block = this.known.get(block.parent)) yield block
  }

  /** How many blocks of the chain of `from` are not on that of `to`. */
  abandoned(from: string, to: string): number {
    const onOther = new Set([...this.chainOf(to)].map(({ hash }) => hash))
    let count = 0
    for (const { hash } of this.chainOf(from)) {
      if (onOther.has(hash)) break
      count++
    }
    return count
  }
}
