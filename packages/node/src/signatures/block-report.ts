/**
 * What can be said of a block alone, as plain data: all that takes long is done where the report is made, on whichever
 * thread that is, and whoever gets it has the block back for the price of a `JSON.parse`.
 */
import {
  type Block,
  type BodyReport,
  checkBody,
  dataOf,
  type Hash,
  judgeTransactions,
  type ParsedBlock,
  RuleError,
  type RuleErrorData,
  readBlock,
  readTransactions,
  reportOf,
  ruleErrorOf,
  type SpelledBlock,
  type VerifiedBlock,
  verifiedAs,
} from '@bc/core'
import type { CurveAnswer, CurveQuestion } from './questions.ts'

export type BlockReport =
  /** It is none: `message.malformed` or `block.shape`. */
  | { readonly kind: 'unreadable'; readonly refusal: RuleErrorData }
  | {
      readonly kind: 'read'
      readonly hash: Hash
      readonly root: Hash
      /** undefined where the text was canonical. */
      readonly canonical: string | undefined
      /** The rule that its form breaks, which counts once its position is found right; otherwise what became of it. */
      readonly body: { readonly refusal: RuleErrorData } | BodyReport
    }

/** A block that was read, and what there is to say of its body once its position is found right. */
export interface ReadBlock {
  readonly parsed: ParsedBlock
  readonly body: VerifiedBlock | RuleError
}

export interface ReportContext {
  readonly chain: Hash
  readonly maxBlockBytes: number
}

export function reportOn(
  text: string,
  { chain, maxBlockBytes }: ReportContext,
  ask: (question: CurveQuestion) => CurveAnswer,
): BlockReport {
  try {
    const parsed = readBlock(text)
    const { hash, root, canonical } = parsed
    const body = bodyReport(parsed, { chain, maxBlockBytes }, ask)
    return { kind: 'read', hash, root, canonical: canonical === text ? undefined : canonical, body }
  } catch (error) {
    return { kind: 'unreadable', refusal: refusalOf(error) }
  }
}

function bodyReport(
  parsed: SpelledBlock,
  { chain, maxBlockBytes }: ReportContext,
  ask: (question: CurveQuestion) => CurveAnswer,
): BodyReport | { refusal: RuleErrorData } {
  try {
    const sized = checkBody(parsed, { maxBlockBytes })
    const read = readTransactions(sized.block.transactions, chain, parsed.texts)
    const question = { checks: read.parsed.map(({ check }) => check), addresses: [sized.reward.recipient] }
    const { verdicts, addresses } = ask(question)
    return reportOf(judgeTransactions(sized, read, verdicts, addresses[0] === true))
  } catch (error) {
    return { refusal: refusalOf(error) }
  }
}

function refusalOf(error: unknown): RuleErrorData {
  if (error instanceof RuleError) return dataOf(error)
  throw error
}

/**
 * @param text the one that the report is about
 * @returns the rule that it breaks where it is no block
 */
export function readBlockAs(
  text: string,
  report: BlockReport,
  { maxBlockBytes }: ReportContext,
): ReadBlock | RuleError {
  if (report.kind === 'unreadable') return ruleErrorOf(report.refusal)
  const { hash, root, body, canonical = text } = report
  const parsed: ParsedBlock = { block: JSON.parse(canonical) as Block, canonical, hash, root }
  if ('refusal' in body) return { parsed, body: ruleErrorOf(body.refusal) }
  return { parsed, body: verifiedAs(checkBody(parsed, { maxBlockBytes }), body) }
}
