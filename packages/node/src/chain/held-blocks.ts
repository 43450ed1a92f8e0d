import type { Hash, ParsedBlock } from '@bc/core'

/** How many blocks are held at the most, and how much canonical JSON. The oldest leave first. */
const MOST = 100
const MOST_BYTES = 4_000_000

/**
 * Blocks that wait: for their parent, or for their time. Bounded, since anybody can invent orphans. Found by hash of
 * what they wait for, all in a hundred.
 */
export class HeldBlocks {
  private readonly held = new Map<Hash, ParsedBlock>()
  private bytes = 0

  has(hash: Hash): boolean {
    return this.held.has(hash)
  }

  add({ block, hash, canonical, root }: ParsedBlock): void {
    this.remove(hash)
    // Nothing else that it may have brought along: the bytes that are counted are those that are held.
    this.held.set(hash, { block, hash, canonical, root })
    this.bytes += canonical.length
    for (const oldest of this.held.keys()) {
      if (oldest === hash || (this.held.size <= MOST && this.bytes <= MOST_BYTES)) return
      this.remove(oldest)
    }
  }

  /** Takes out those whose wait is over, the lowest first. */
  take(isOver: (parsed: ParsedBlock) => boolean): ParsedBlock[] {
    const over = [...this.held.values()].filter(isOver)
    for (const { hash } of over) this.remove(hash)
    return over.sort((a, b) => a.block.index - b.block.index)
  }

  private remove(hash: Hash): void {
    this.bytes -= this.held.get(hash)?.canonical.length ?? 0
    this.held.delete(hash)
  }
}
