import type { Hash, SignatureCheck, SignatureVerdict } from '@bc/core'

/** A batch of questions to the curve: transactions, and addresses that no transaction signs for. */
export interface CurveQuestion {
  readonly checks: readonly SignatureCheck[]
  readonly addresses: readonly string[]
}

/** The answers, in the order of the questions. */
export interface CurveAnswer {
  readonly verdicts: readonly SignatureVerdict[]
  readonly addresses: readonly boolean[]
}

/** Whole blocks, as texts: to be read and judged as far as each can be without its parent. */
export interface BlocksQuestion {
  readonly texts: readonly string[]
  readonly chain: Hash
  readonly maxBlockBytes: number
}
