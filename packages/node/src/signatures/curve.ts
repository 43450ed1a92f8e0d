import { askCurve, isAddress, type SignatureCheck, type SignatureVerdict, type SignatureVerifier } from '@bc/core'

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

/** Whoever does the curve arithmetic: this thread or others. */
export interface Curve {
  ask(question: CurveQuestion): Promise<CurveAnswer>
  close(): Promise<void>
}

export function answer({ checks, addresses }: CurveQuestion, verifier: SignatureVerifier): CurveAnswer {
  return {
    verdicts: checks.map((check) => askCurve(check, verifier)),
    addresses: addresses.map((address) => isAddress(address, verifier)),
  }
}

/** Curve arithmetic on this very thread: for tests, and for tools that have nothing else to do meanwhile. */
export function localCurve(verifier: SignatureVerifier): Curve {
  return {
    ask: async (question) => answer(question, verifier),
    close: async () => undefined,
  }
}
