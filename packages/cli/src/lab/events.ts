/** What happens in a lab, as programs read it (one JSON object a line) and as a sentence. */
import type { Hash } from '@bc/core'
import type { ScenarioName } from '../command-line/arguments.ts'
import { counted } from '../terminal/text.ts'

export type LabEvent =
  | {
      readonly event: 'lab'
      readonly scenario: ScenarioName
      readonly nodes: number
      readonly seed: number
      readonly chain: Hash
    }
  | { readonly event: 'up'; readonly node: number; readonly pid: number; readonly url: string }
  | { readonly event: 'killed'; readonly node: number; readonly pid: number }
  | { readonly event: 'mined'; readonly node: number; readonly height: number; readonly hash: string }
  /** A node's newest block is another one. `abandoned`: how many blocks of its own chain it left for it. */
  | {
      readonly event: 'tip'
      readonly node: number
      readonly height: number
      readonly hash: string
      readonly abandoned: number
    }
  | { readonly event: 'followed'; readonly nodes: readonly number[]; readonly hash: string; readonly ms: number }
  | {
      readonly event: 'paid'
      readonly node: number
      readonly from: AccountName
      readonly to: AccountName
      readonly amount: number
      readonly id: string
    }
  | { readonly event: 'split'; readonly sides: readonly (readonly number[])[] }
  | { readonly event: 'healed' }
  /** Every node is connected with every other again. */
  | { readonly event: 'connected'; readonly ms: number }
  | { readonly event: 'note'; readonly text: string }
  | Verdict

export interface Verdict {
  readonly event: 'agreed'
  readonly nodes: number
  readonly height: number
  readonly tip: string
  readonly supply: number
  /** Blocks that were left behind, and the most at once. */
  readonly abandoned: number
  readonly deepest: number
  readonly audit: 'valid'
  readonly ms: number
}

export type AccountName = 'Alice' | 'Bob' | 'Carol'

export type Report = (event: LabEvent) => void

/** undefined for what a picture of the nodes shows better. */
export function sentenceFor(event: LabEvent): string | undefined {
  switch (event.event) {
    case 'killed':
      return `Node ${event.node} is killed.`
    case 'up':
      return `Node ${event.node} is up.`
    case 'mined':
      return `Node ${event.node} mines block ${event.height}.`
    case 'tip':
      return event.abandoned === 0
        ? undefined
        : `Node ${event.node} leaves ${counted(event.abandoned, 'block')} for a chain with more work.`
    case 'paid':
      return `${event.from} pays ${event.to} ${event.amount}, at node ${event.node}.`
    case 'split':
      return `Split: ${event.sides.map((side) => side.join(' ')).join(' | ')}.`
    case 'healed':
      return 'The split is healed.'
    case 'connected':
      return `All are connected again after ${seconds(event.ms)}.`
    case 'note':
      return event.text
    case 'followed':
      return event.nodes.length === 1 ? undefined : `${event.nodes.length} nodes have it after ${seconds(event.ms)}.`
    default:
      return undefined
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
