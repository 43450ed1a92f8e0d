import { availableParallelism } from 'node:os'
import { type Curve, CurveWorkers, localCurve } from '@bc/node/signatures'
import { bestVerifier } from '@bc/wallet'

/** Fewer checks than this are done before a thread has started. */
const WORTH_A_THREAD = 512

/** All cores for what is worth it, this thread for the rest. */
export function toolCurve(): Curve {
  const local = localCurve(bestVerifier())
  const workers = new CurveWorkers(availableParallelism())
  return {
    ask: (question) => (question.checks.length < WORTH_A_THREAD ? local : workers).ask(question),
    report: (question) => workers.report(question),
    close: () => workers.close(),
  }
}
