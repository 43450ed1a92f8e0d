import { askCurve, isAddress, type KnownKeys, type PreparedKey, type SignatureVerifier } from '@bc/core'
import { type BlockReport, reportOn } from './block-report.ts'
import type { BlocksQuestion, CurveAnswer, CurveQuestion } from './questions.ts'

/** Whoever does the curve arithmetic: this thread or others. */
export interface Curve {
  ask(question: CurveQuestion): Promise<CurveAnswer>
  /** A report on each block, in order. */
  report(question: BlocksQuestion): Promise<readonly BlockReport[]>
  close(): Promise<void>
}

/** One that answers by itself, on the thread that asks it. */
export class Answerer {
  private readonly verifier: SignatureVerifier
  private readonly known = new RememberedKeys()

  constructor(verifier: SignatureVerifier) {
    this.verifier = verifier
  }

  ask({ checks, addresses }: CurveQuestion): CurveAnswer {
    return {
      verdicts: checks.map((check) => askCurve(check, this.verifier, this.known)),
      addresses: addresses.map((address) => isAddress(address, this.verifier, this.known)),
    }
  }

  report({ texts, chain, maxBlockBytes }: BlocksQuestion): readonly BlockReport[] {
    return texts.map((text) => reportOn(text, { chain, maxBlockBytes }, (question) => this.ask(question)))
  }
}

/** Addresses whose keys are remembered: some 4 MB. Forgotten all at once when there are more. */
const MOST_KEYS = 10_000

class RememberedKeys implements KnownKeys {
  private readonly keys = new Map<string, PreparedKey>()

  get(address: string): PreparedKey | undefined {
    return this.keys.get(address)
  }

  set(address: string, key: PreparedKey): void {
    if (this.keys.size >= MOST_KEYS) this.keys.clear()
    this.keys.set(address, key)
  }
}

/** Curve arithmetic on this very thread: for tests, and for tools that have nothing else to do meanwhile. */
export function localCurve(verifier: SignatureVerifier): Curve {
  const answerer = new Answerer(verifier)
  return {
    ask: async (question) => answerer.ask(question),
    report: async (question) => answerer.report(question),
    close: async () => undefined,
  }
}
