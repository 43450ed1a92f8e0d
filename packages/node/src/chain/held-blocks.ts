import type { Hash, ParsedBlock } from '@bc/core'

/** How many blocks are held at the most. The oldest leaves first. */
const MOST = 100

/**
 * Blocks that wait: for their parent, or for their time. Bounded, since anybody can invent orphans. Found by hash of
 * what they wait for, all in a hundred.
 */
export class HeldBlocks {
  private readonly held = new Map<Hash, ParsedBlock>()

  get size(): number {
    return this.held.size
  }

  has(hash: Hash): boolean {
    return this.held.has(hash)
  }

  add(parsed: ParsedBlock): void {
    if (this.held.size >= MOST) this.held.delete(this.held.keys().next().value as Hash)
    this.held.set(parsed.hash, parsed)
  }

  /** Takes out those whose wait is over, the lowest first. */
  take(isOver: (parsed: ParsedBlock) => boolean): ParsedBlock[] {
    const over = [...this.held.values()].filter(isOver)
    for (const { hash } of over) this.held.delete(hash)
    return over.sort((a, b) => a.block.index - b.block.index)
  }
}
