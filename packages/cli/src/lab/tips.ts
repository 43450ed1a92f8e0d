/** Keeps asking the nodes what their newest block is, and tells of it when it is another one. */
import { setTimeout as delay } from 'node:timers/promises'
import { KnownBlocks } from './blocks.ts'
import type { Report } from './events.ts'
import type { NodeProcess } from './node-process.ts'

const LOOK_MS = 100

export class Tips {
  readonly blocks = new KnownBlocks()
  /** Blocks that were left behind for others, and the most at once. */
  abandoned = 0
  deepest = 0
  private readonly nodes: readonly NodeProcess[]
  private readonly signal: AbortSignal
  private readonly report: Report
  private readonly known = new Map<NodeProcess, string>()

  constructor(nodes: readonly NodeProcess[], signal: AbortSignal, report: Report) {
    this.nodes = nodes
    this.signal = signal
    this.report = report
  }

  /** As it was noticed last. */
  of(node: NodeProcess | undefined): string | undefined {
    return node && this.known.get(node)
  }

  /** It goes down: what it comes back with is news. */
  forget(node: NodeProcess): void {
    this.known.delete(node)
  }

  /** A sentence about the first node that isn't at this block, or at the one that the first of them is at. */
  laggard(nodes: readonly NodeProcess[], hash = this.of(nodes[0])): string | undefined {
    const behind = nodes.find((node) => this.of(node) !== hash)
    if (behind === undefined) return undefined
    const { height, tip } = behind.status ?? {}
    return `node ${behind.number} is at block ${height} (${tip?.slice(0, 8)}) and not at ${hash?.slice(0, 8)}`
  }

  /** Until the signal. */
  async watch(): Promise<void> {
    while (!this.signal.aborted) {
      await Promise.all(this.nodes.map((node) => node.look()))
      for (const node of this.nodes) await this.notice(node)
      await delay(LOOK_MS, undefined, { signal: this.signal }).catch(() => undefined)
    }
  }

  private async notice(node: NodeProcess): Promise<void> {
    const { status } = node
    if (status === undefined || !node.isUp) return
    const before = this.known.get(node)
    if (before === status.tip || !(await this.learn(node, status.tip))) return
    this.known.set(node, status.tip)
    const abandoned = before === undefined ? 0 : this.blocks.abandoned(before, status.tip)
    this.abandoned += abandoned
    this.deepest = Math.max(this.deepest, abandoned)
    this.report({ event: 'tip', node: node.number, height: status.height, hash: status.tip, abandoned })
  }

  /** @returns false where it was killed while it was asked */
  private async learn(node: NodeProcess, tip: string): Promise<boolean> {
    const { client } = node
    try {
      await this.blocks.learn(tip, client)
      return true
    } catch (error) {
      if (!this.signal.aborted && node.isUp && node.client === client) throw error
      return false
    }
  }
}

export function since(start: number): number {
  return Math.round(performance.now() - start)
}
